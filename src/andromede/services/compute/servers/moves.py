"""Moves of servers between hosts, of which there are none: a machine lives and dies on its host, and a
resize stays there. The lists are empty because that is true.

Source: the compute API's reference, "Migrations" and "Server migrations".
"""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, PROJECT_MANAGER, Rule
from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.http.operation import Operation
from andromede.services.compute import values
from andromede.services.compute.servers import guards

FILTERS = ("hidden", "host", "instance_uuid", "source_compute", "status", "migration_type")
LATER = {
    "limit": (2, 59), "marker": (2, 59), "changes-since": (2, 59), "changes-before": (2, 66),
    "user_id": (2, 80), "project_id": (2, 80),
}  # fmt: skip


def index(context: Context) -> dict[str, Any]:
    """Errors: Forbidden for those who are no operators and name no project, or another than theirs."""
    later = [name for name, since in LATER.items() if context.version >= since]
    values.known_query(context, (*FILTERS, *later))
    if not context.caller.admin and context.first("project_id") != context.project_id:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:os-migrations:index:all_projects to be performed."
        )
    return {"migrations": []}


def of_server(context: Context) -> dict[str, Any]:
    guards.readable(context, param="server_id")
    return {"migrations": []}


def _none(context: Context) -> NotFound:
    server = guards.readable(context, param="server_id")
    return NotFound(
        f"In-progress live migration {context.params['id']} is not found for server {server.id}."
    )


def show(context: Context) -> None:
    raise _none(context)


def _row(method: str, path: str, handler: Any, verb: str, allow: Rule, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v2.1{path}", handler=handler,
        action=f"compute:migration:{verb}", allow=allow, **more,
    )  # fmt: skip


OF_SERVER = "/servers/{server_id}/migrations"
OPERATIONS = [
    _row("GET", "/os-migrations", index, "list", PROJECT_MANAGER),
    _row("GET", OF_SERVER, of_server, "list-of-server", PROJECT_MANAGER, since=(2, 23)),
    _row("GET", f"{OF_SERVER}/{{id}}", show, "show", ADMIN, since=(2, 23)),
    _row("DELETE", f"{OF_SERVER}/{{id}}", show, "abort", ADMIN, since=(2, 24), status=202),
    _row("POST", f"{OF_SERVER}/{{id}}/action", show, "force-complete", ADMIN, since=(2, 22),
         key="force_complete", status=202),
]  # fmt: skip
