"""Rows of /v3/users and their handlers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import clock, ids
from andromede.http.access import AUTHENTICATED
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import passwords, policy, takeover
from andromede.services.identity.auth import reach
from andromede.services.identity.bodies import check_change, check_query, extras, given
from andromede.services.identity.grants import store as grants
from andromede.services.identity.groups import store as groups
from andromede.services.identity.groups.view import group_view
from andromede.services.identity.home import home_domain, require_domain
from andromede.services.identity.links import several
from andromede.services.identity.projects import store as projects
from andromede.services.identity.projects.view import project_view
from andromede.services.identity.rows import Row, duplicate, page_of, refusing
from andromede.services.identity.telling import Act
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.users import compliance, filters, store
from andromede.services.identity.users.password import OPERATION as CHANGE_PASSWORD
from andromede.services.identity.users.schema import (
    NewUser,
    NewUserBody,
    UserChange,
    UserChangeBody,
)
from andromede.services.identity.users.view import user_view
from andromede.sovereignty import ending


def find(context: Context, user_id: str) -> Row:
    """A user that the caller may see: itself, or one of its domain.

    Errors: Forbidden when it may not, whether or not there is one; NotFound.
    """
    row = store.get(context.conn, user_id)
    caller = context.caller
    seen = caller.user_id == user_id or policy.domain_reader(caller, row and row.domain_id)
    policy.require(context, seen)
    if row is None:
        raise NotFound(f"Could not find user: {user_id}.")
    return row


def manage(context: Context, user_id: str) -> Row:
    """A user that the caller may change.

    Errors: Forbidden, NotFound.
    """
    row = store.get(context.conn, user_id)
    policy.require(context, policy.domain_manager(context.caller, row and row.domain_id))
    if row is None:
        raise NotFound(f"Could not find user: {user_id}.")
    context.concerns(row.id)
    return row


def list_users(context: Context) -> dict[str, Any]:
    check_query(context)
    where = filters.conditions(context.query)
    if not policy.system_reader(context.caller):
        where.append(store.user.c.domain_id == context.caller.domain_id)
    rows, more = page_of(context.conn, store.user, where, read_page(context.query))
    return several(context, "users", [user_view(context, row) for row in rows], more=more)


def hash_given(context: Context) -> str | None:
    """The hash of the password in the body, computed before the transaction.

    Errors: BadRequest for one that is not what the cloud asks for.
    """
    password = context.body.user.password
    if not isinstance(password, str):
        return None
    compliance.check_text(context.cloud.config.security_compliance, password)
    return passwords.digest(password)


def create(context: Context) -> dict[str, Any]:
    body: NewUser = context.body.user
    refuse_null(context, "user", "domain_id")
    domain_id = body.domain_id or home_domain(context)
    policy.require(context, policy.domain_manager(context.caller, domain_id))
    require_domain(context, domain_id, NotFound)
    _check_default_project(context, body.default_project_id)
    row: dict[str, Any] = {
        "id": ids.new_hex(),
        "name": body.name,
        "domain_id": domain_id,
        "default_project_id": body.default_project_id,
        "enabled": body.enabled,
        "password_hash": context.prepared,
        "password_known": context.prepared is not None,
        "options": body.options.merged({}),
        "extra": extras(context, "user", NewUser),
        "created_at": clock.now(),
    }
    if context.prepared is not None:
        rules = context.cloud.config.security_compliance
        row |= compliance.fresh(rules, row["options"], by_user=False)
    with refusing("user", duplicate(body.name, domain_id)):
        context.conn.execute(sa.insert(store.user), row)
    context.concerns(row["id"])
    return _show_one(context, row["id"])


def _show_one(context: Context, user_id: str) -> dict[str, Any]:
    row = store.get(context.conn, user_id)
    assert row is not None
    return {"user": user_view(context, row)}


def _check_default_project(context: Context, project_id: str | None) -> None:
    row = projects.get(context.conn, project_id) if project_id is not None else None
    if row is not None and row.is_domain:
        raise BadRequest(f"User's default project ID cannot be a domain ID: {project_id}")


def show(context: Context) -> dict[str, Any]:
    return {"user": user_view(context, find(context, context.params["user_id"]))}


def update(context: Context) -> dict[str, Any]:
    """What lets an operator in as the user asks for the consent of the projects that it opens.

    Errors: BadRequest; Forbidden, Refused; NotFound; Conflict.
    """
    row = manage(context, context.params["user_id"])
    context.places_nothing()
    body: UserChange = context.body.user
    check_change(context, "user", row.id, "user")
    if not isinstance(body.domain_id, msgspec.UnsetType) and body.domain_id != row.domain_id:
        raise BadRequest(f"Cannot change the domain of user {row.id}.")
    values = given(body, "name", "default_project_id", "enabled")
    _check_default_project(context, values.get("default_project_id"))
    if not isinstance(body.options, msgspec.UnsetType):
        values["options"] = body.options.merged(row.options)
    if not isinstance(body.password, msgspec.UnsetType):
        values |= _reset(context, row, values.get("options", row.options))
        values["password_known"] = row.id != context.caller.user_id
        takeover.take(context, row.id, Act.PASSWORD)
    if values.get("enabled") is True:
        if not compliance.enabled(row, context.cloud.config.security_compliance):
            takeover.take(context, row.id, Act.ENABLED)
        values |= {"failed_count": 0, "last_active_at": clock.now()}
    values["extra"] = {**row.extra, **extras(context, "user", UserChange)}
    with refusing("user", duplicate(values.get("name", row.name), row.domain_id)):
        context.conn.execute(
            sa.update(store.user).where(store.user.c.id == row.id).values(**values)
        )
    if "password_hash" in values or values.get("enabled") is False:
        revocations.revoke(context.conn, [revocations.user_subject(row.id)])
    return _show_one(context, row.id)


def _reset(context: Context, row: Row, options: dict[str, Any]) -> dict[str, Any]:
    """The columns of a password that somebody else sets; the former one is kept to compare with."""
    rules = context.cloud.config.security_compliance
    if row.password_hash is not None:
        count = rules.unique_last_password_count - 1
        store.keep_former(context.conn, row.id, row.password_hash, count)
    fresh = compliance.fresh(rules, options, by_user=False)
    return {"password_hash": context.prepared, "failed_count": 0, **fresh}


def delete(context: Context) -> Reply:
    row = manage(context, context.params["user_id"])
    revocations.revoke(context.conn, [revocations.user_subject(row.id)])
    grants.forget_actors(context.conn, "user", [row.id])
    ending.users(context.conn, [row.id])
    store.delete(context.conn, [row.id])
    return Reply(204)


def list_groups(context: Context) -> dict[str, Any]:
    row = find(context, context.params["user_id"])
    where: list[sa.ColumnElement[bool]] = [
        groups.group.c.id.in_(groups.of_user(context.conn, row.id))
    ]
    name = context.first("name")
    if name is not None:
        where.append(groups.group.c.name == name)
    rows, more = page_of(context.conn, groups.group, where, read_page(context.query))
    return several(context, "groups", [group_view(context, each) for each in rows], more=more)


def list_projects(context: Context) -> dict[str, Any]:
    row = find(context, context.params["user_id"])
    found = reach.projects_of(context.conn, row.id)
    tags = reach.tags_of(context.conn, found)
    return several(
        context, "projects", [project_view(context, each, tags[each.id]) for each in found]
    )


def revoke_tokens(context: Context) -> Reply:
    """Kill every token of a user: its own act, or an admin's."""
    user_id = context.params["user_id"]
    policy.require(context, context.caller.admin or context.caller.user_id == user_id)
    if store.get(context.conn, user_id) is None:
        raise NotFound(f"Could not find user: {user_id}.")
    context.concerns(user_id)
    revocations.revoke(context.conn, [revocations.user_subject(user_id)])
    return Reply(204)


def _row(method: str, path: str, handler: Any, action: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/users{path}", handler=handler,
        action=f"identity:{action}", **{"allow": AUTHENTICATED, **more},
    )  # fmt: skip


ONE = "/{user_id}"
WRITE: dict[str, Any] = {"allow": policy.DOMAIN_MANAGER, "prepare": hash_given}
OPERATIONS = [
    _row("GET", "", list_users, "user:list", allow=policy.DOMAIN_READER),
    _row("POST", "", create, "user:create", body=NewUserBody, status=201, **WRITE),
    _row("GET", ONE, show, "user:show"),
    _row("PATCH", ONE, update, "user:update", body=UserChangeBody, places="expose", **WRITE),
    _row("DELETE", ONE, delete, "user:delete", allow=policy.DOMAIN_MANAGER, status=204),
    _row("GET", f"{ONE}/groups", list_groups, "user_group:list"),
    _row("GET", f"{ONE}/projects", list_projects, "user_project:list"),
    _row("DELETE", f"{ONE}/tokens", revoke_tokens, "user_token:revoke", status=204),
    CHANGE_PASSWORD,
]
