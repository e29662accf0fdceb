"""Rows that grant, check, list and take away roles, on projects, domains and the system, for users
and groups, here or inherited by the projects below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from andromede.http.access import ADMIN, ADMIN_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.identity import policy, takeover
from andromede.services.identity.grants import store
from andromede.services.identity.grants.store import SYSTEM, Grant, Target
from andromede.services.identity.groups import store as groups
from andromede.services.identity.links import several
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.roles.view import role_view
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.users import store as users

Handler = Callable[..., Any]


def _actor(context: Context, kind: str) -> tuple[str, Row | None]:
    identifier = context.params[f"{kind}_id"]
    found = users.get if kind == "user" else groups.get
    return identifier, found(context.conn, identifier)


def _target(context: Context, kind: str) -> tuple[Target, Row | None]:
    if kind == SYSTEM:
        return Target(kind=SYSTEM), None
    identifier = context.params[f"{kind}_id"]
    row = projects.get(context.conn, identifier)
    right = row is not None and row.is_domain == (kind == "domain")
    return Target(kind=kind, id=identifier), row if right else None


def _resolve(
    context: Context, actor_kind: str, target_kind: str, *, change: bool
) -> tuple[str, Target, Row | None]:
    """Who and what the path names, and the role if it names one.

    Errors: Forbidden when the caller may not, whether or not they exist; NotFound.
    """
    actor_id, actor = _actor(context, actor_kind)
    target, place = _target(context, target_kind)
    role_id = context.params.get("role_id")
    role = roles.get(context.conn, role_id) if role_id is not None else None
    if target_kind != SYSTEM:
        _require(context, actor, place, role, change=change)
    if actor is None:
        raise NotFound(f"Could not find {actor_kind}: {actor_id}.")
    if place is None and target_kind != SYSTEM:
        raise NotFound(f"Could not find {target_kind}: {target.id}.")
    if role_id is not None and role is None:
        raise NotFound(f"Could not find role: {role_id}.")
    context.concerns(
        f"{actor_kind}/{actor_id}/{target.kind}/{target.id}",
        target.id if target.kind == "project" else None,
    )
    return actor_id, target, role


def _require(
    context: Context, actor: Row | None, place: Row | None, role: Row | None, *, change: bool
) -> None:
    """A domain's manager grants the lesser roles inside its domain; its reader sees them."""
    caller = context.caller
    if policy.system_reader(caller) and (caller.admin or not change):
        return
    inside = (
        actor is not None
        and place is not None
        and actor.domain_id == caller.domain_id
        and caller.domain_id in (place.domain_id, place.id)
    )
    wanted = "manager" if change else "reader"
    policy.require(context, inside and wanted in caller.roles)
    if change:
        policy.require(
            context,
            role is not None
            and role.name in policy.MANAGED_ROLES
            and role.domain_id in ("", caller.domain_id),
        )


def list_roles(context: Context, actor_kind: str, target_kind: str, inherited: bool) -> Any:
    actor_id, target, _ = _resolve(context, actor_kind, target_kind, change=False)
    held = store.held(context.conn, actor_kind, actor_id, target, inherited)
    rows = [roles.get(context.conn, each) for each in held]
    return several(context, "roles", [role_view(context, row) for row in rows if row is not None])


def _grant(
    context: Context, actor_kind: str, target_kind: str, inherited: bool, *, change: bool
) -> tuple[Grant, Row]:
    actor_id, target, role = _resolve(context, actor_kind, target_kind, change=change)
    assert role is not None
    grant = Grant(
        actor_kind=actor_kind, actor_id=actor_id, target_kind=target.kind, target_id=target.id,
        role_id=role.id, inherited=inherited,
    )  # fmt: skip
    return grant, role


def _require_held(context: Context, grant: Grant) -> None:
    if not store.exists(context.conn, grant):
        raise NotFound(
            f"Could not find role assignment with role: {grant.role_id}, user or group: "
            f"{grant.actor_id}, project, domain, or system: {grant.target_id}."
        )


