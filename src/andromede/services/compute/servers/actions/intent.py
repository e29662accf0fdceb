"""What every act on a server does once it is allowed: note it, and set the intent."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.services.compute.servers import history, store
from andromede.services.compute.servers.model import Server
from andromede.work import intend

SECONDS = 600.0


def begin(
    context: Context,
    server: Server,
    name: str,
    effect: str,
    label: str,
    /,
    *,
    seconds: float = SECONDS,
    **columns: Any,
) -> None:
    """Note an act with the effect that the worker will have, change the row, and have the lifecycle
    begin at a step, with so many seconds for all of it."""
    history.begin(context, server, name, effect)
    store.change(context.conn, server.id, **columns)
    intend(
        context.conn, "server", server.id, label, project_id=server.project_id,
        request_id=context.request_id, seconds=seconds,
    )  # fmt: skip
