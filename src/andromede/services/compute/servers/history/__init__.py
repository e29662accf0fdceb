"""The acts on a server and how they went, by request id (`os-instance-actions`)."""

from andromede.http.context import Context
from andromede.services.compute.servers.history import store
from andromede.services.compute.servers.model import Server


def begin(context: Context, server: Server, name: str, effect: str | None = None) -> None:
    """Note that the request's act was accepted; `effect` names what the worker does for it."""
    store.begin(
        context.conn, server.id, context.request_id, name,
        project_id=context.caller.project_id, user_id=context.caller.user_id, effect=effect,
    )  # fmt: skip
