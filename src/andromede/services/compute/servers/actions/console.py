"""The console log, read through the edge role, which alone may open it."""

from __future__ import annotations

from typing import Any

from andromede.cloud import Consoles
from andromede.http.context import Context
from andromede.http.errors import Conflict, NotFound, Unavailable
from andromede.services.compute import values
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.schema import ConsoleBody
from andromede.services.compute.servers.states import Vm

MOST_LINES = 100_000


def output(context: Context) -> dict[str, Any]:
    """The last lines of what a server wrote to its serial port.

    Errors: Refused for an operator without the project's consent; Conflict while there is no
    machine yet; Unavailable when the edge role or the worker does not answer.
    """
    body: ConsoleBody = context.body
    with context.cloud.database.read() as connection:
        context.conn = connection
        try:
            server = guards.readable(context)
            context.reveal(server.project_id, server.id)
        finally:
            context.conn = None
    if server.vm_state == Vm.BUILDING:
        raise Conflict(
            f"Instance {server.id} is not ready: its console has no output while it is building."
        )
    wanted = body.wanted.length
    lines = None
    if wanted is not None and str(wanted) != "-1":
        lines = values.whole(wanted, "length", 0)
    edge: Consoles | None = context.cloud.edge
    if edge is None:
        raise Unavailable("Consoles are read through the edge role, which does not run here.")
    try:
        text = edge.console_output(server.id, MOST_LINES if lines is None else lines)
    except FileNotFoundError as error:
        raise NotFound("Unable to get console") from error
    except ConnectionError as error:
        raise Unavailable(f"{str(error).rstrip('.')}. Ask again in a moment.") from error
    return {"output": text}
