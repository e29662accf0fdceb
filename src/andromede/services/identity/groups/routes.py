"""Rows of /v3/groups and their handlers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import ids
from andromede.http.access import AUTHENTICATED
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy, takeover
from andromede.services.identity.bodies import check_change, check_query, extras, given
from andromede.services.identity.grants import store as grants
from andromede.services.identity.groups import store
from andromede.services.identity.groups.schema import (
    GroupChange,
    GroupChangeBody,
    NewGroup,
    NewGroupBody,
)
from andromede.services.identity.groups.view import group_view
from andromede.services.identity.home import home_domain, require_domain
from andromede.services.identity.links import several
from andromede.services.identity.rows import Row, duplicate, page_of, refusing
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.users import filters
from andromede.services.identity.users import store as users
from andromede.services.identity.users.view import user_view


def _reach(context: Context, *, change: bool) -> Row:
    """The group of the path, when the caller may see or change it.

    Errors: Forbidden when it may not, whether or not there is one; NotFound.
    """
    group_id = context.params["group_id"]
    row = store.get(context.conn, group_id)
    allowed = policy.domain_manager if change else policy.domain_reader
    policy.require(context, allowed(context.caller, row and row.domain_id))
    if row is None:
        raise NotFound(f"Could not find group: {group_id}.")
    context.concerns(row.id)
    return row


def list_groups(context: Context) -> dict[str, Any]:
    check_query(context)
    where: list[sa.ColumnElement[bool]] = [
        store.group.c[name] == value
        for name, value in context.query
        if name in ("domain_id", "name")
    ]
    if not policy.system_reader(context.caller):
        where.append(store.group.c.domain_id == context.caller.domain_id)
    rows, more = page_of(context.conn, store.group, where, read_page(context.query))
    return several(context, "groups", [group_view(context, row) for row in rows], more=more)


def create(context: Context) -> dict[str, Any]:
    body: NewGroup = context.body.group
    refuse_null(context, "group", "domain_id")
    domain_id = body.domain_id or home_domain(context)
    policy.require(context, policy.domain_manager(context.caller, domain_id))
    require_domain(context, domain_id, NotFound)
    row: dict[str, Any] = {
        "id": ids.new_hex(),
        "name": body.name,
        "domain_id": domain_id,
        "description": body.description or "",
        "extra": extras(context, "group", NewGroup),
    }
    with refusing("group", duplicate(body.name, domain_id)):
        context.conn.execute(sa.insert(store.group), row)
    context.concerns(row["id"])
    return _show_one(context, row["id"])


def _show_one(context: Context, group_id: str) -> dict[str, Any]:
    row = store.get(context.conn, group_id)
    assert row is not None
    return {"group": group_view(context, row)}


def show(context: Context) -> dict[str, Any]:
    return {"group": group_view(context, _reach(context, change=False))}


def update(context: Context) -> dict[str, Any]:
    row = _reach(context, change=True)
    body: GroupChange = context.body.group
    check_change(context, "group", row.id, "group")
    if not isinstance(body.domain_id, msgspec.UnsetType) and body.domain_id != row.domain_id:
        raise BadRequest(f"Cannot change the domain of group {row.id}.")
    values = given(body, "name", "description")
    if "description" in values:
        values["description"] = values["description"] or ""
    values["extra"] = {**row.extra, **extras(context, "group", GroupChange)}
    with refusing("group", duplicate(values.get("name", row.name), row.domain_id)):
        context.conn.execute(
            sa.update(store.group).where(store.group.c.id == row.id).values(**values)
        )
    return _show_one(context, row.id)


def delete(context: Context) -> Reply:
    row = _reach(context, change=True)
    members = store.members(context.conn, [row.id])
    revocations.revoke(context.conn, [revocations.user_subject(each) for each in members])
    grants.forget_actors(context.conn, "group", [row.id])
    store.delete(context.conn, [row.id])
    return Reply(204)


def list_members(context: Context) -> dict[str, Any]:
    row = _reach(context, change=False)
    where = filters.conditions(context.query)
    member = store.group_member.c
    where.append(member.group_id == row.id)
    page = read_page(context.query)
    rows, more = page_of(context.conn, users.user, where, page, through=member.user_id)
    return several(context, "users", [user_view(context, each) for each in rows], more=more)


def _member(context: Context, *, change: bool) -> tuple[Row, Row]:
    """The group and the user of the path. Errors: Forbidden, NotFound."""
    user = users.get(context.conn, context.params["user_id"])
    caller = context.caller
    allowed = policy.domain_manager if change else policy.domain_reader
    policy.require(context, allowed(caller, user and user.domain_id))
    group = _reach(context, change=change)
    if user is None:
        raise NotFound(f"Could not find user: {context.params['user_id']}.")
    return group, user


def check_member(context: Context) -> Reply:
    group, user = _member(context, change=False)
    _require_member(context, group, user)
    return Reply(204)


def add_member(context: Context) -> Reply:
    group, user = _member(context, change=True)
    rows = grants.of_group(context.conn, group.id)
    context.admit_users({user.id: grants.opened(rows)})
    if not store.has(context.conn, group.id, user.id):
        takeover.give(context, [user.id], rows)
    store.add(context.conn, group.id, user.id)
    return Reply(204)


def remove_member(context: Context) -> Reply:
    """Take a user out of a group; its tokens die, since their roles may rest on it."""
    group, user = _member(context, change=True)
    _require_member(context, group, user)
    store.remove(context.conn, group.id, user.id)
    revocations.revoke(context.conn, [revocations.user_subject(user.id)])
    return Reply(204)


def _require_member(context: Context, group: Row, user: Row) -> None:
    if not store.has(context.conn, group.id, user.id):
        raise NotFound(f"User '{user.id}' not found in group '{group.id}'")


def _row(method: str, path: str, handler: Any, action: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/groups{path}", handler=handler, action=f"identity:{action}",
        **{"allow": AUTHENTICATED if method == "GET" else policy.DOMAIN_MANAGER, **more},
    )  # fmt: skip


ONE = "/{group_id}"
MEMBER = "/{group_id}/users/{user_id}"
OPERATIONS = [
    _row("GET", "", list_groups, "group:list", allow=policy.DOMAIN_READER),
    _row("POST", "", create, "group:create", body=NewGroupBody, status=201),
    _row("GET", ONE, show, "group:show"),
    _row("PATCH", ONE, update, "group:update", body=GroupChangeBody),
    _row("DELETE", ONE, delete, "group:delete", status=204),
    _row("GET", f"{ONE}/users", list_members, "group_user:list"),
    _row("GET", MEMBER, check_member, "group_user:check", status=204),
    _row("PUT", MEMBER, add_member, "group_user:add", status=204, places="share"),
    _row("DELETE", MEMBER, remove_member, "group_user:remove", status=204),
]
