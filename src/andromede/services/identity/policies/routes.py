"""Rows of /v3/policies and their handlers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import ids
from andromede.http.access import ADMIN, ADMIN_READER
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity.bodies import check_change, extras, given
from andromede.services.identity.links import own, several
from andromede.services.identity.policies.schema import (
    NewPolicy,
    NewPolicyBody,
    PolicyChange,
    PolicyChangeBody,
)
from andromede.services.identity.policies.store import policy
from andromede.services.identity.rows import Row, by_id, page_of


def _view(context: Context, row: Row) -> dict[str, Any]:
    links = own(context, f"policies/{row.id}")
    return {**row.extra, "id": row.id, "type": row.type, "blob": row.blob, "links": links}


def _find(context: Context, identifier: str | None = None) -> Row:
    """A policy, by default that of the path. Errors: NotFound."""
    identifier = identifier or context.params["policy_id"]
    row = by_id(context.conn, policy, identifier)
    if row is None:
        raise NotFound(f"Could not find policy: {identifier}.")
    context.concerns(row.id)
    return row


def list_all(context: Context) -> dict[str, Any]:
    kind = context.first("type")
    where = [] if kind is None else [policy.c.type == kind]
    rows, more = page_of(context.conn, policy, where, read_page(context.query))
    return several(context, "policies", [_view(context, row) for row in rows], more=more)


def create(context: Context) -> dict[str, Any]:
    body: NewPolicy = context.body.policy
    values: dict[str, Any] = {
        "id": ids.new_hex(), "type": body.type, "blob": body.blob,
        "extra": extras(context, "policy", NewPolicy),
    }  # fmt: skip
    context.conn.execute(sa.insert(policy), values)
    return {"policy": _view(context, _find(context, values["id"]))}


def show(context: Context) -> dict[str, Any]:
    return {"policy": _view(context, _find(context))}


def update(context: Context) -> dict[str, Any]:
    row = _find(context)
    body: PolicyChange = context.body.policy
    check_change(context, "policy", row.id, "policy")
    values = given(body, "blob", "type")
    values["extra"] = {**row.extra, **extras(context, "policy", PolicyChange)}
    context.conn.execute(sa.update(policy).where(policy.c.id == row.id).values(**values))
    return {"policy": _view(context, _find(context))}


def delete(context: Context) -> Reply:
    row = _find(context)
    context.conn.execute(sa.delete(policy).where(policy.c.id == row.id))
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/policies{path}", handler=handler,
        action=f"identity:policy:{verb}", allow=ADMIN_READER if method == "GET" else ADMIN, **more,
    )  # fmt: skip


ONE = "/{policy_id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", create, "create", body=NewPolicyBody, status=201),
    _row("GET", ONE, show, "show"),
    _row("PATCH", ONE, update, "update", body=PolicyChangeBody),
    _row("DELETE", ONE, delete, "delete", status=204),
]
