"""Rows of /v3/limits and their handlers. The model is flat: a project's limit says nothing of those
above or below it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import UNSET

from andromede import ids
from andromede.http.access import ADMIN, AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy
from andromede.services.identity.bodies import given
from andromede.services.identity.catalog.nouns import require_region
from andromede.services.identity.limits import store
from andromede.services.identity.limits.registered import require_service
from andromede.services.identity.limits.schema import LimitChangeBody, NewLimit, NewLimitBody
from andromede.services.identity.links import own, several
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import page_of, refusing
from andromede.sovereignty.log.leaves import EVERYONE

FILTERS = ("service_id", "region_id", "resource_name")
MODEL = {
    "name": "flat",
    "description": "A limit of a project or a domain says nothing of those above or below it.",
}


def _views(context: Context, limit_ids: list[str]) -> list[dict[str, Any]]:
    found = store.described(context.conn, limit_ids)
    return [_view(context, found[each]) for each in limit_ids]


def _view(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    owner, domain = row["owner_id"], row["is_domain"]
    return {
        "id": row["id"],
        "service_id": row["service_id"],
        "region_id": row["region_id"] or None,
        "resource_name": row["resource_name"],
        "resource_limit": row["resource_limit"],
        "description": row["description"],
        "project_id": None if domain else owner,
        "domain_id": owner if domain else None,
        "links": own(context, f"limits/{row['id']}"),
    }


def _everything(context: Context) -> bool:
    return policy.system_reader(context.caller) or "service" in context.caller.roles


def list_all(context: Context) -> dict[str, Any]:
    """Everybody's for operators and services, a domain's for its bearers, and the project's own."""
    caller, table = context.caller, store.limit
    where = [
        store.of_registered(**{name: value}) for name, value in context.query if name in FILTERS
    ]
    where += [
        table.c.owner_id == value
        for name, value in context.query
        if name in ("project_id", "domain_id")
    ]
    if not _everything(context):
        mine = table.c.owner_id == (caller.project_id or "")
        where.append(store.of_domain(caller.domain_id) if caller.domain_id else mine)
    rows, more = page_of(context.conn, table, where, read_page(context.query))
    return several(context, "limits", _views(context, [row.id for row in rows]), more=more)


def _find(context: Context) -> dict[str, Any]:
    """The limit of the path. Errors: Forbidden, whether or not there is one; NotFound."""
    identifier, caller = context.params["id"], context.caller
    row = store.described(context.conn, [identifier]).get(identifier)
    mine = False
    if row is not None:
        place = projects.get(context.conn, row["owner_id"])
        homes = {row["owner_id"], place.domain_id if place is not None else None}
        mine = caller.project_id == row["owner_id"] or caller.domain_id in homes
    policy.require(context, mine or policy.system_reader(caller))
    if row is None:
        raise NotFound(f"Could not find limit for {identifier}.")
    context.concerns(identifier, _project(context, row["owner_id"]))
    return row


def _project(context: Context, owner: str) -> str | None:
    """The project that an owner is; domains are none."""
    place = projects.get(context.conn, owner)
    return None if place is None or place.is_domain else owner


def _owner(context: Context, body: NewLimit) -> str:
    """Whose the new limit is. Errors: BadRequest when it is nobody's, or two's."""
    given_ = [each for each in (body.project_id, body.domain_id) if each is not UNSET]
    if len(given_) != 1 or given_[0] is None:
        raise BadRequest("Invalid input for field 'limits': a project_id or a domain_id, not both.")
    row = projects.get(context.conn, given_[0])
    if row is None or (body.domain_id and not row.is_domain):
        raise BadRequest(f"Could not find project or domain: {given_[0]}.")
    return given_[0]


def create(context: Context) -> dict[str, Any]:
    """Add several, or none. Errors: BadRequest for a resource that has no registered limit."""
    made: list[str] = []
    owners: set[str] = set()
    for each in context.body.limits:
        require_service(context, each.service_id)
        require_region(context, each.region_id, "region_id")
        base = store.registered(
            context.conn, each.service_id, each.region_id or "", each.resource_name
        )
        owner = _owner(context, each)
        if base is None:
            raise BadRequest(
                "Unable to create a limit that has no corresponding registered limit: "
                f"{each.resource_name} of service {each.service_id}."
            )
        row = {
            "id": ids.new_hex(), "registered_limit_id": base.id, "owner_id": owner,
            "resource_limit": each.resource_limit, "description": each.description,
        }  # fmt: skip
        with refusing("limit", f"{owner} has a limit of {each.resource_name}"):
            context.conn.execute(sa.insert(store.limit), row)
        made.append(row["id"])
        owners.add(owner)
    one = owners.pop() if len(owners) == 1 else None
    context.concerns(made[0], EVERYONE if one is None else _project(context, one))
    context.notes["ids"] = made
    return {"limits": _views(context, made)}


def show(context: Context) -> dict[str, Any]:
    return {"limit": _view(context, _find(context))}


def update(context: Context) -> dict[str, Any]:
    row = _find(context)
    values = given(context.body.limit, "resource_limit", "description")
    if values:
        context.conn.execute(
            sa.update(store.limit).where(store.limit.c.id == row["id"]).values(**values)
        )
    return {"limit": _view(context, {**row, **values})}


def delete(context: Context) -> Reply:
    store.delete(context.conn, store.limit, _find(context)["id"])
    return Reply(204)


def show_model(_: Context) -> dict[str, Any]:
    return {"model": MODEL}


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/limits{path}", handler=handler, action=f"identity:limit:{verb}",
        allow=AUTHENTICATED if method == "GET" else ADMIN, **more,
    )  # fmt: skip


ONE = "/{id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", create, "create", body=NewLimitBody, status=201),
    _row("GET", "/model", show_model, "show_model"),
    _row("GET", ONE, show, "show"),
    _row("PATCH", ONE, update, "update", body=LimitChangeBody),
    _row("DELETE", ONE, delete, "delete", status=204),
]
