"""Rows of /v3/roles and their handlers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import ids
from andromede.http.access import ADMIN, Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy, takeover
from andromede.services.identity.bodies import (
    check_change,
    check_immutable,
    check_query,
    extras,
    given,
)
from andromede.services.identity.grants import store as grants
from andromede.services.identity.home import require_domain
from andromede.services.identity.links import several
from andromede.services.identity.roles import store
from andromede.services.identity.roles.schema import (
    NewRole,
    NewRoleBody,
    RoleChange,
    RoleChangeBody,
)
from andromede.services.identity.roles.view import role_view
from andromede.services.identity.rows import Row, duplicate, page_of, refusing
from andromede.services.identity.tokens import store as revocations

ROLE_READER = Rule(
    "admin, system reader or domain manager",
    lambda c: policy.system_reader(c) or policy.DOMAIN_MANAGER.allows(c),
)


def find(context: Context, role_id: str) -> Row:
    """Errors: NotFound."""
    row = store.get(context.conn, role_id)
    if row is None:
        raise NotFound(f"Could not find role: {role_id}.")
    return row


def list_roles(context: Context) -> dict[str, Any]:
    """The roles of the cloud; those of one domain when `domain_id` names it."""
    check_query(context)
    where: list[sa.ColumnElement[bool]] = [
        store.role.c.domain_id == (context.first("domain_id") or "")
    ]
    name = context.first("name")
    if name is not None:
        where.append(store.role.c.name == name)
    rows, more = page_of(context.conn, store.role, where, read_page(context.query))
    return several(context, "roles", [role_view(context, row) for row in rows], more=more)


def create(context: Context) -> dict[str, Any]:
    body: NewRole = context.body.role
    if body.domain_id is not None:
        require_domain(context, body.domain_id)
    row: dict[str, Any] = {
        "id": ids.new_hex(),
        "name": body.name,
        "domain_id": body.domain_id or "",
        "description": body.description,
        "options": body.options.document(),
        "extra": extras(context, "role", NewRole),
    }
    with refusing("role", duplicate(body.name, body.domain_id)):
        context.conn.execute(sa.insert(store.role), row)
    context.concerns(row["id"])
    return {"role": role_view(context, find(context, row["id"]))}


def show(context: Context) -> dict[str, Any]:
    return {"role": role_view(context, find(context, context.params["role_id"]))}


def update(context: Context) -> dict[str, Any]:
    """Errors: NotFound; BadRequest; Conflict for another name of the admin role, and a taken one;
    Refused for a name that opens customers' projects to the role's holders without their consent.
    """
    row = find(context, context.params["role_id"])
    body: RoleChange = context.body.role
    check_change(context, "role", row.id, "role")
    if given(body, "domain_id").get("domain_id", row.domain_id or None) != (row.domain_id or None):
        raise BadRequest(f"Cannot change the domain of role {row.id}.")
    values = given(body, "name", "description")
    if not isinstance(body.options, msgspec.UnsetType):
        values["options"] = {**row.options, **body.options.document()}
    check_immutable(row, "update", "role", values.get("options"))
    if row.name == "admin" and not row.domain_id and values.get("name", row.name) != row.name:
        raise Conflict("The admin role is known by its name, which tells who is an operator.")
    values["extra"] = {**row.extra, **extras(context, "role", RoleChange)}
    with refusing("role", duplicate(values.get("name", row.name), row.domain_id)):
        context.conn.execute(
            sa.update(store.role).where(store.role.c.id == row.id).values(**values)
        )
    context.places_nothing()
    if values.get("name", row.name) != row.name:
        revocations.revoke(context.conn, [revocations.role_subject(row.name)])
        if values["name"] in policy.ACTING and not row.domain_id:
            takeover.widen(context, row.id)
    context.concerns(row.id)
    return {"role": role_view(context, find(context, row.id))}


def delete(context: Context) -> Reply:
    """Delete a role with its grants and implications; tokens that carry it, or what it implied,
    die.

    Errors: Conflict for the admin role, which the cloud cannot do without.
    """
    row = find(context, context.params["role_id"])
    check_immutable(row, "delete", "role", None)
    if row.name == "admin" and not row.domain_id:
        raise Conflict("The admin role is the operator's way in, and is not deleted.")
    holders = grants.holders(context.conn, row.id)
    names = [revocations.role_subject(row.name), *map(revocations.user_subject, holders)]
    revocations.revoke(context.conn, names)
    grants.forget_roles(context.conn, [row.id])
    store.delete(context.conn, [row.id])
    context.concerns(row.id)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/roles{path}", handler=handler, action=f"identity:role:{verb}",
        allow=ROLE_READER if method == "GET" else ADMIN, **more,
    )  # fmt: skip


ONE = "/{role_id}"
OPERATIONS = [
    _row("GET", "", list_roles, "list"),
    _row("POST", "", create, "create", body=NewRoleBody, status=201),
    _row("GET", ONE, show, "show"),
    _row("PATCH", ONE, update, "update", body=RoleChangeBody, places="expose"),
    _row("DELETE", ONE, delete, "delete", status=204),
]
