"""The password that a guest made for its administrator and posted to its metadata service, encrypted
for its owner. Source: the compute API's reference, "Servers password"."""

from __future__ import annotations

from typing import Any

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.operation import Operation, Reply
from andromede.services.compute.metadata import store
from andromede.services.compute.servers import guards

PATH = "/v2.1/servers/{server_id}/os-server-password"


def show(context: Context) -> dict[str, Any]:
    """Errors: Refused for an operator without the project's consent."""
    server = guards.readable(context, param="server_id")
    context.reveal(server.project_id, server.id)
    return {"password": store.password(context.conn, server.id) or ""}


def clear(context: Context) -> Reply:
    """The guest's own password stays what it is; it may post another."""
    server = guards.changeable(context, "server_id")
    store.clear_password(context.conn, server.id)
    return Reply(204)


OPERATIONS = [
    Operation(
        method="GET", path=PATH, handler=show, action="compute:server-password:show",
        allow=PROJECT_READER, reveals="password",
    ),
    Operation(
        method="DELETE", path=PATH, handler=clear, action="compute:server-password:clear",
        allow=PROJECT_MEMBER, status=204,
    ),
]  # fmt: skip