def check(context: Context, actor_kind: str, target_kind: str, inherited: bool) -> Reply:
    grant, _ = _grant(context, actor_kind, target_kind, inherited, change=False)
    _require_held(context, grant)
    return Reply(204)


def add(context: Context, actor_kind: str, target_kind: str, inherited: bool) -> Reply:
    grant, role = _grant(context, actor_kind, target_kind, inherited, change=True)
    _check_domain(context, grant, role)
    _admit(context, grant)
    store.add(context.conn, grant)
    return Reply(204)


def _admit(context: Context, grant: Grant) -> None:
    """Errors: admit.Refused when it would open data to a supplier that may not reach them, or a
    customer's project to an operator."""
    holders = [grant.actor_id]
    if grant.actor_kind == "group":
        holders = groups.members(context.conn, [grant.actor_id])
    one = grant.target_kind == "project" and not grant.inherited
    target = grant.target_id if one else None
    context.admit_users({each: [target] for each in holders})
    if not store.exists(context.conn, grant):
        takeover.give(context, holders, [grant])


def _check_domain(context: Context, grant: Grant, role: Row) -> None:
    """A domain's own role is granted on that domain and its projects only.

    Errors: Forbidden, BadRequest.
    """
    if not role.domain_id:
        return
    if grant.target_kind == SYSTEM:
        raise BadRequest(
            f"Role {role.id} is a domain-specific role. Unable to use a domain-specific role in "
            "a system assignment."
        )
    place = projects.get(context.conn, grant.target_id)
    assert place is not None
    if role.domain_id not in (place.domain_id, place.id):
        raise Forbidden(
            f"{grant.target_kind.capitalize()} {place.id} must be in the same domain as the role "
            f"{role.id} being assigned."
        )


def remove(context: Context, actor_kind: str, target_kind: str, inherited: bool) -> Reply:
    grant, _ = _grant(context, actor_kind, target_kind, inherited, change=True)
    _require_held(context, grant)
    store.remove(context.conn, grant)
    revocations.revoke(context.conn, _resting_on(context, grant))
    return Reply(204)


def _resting_on(context: Context, grant: Grant) -> list[str]:
    """The subjects of the tokens that may rest on a grant."""
    holders = [grant.actor_id]
    if grant.actor_kind == "group":
        holders = groups.members(context.conn, [grant.actor_id])
    if grant.inherited:
        return [revocations.user_subject(each) for each in holders]
    return [revocations.grant_subject(each, grant.target_id) for each in holders]


def _rows(target_kind: str, actor_kind: str, inherited: bool) -> list[Operation]:
    place = "system" if target_kind == SYSTEM else f"{target_kind}s/{{{target_kind}_id}}"
    base = f"{place}/{actor_kind}s/{{{actor_kind}_id}}/roles"
    base = f"/v3/OS-INHERIT/{base}" if inherited else f"/v3/{base}"
    suffix = "/inherited_to_projects" if inherited else ""
    noun = "system_grant" if target_kind == SYSTEM else "grant"

    def row(method: str, path: str, handler: Handler, verb: str, **more: Any) -> Operation:
        reads = method == "GET"
        outside = ADMIN_READER if reads else ADMIN
        inside = policy.DOMAIN_READER if reads else policy.DOMAIN_MANAGER
        return Operation(
            method=method, path=path, action=f"identity:{noun}:{verb}",
            handler=partial(
                handler, actor_kind=actor_kind, target_kind=target_kind, inherited=inherited
            ),
            allow=outside if target_kind == SYSTEM else inside, **more,
        )  # fmt: skip

    one = f"{base}/{{role_id}}{suffix}"
    return [
        row("GET", f"{base}{suffix}", list_roles, "list"),
        row("GET", one, check, "check", status=204),
        row("PUT", one, add, "create", status=204, places="share"),
        row("DELETE", one, remove, "revoke", status=204),
    ]


OPERATIONS = [
    each
    for target_kind in ("project", "domain", SYSTEM)
    for actor_kind in ("user", "group")
    for inherited in ((False,) if target_kind == SYSTEM else (False, True))
    for each in _rows(target_kind, actor_kind, inherited)
]
