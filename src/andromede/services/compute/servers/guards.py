"""What must hold before a server may be read or acted on: it is the caller's, unlocked, and in a
state that allows the act."""

from __future__ import annotations

from collections.abc import Container

from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import Conflict, NotFound
from andromede.services.compute.servers import store
from andromede.services.compute.servers.model import Server


def missing(server_id: str) -> NotFound:
    return NotFound(f"Instance {server_id} could not be found.")


def reached(caller: Caller, server: Server) -> bool:
    """Whether the server is the caller's to read and act on."""
    return caller.admin or server.project_id == caller.project_id


def readable(
    context: Context, *, deleted: bool = False, user_data: bool = False, param: str = "id"
) -> Server:
    """The server of the path, if the caller's project owns it or the caller is an operator.

    Errors: NotFound, also for other projects' servers.
    """
    server_id = context.params[param]
    server = store.get(context.conn, server_id, deleted=deleted, with_user_data=user_data)
    if server is None or not reached(context.caller, server):
        raise missing(server_id)
    context.touches(server.id, server.project_id)
    return server


def changeable(context: Context, param: str = "id") -> Server:
    """As `readable`, for an act that changes the server; names it for the log."""
    server = readable(context, param=param)
    context.concerns(server.id, server.project_id)
    return server


def unlocked(context: Context, param: str = "id") -> Server:
    """As `changeable`, for an act that its owner's lock prevents.

    Errors: Conflict.
    """
    server = changeable(context, param)
    require_unlocked(context, server)
    return server


def require_unlocked(context: Context, server: Server) -> None:
    """Refuse an owner's act on a locked server.

    Errors: Conflict.
    """
    if server.locked_by is not None and not context.caller.admin:
        raise Conflict(f"Instance {server.id} is locked")


def in_state(
    server: Server,
    act: str,
    *,
    vm: Container[str] | None = None,
    task: Container[str | None] | None = (None,),
    launched: bool = True,
) -> None:
    """Refuse an act on a server that is in none of the states it is for; None: any state.

    Errors: Conflict naming the act and the state.
    """
    attribute, state = "", ""
    if vm is not None and server.vm_state not in vm:
        attribute, state = "vm_state", server.vm_state
    elif task is not None and server.task_state not in task:
        attribute, state = "task_state", str(server.task_state)
    elif launched and server.launched_at is None:
        attribute, state = "launched_at", "None"
    if attribute:
        raise Conflict(f"Cannot '{act}' instance {server.id} while it is in {attribute} {state}")
