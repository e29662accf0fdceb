"""Locking, and what operators do to a server's record."""

from __future__ import annotations

from msgspec import UNSET

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict
from andromede.services.compute.servers import delete, guards, history, store
from andromede.services.compute.servers.schema import LockBody, ResetBody
from andromede.services.compute.servers.states import HARMLESS, Doing, Vm
from andromede.services.compute.servers.steps.failure import drop_copy
from andromede.work import intend


def lock(context: Context) -> None:
    server = guards.changeable(context)
    body: LockBody = context.body
    reason = None
    if body.lock is not None and body.lock.locked_reason is not UNSET:
        reason = body.lock.locked_reason
    holder = "admin" if context.caller.admin else "owner"
    if server.locked_by == "admin" and holder == "owner":
        guards.require_unlocked(context, server)
    history.begin(context, server, "lock")
    store.change(context.conn, server.id, locked_by=holder, locked_reason=reason)


def unlock(context: Context) -> None:
    server = guards.changeable(context)
    if server.locked_by == "admin":
        guards.require_unlocked(context, server)
    history.begin(context, server, "unlock")
    store.change(context.conn, server.id, locked_by=None, locked_reason=None)


def reset_state(context: Context) -> None:
    """An operator says what the record holds; the machine is made to follow."""
    body: ResetBody = context.body
    server = guards.changeable(context)
    if server.host is None and body.wanted.state == "active":
        raise BadRequest(f"Instance {server.id} is on no host: it can be reset to error only.")
    if server.task_state == Doing.DELETING:
        raise Conflict(f"Cannot 'os-resetState' instance {server.id} while it is being deleted")
    history.begin(context, server, "resetState")
    if server.task_state in HARMLESS:
        drop_copy(context.conn, server, context.request_id)
    if server.task_state == Doing.UPDATING_PASSWORD:
        store.change(context.conn, server.id, course=None)
    state = Vm.ACTIVE if body.wanted.state == "active" else Vm.ERROR
    store.reset(context.conn, server.id, state)
    intend(
        context.conn, "server", server.id, "sync", project_id=server.project_id,
        request_id=context.request_id,
    )  # fmt: skip


def force_delete(context: Context) -> None:
    delete.accept(context, guards.changeable(context), force=True)
