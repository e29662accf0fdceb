"""Deleting a server: the intent replaces whatever was under way."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers import guards, history, store
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Doing
from andromede.work import intend

DELETE_SECONDS = 86_400.0


def accept(context: Context, server: Server) -> None:
    """Have a server deleted, in whatever state; asked again while it goes, it still goes.

    Errors: Conflict when it is locked.
    """
    guards.unlocked(context, server)
    history.begin(context, server, "delete", "compute_terminate_instance")
    store.change(context.conn, server.id, task_state=Doing.DELETING, progress=0)
    intend(
        context.conn, "server", server.id, "remove", project_id=server.project_id,
        request_id=context.request_id, seconds=DELETE_SECONDS,
    )  # fmt: skip
