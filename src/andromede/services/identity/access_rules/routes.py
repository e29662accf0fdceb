"""Rows of /v3/users/{user_id}/access_rules and their handlers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy
from andromede.services.identity.access_rules import store
from andromede.services.identity.links import own, several
from andromede.services.identity.rows import Row, page_of


def _view(context: Context, row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "path": row.path,
        "method": row.method,
        "service": row.service,
        "links": own(context, f"users/{row.user_id}/access_rules/{row.id}"),
    }


def _require(context: Context, *, change: bool) -> str:
    """The user of the path, when its rules are the caller's to see. Errors: Forbidden."""
    user_id, caller = context.params["user_id"], context.caller
    allowed = caller.admin if change else policy.system_reader(caller)
    policy.require(context, allowed or caller.user_id == user_id)
    policy.require_whole(context, "manage access rules")
    return user_id


def _find(context: Context, *, change: bool) -> Row:
    user_id, identifier = _require(context, change=change), context.params["rule_id"]
    row = store.get(context.conn, identifier)
    if row is None or row.user_id != user_id:
        raise NotFound(f"Could not find Access Rule: {identifier}.")
    return row


def list_all(context: Context) -> dict[str, Any]:
    table = store.access_rule
    where: list[sa.ColumnElement[bool]] = [table.c.user_id == _require(context, change=False)]
    where += [
        table.c[name] == value
        for name, value in context.query
        if name in ("service", "path", "method")
    ]
    rows, more = page_of(context.conn, table, where, read_page(context.query))
    return several(context, "access_rules", [_view(context, row) for row in rows], more=more)


def show(context: Context) -> dict[str, Any]:
    return {"access_rule": _view(context, _find(context, change=False))}


def delete(context: Context) -> Reply:
    """Errors: Forbidden while an application credential has the rule."""
    row = _find(context, change=True)
    if store.used(context.conn, row.id):
        raise Forbidden(
            f"Access rule {row.id} is in use by an application credential; delete that first."
        )
    store.delete(context.conn, row.id)
    context.concerns(row.id)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/users/{{user_id}}/access_rules{path}", handler=handler,
        action=f"identity:access_rule:{verb}", allow=AUTHENTICATED, **more,
    )  # fmt: skip


ONE = "/{rule_id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("GET", ONE, show, "show"),
    _row("DELETE", ONE, delete, "delete", status=204),
]
