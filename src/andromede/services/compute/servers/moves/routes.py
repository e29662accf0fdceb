"""Migrations: moves of servers between hosts, of which there are none, for a machine lives and dies on
its host; and resizes, which stay there.

Source: the compute API's reference, "Migrations" and "Server migrations".
"""

from __future__ import annotations

import hashlib
from typing import Any

from andromede.http.access import ADMIN, PROJECT_MANAGER, Rule
from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.http.operation import Operation
from andromede.http.paging import read_page
from andromede.services.compute import links, values
from andromede.services.compute.hosts.moments import spoken
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.moves import store
from andromede.services.compute.servers.moves.store import Move
from andromede.services.compute.versions import Conversion, Drop

KIND = "resize"
FILTERS = {
    "hidden": "", "host": "host", "instance_uuid": "server_id", "source_compute": "host",
    "status": "status", "migration_type": "",
}  # fmt: skip
LATER = {
    "limit": (2, 59), "marker": (2, 59), "changes-since": (2, 59), "changes-before": (2, 66),
    "user_id": (2, 80), "project_id": (2, 80),
}  # fmt: skip
LIST = frozenset({"compute:migration:list"})


def _number(flavor: str) -> int:
    """A flavor's own number, which the API tells nowhere else."""
    return int.from_bytes(hashlib.sha256(flavor.encode()).digest()[:4]) >> 1


def _view(each: Move) -> dict[str, Any]:
    return {
        "id": each.number,
        "uuid": each.id,
        "instance_uuid": each.server_id,
        "migration_type": KIND,
        "status": each.status,
        "source_compute": each.host,
        "source_node": each.host,
        "dest_compute": each.host,
        "dest_node": each.host,
        "dest_host": None,
        "old_instance_type_id": _number(each.old_flavor),
        "new_instance_type_id": _number(each.new_flavor),
        "created_at": spoken(each.created_at),
        "updated_at": None if each.updated_at is None else spoken(each.updated_at),
        "user_id": each.user_id,
        "project_id": each.project_id,
    }


def _wanted(context: Context) -> dict[str, Any] | None:
    """The columns' values that are asked for; None when there can be none such."""
    names = {**FILTERS, "user_id": "user_id", "project_id": "project_id"}
    asked = {name: context.first(name) for name in names}
    hidden = values.boolean(asked.pop("hidden") or "false", "hidden")
    if hidden or asked.pop("migration_type") not in (None, KIND):
        return None
    return {names[name]: value for name, value in asked.items() if value is not None}


def index(context: Context) -> dict[str, Any]:
    """Errors: Forbidden for those who are no operators and name no project, or another than theirs;
    BadRequest."""
    later = [name for name, since in LATER.items() if context.version >= since]
    values.known_query(context, (*FILTERS, *later))
    if not context.caller.admin and context.first("project_id") != context.project_id:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:os-migrations:index:all_projects to be performed."
        )
    values.once(context, *later)
    page, wanted = read_page(context.query), _wanted(context)
    since, before = (
        values.moment(context.first(name), name) for name in ("changes-since", "changes-before")
    )
    size = page.size(values.MOST_LISTED)
    found = (
        [] if wanted is None else store.page(context.conn, wanted, since, before, size, page.marker)
    )
    for each in found:
        context.touches(each.server_id, each.project_id)
    body: dict[str, Any] = {"migrations": [_view(each) for each in found]}
    following = links.next_page(
        context, "os-migrations", page, values.MOST_LISTED, [each.id for each in found]
    )
    return {**body, "migrations_links": following} if following else body


def of_server(context: Context) -> dict[str, Any]:
    """Live migrations under way: there are none."""
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


def _listed(body: Any) -> Any:
    return body["migrations"]


def _unpaged(body: Any) -> Any:
    body.pop("migrations_links", None)
    return body


CONVERSIONS = [
    Conversion(since=(2, 23), actions=LIST, lower=Drop(_listed, ("migration_type",))),
    Conversion(since=(2, 59), actions=LIST, lower=Drop(_listed, ("uuid",))),
    Conversion(since=(2, 59), actions=LIST, lower=_unpaged),
    Conversion(since=(2, 80), actions=LIST, lower=Drop(_listed, ("user_id", "project_id"))),
]
