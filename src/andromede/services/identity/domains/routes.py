"""Rows of /v3/domains and their handlers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import ids
from andromede.http.access import ADMIN, AUTHENTICATED
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy
from andromede.services.identity.bodies import (
    check_change,
    check_immutable,
    check_query,
    extras,
    given,
    truth,
)
from andromede.services.identity.links import several
from andromede.services.identity.projects import store, tree
from andromede.services.identity.projects.schema import (
    DomainChange,
    DomainChangeBody,
    NewDomain,
    NewDomainBody,
)
from andromede.services.identity.projects.view import domain_view
from andromede.services.identity.rows import Row, duplicate, page_of, refusing


def _find(context: Context) -> Row:
    domain_id = context.params["domain_id"]
    row = store.get_domain(context.conn, domain_id)
    caller = context.caller
    mine = domain_id in (caller.domain_id, caller.project_domain_id)
    policy.require(context, policy.system_reader(caller) or mine)
    if row is None:
        raise NotFound(f"Could not find domain: {domain_id}.")
    context.concerns(row.id)
    return row


def _show_one(context: Context, row: Row | None) -> dict[str, Any]:
    assert row is not None
    tags = store.tags(context.conn, [row.id])[row.id]
    return {"domain": domain_view(context, row, tags)}


def list_domains(context: Context) -> dict[str, Any]:
    check_query(context, 64)
    where: list[sa.ColumnElement[bool]] = [store.project.c.is_domain.is_(True)]
    name, enabled = context.first("name"), context.first("enabled")
    if name is not None:
        where.append(store.project.c.name == name)
    if enabled is not None:
        where.append(store.project.c.enabled == truth(enabled))
    if not policy.system_reader(context.caller):
        where.append(store.project.c.id == context.caller.domain_id)
    rows, more = page_of(context.conn, store.project, where, read_page(context.query))
    tags = store.tags(context.conn, [row.id for row in rows])
    items = [domain_view(context, row, tags[row.id]) for row in rows]
    return several(context, "domains", items, more=more)


def create(context: Context) -> dict[str, Any]:
    body: NewDomain = context.body.domain
    refuse_null(context, "domain", "explicit_domain_id")
    row: dict[str, Any] = {
        "id": tree.domain_id_of(body.explicit_domain_id, ids.new_hex()),
        "name": body.name,
        "domain_id": "",
        "is_domain": True,
        "enabled": body.enabled,
        "description": body.description or "",
        "options": body.options.document(),
        "extra": extras(context, "domain", NewDomain),
    }
    with refusing("domain", duplicate(body.name, None)):
        context.conn.execute(sa.insert(store.project), row)
    store.set_tags(context.conn, row["id"], body.tags)
    context.concerns(row["id"])
    return _show_one(context, store.get(context.conn, row["id"]))


def show(context: Context) -> dict[str, Any]:
    return _show_one(context, _find(context))


def update(context: Context) -> dict[str, Any]:
    row = _find(context)
    body: DomainChange = context.body.domain
    check_change(context, "domain", row.id, "domain")
    values = given(body, "name", "enabled", "description")
    if not isinstance(body.options, msgspec.UnsetType):
        values["options"] = {**row.options, **body.options.document()}
    check_immutable(row, "update", "domain", values.get("options"))
    if "description" in values:
        values["description"] = values["description"] or ""
    values["extra"] = {**row.extra, **extras(context, "domain", DomainChange)}
    with refusing("domain", duplicate(values.get("name", row.name), None)):
        context.conn.execute(
            sa.update(store.project).where(store.project.c.id == row.id).values(**values)
        )
    if not isinstance(body.tags, msgspec.UnsetType):
        store.set_tags(context.conn, row.id, body.tags)
    tree.switched(context, row, values)
    return _show_one(context, store.get(context.conn, row.id))


def delete(context: Context) -> Reply:
    tree.delete_domain(context, _find(context))
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/domains{path}", handler=handler,
        action=f"identity:domain:{verb}", **{"allow": ADMIN, **more},
    )  # fmt: skip


ONE = "/{domain_id}"
OPERATIONS = [
    _row("GET", "", list_domains, "list", allow=policy.DOMAIN_READER),
    _row("POST", "", create, "create", body=NewDomainBody, status=201),
    _row("GET", ONE, show, "show", allow=AUTHENTICATED),
    _row("PATCH", ONE, update, "update", body=DomainChangeBody, places="expose"),
    _row("DELETE", ONE, delete, "delete", status=204),
]
