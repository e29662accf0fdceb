"""Rows of /v3/registered_limits and their handlers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import ids
from andromede.http.access import ADMIN, AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity.bodies import given
from andromede.services.identity.catalog.nouns import SERVICE, require_region
from andromede.services.identity.limits import store
from andromede.services.identity.limits.schema import (
    NewRegisteredBody,
    RegisteredChange,
    RegisteredChangeBody,
)
from andromede.services.identity.links import own, several
from andromede.services.identity.rows import Row, by_id, page_of, refusing

MEMBERS = ("service_id", "region_id", "resource_name", "default_limit", "description")
TAKEN = "a registered limit of this service, region and resource exists"


def _view(context: Context, row: Row) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in ("id", *MEMBERS)}
    links = own(context, f"registered_limits/{row.id}")
    return {**shown, "region_id": row.region_id or None, "links": links}


def _find(context: Context, identifier: str | None = None) -> Row:
    """A registered limit, by default that of the path. Errors: NotFound."""
    identifier = identifier or context.params["id"]
    row = by_id(context.conn, store.registered_limit, identifier)
    if row is None:
        raise NotFound(f"Could not find registered limit for {identifier}.")
    context.concerns(row.id)
    return row


def require_service(context: Context, service_id: str) -> None:
    """Errors: BadRequest when a body names a service that is not there."""
    if SERVICE.find(context, service_id) is None:
        raise BadRequest(f"Could not find service: {service_id}, named as service_id.")


def list_all(context: Context) -> dict[str, Any]:
    table = store.registered_limit
    where = [
        table.c[name] == value
        for name, value in context.query
        if name in ("service_id", "region_id", "resource_name")
    ]
    rows, more = page_of(context.conn, table, where, read_page(context.query))
    return several(context, "registered_limits", [_view(context, x) for x in rows], more=more)


def create(context: Context) -> dict[str, Any]:
    """Add several, or none."""
    made = []
    for each in context.body.registered_limits:
        require_service(context, each.service_id)
        require_region(context, each.region_id, "region_id")
        row = {name: getattr(each, name) for name in MEMBERS}
        row |= {"id": ids.new_hex(), "region_id": each.region_id or ""}
        with refusing("registered_limit", TAKEN):
            context.conn.execute(sa.insert(store.registered_limit), row)
        made.append(row["id"])
    context.notes["ids"] = made
    return {"registered_limits": [_view(context, _find(context, each)) for each in made]}


def show(context: Context) -> dict[str, Any]:
    return {"registered_limit": _view(context, _find(context))}


def update(context: Context) -> dict[str, Any]:
    """Errors: Forbidden to change what a limit of some project is of."""
    row = _find(context)
    body: RegisteredChange = context.body.registered_limit
    values = given(body, *MEMBERS)
    if "service_id" in values:
        require_service(context, values["service_id"])
    if "region_id" in values:
        require_region(context, values["region_id"], "region_id")
        values["region_id"] = values["region_id"] or ""
    moved = {"service_id", "region_id", "resource_name"} & set(values)
    if moved and store.used(context.conn, row.id):
        raise _in_use(row)
    if values:
        with refusing("registered_limit", TAKEN):
            context.conn.execute(
                sa.update(store.registered_limit)
                .where(store.registered_limit.c.id == row.id)
                .values(**values)
            )
    return {"registered_limit": _view(context, _find(context))}


def _in_use(row: Row) -> Forbidden:
    return Forbidden(
        f"Unable to update or delete registered limit {row.id} because there are project limits "
        "associated with it."
    )


def delete(context: Context) -> Reply:
    """Errors: Forbidden while a project or domain has a limit of its own in its place."""
    row = _find(context)
    if store.used(context.conn, row.id):
        raise _in_use(row)
    store.delete(context.conn, store.registered_limit, row.id)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/registered_limits{path}", handler=handler,
        action=f"identity:registered_limit:{verb}",
        allow=AUTHENTICATED if method == "GET" else ADMIN, **more,
    )  # fmt: skip


ONE = "/{id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", create, "create", body=NewRegisteredBody, status=201),
    _row("GET", ONE, show, "show"),
    _row("PATCH", ONE, update, "update", body=RegisteredChangeBody),
    _row("DELETE", ONE, delete, "delete", status=204),
]
