"""Rows of /v3/OS-TRUST/trusts and their handlers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from andromede import clock, ids
from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy, takeover
from andromede.services.identity.bodies import extras
from andromede.services.identity.grants.store import Grant
from andromede.services.identity.links import own, several
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.roles.view import role_view
from andromede.services.identity.rows import Row, page_of
from andromede.services.identity.trusts import making, store
from andromede.services.identity.trusts.making import FORBIDDEN
from andromede.services.identity.trusts.schema import NewTrust, NewTrustBody
from andromede.services.identity.users import store as users


def _require_person(context: Context) -> None:
    """Errors: Forbidden for a bearer that was itself lent a part of a user's roles."""
    if context.caller.application_credential_id is not None:
        raise Forbidden(f"{FORBIDDEN}: Delegated tokens cannot manage trusts.")


def _view(context: Context, row: Row) -> dict[str, Any]:
    """A trust in a list: without its roles."""
    expires = row.expires_at
    return {
        **row.extra,
        "id": row.id,
        "trustor_user_id": row.trustor_user_id,
        "trustee_user_id": row.trustee_user_id,
        "project_id": row.project_id,
        "impersonation": row.impersonation,
        "expires_at": None if expires is None else clock.iso_micro(expires),
        "remaining_uses": row.remaining_uses,
        "redelegation_count": row.redelegation_count,
        "redelegated_trust_id": row.redelegated_trust_id,
        "deleted_at": None,
        "links": own(context, f"OS-TRUST/trusts/{row.id}"),
    }


def _whole(context: Context, row: Row) -> dict[str, Any]:
    shown = _view(context, row)
    if row.redelegated_trust_id is None:
        del shown["redelegated_trust_id"]
    return {"trust": {**shown, **_roles(context, row)}}


def _roles(context: Context, row: Row) -> dict[str, Any]:
    found = roles.several(context.conn, store.role_ids(context.conn, row.id))
    links = own(context, f"OS-TRUST/trusts/{row.id}/roles")
    return {
        "roles": [role_view(context, found[each]) for each in sorted(found)],
        "roles_links": {**links, "previous": None, "next": None},
    }


def _find(context: Context) -> Row:
    """The trust of the path. Errors: NotFound, also when it is expired or used up."""
    identifier = context.params["trust_id"]
    row = store.get(context.conn, identifier)
    if row is None or store.spent(row):
        raise NotFound(f"Could not find trust: {identifier}.")
    return row


def _seen(context: Context) -> Row:
    """The trust of the path, when the caller is a party to it or may read everything."""
    row, caller = _find(context), context.caller
    party = caller.user_id in (row.trustor_user_id, row.trustee_user_id)
    policy.require(context, party or policy.system_reader(caller))
    _require_person(context)
    return row


def list_all(context: Context) -> dict[str, Any]:
    """Everybody's for who may read everything; by its own id as trustor or trustee, a user's."""
    caller = context.caller
    where: list[sa.ColumnElement[bool]] = []
    mine = False
    for name in ("trustor_user_id", "trustee_user_id"):
        value = context.first(name)
        if value is not None:
            where.append(store.trust.c[name] == value)
            mine = mine or value == caller.user_id
    policy.require(context, mine or policy.system_reader(caller))
    _require_person(context)
    rows, more = page_of(context.conn, store.trust, where, read_page(context.query))
    return several(context, "trusts", [_view(context, row) for row in rows], more=more)


def _parent(context: Context) -> Row | None:
    """The trust that the caller acts by, which it lends on. Errors: Forbidden."""
    trust_id = context.caller.trust_id
    if trust_id is None:
        return None
    row = store.get(context.conn, trust_id)
    if row is None or store.spent(row):
        raise Forbidden(f"{FORBIDDEN}: trust {trust_id} is expired, or was used up.")
    return row


def create(context: Context) -> dict[str, Any]:
    """Lend a part of the caller's roles to another user, who then may reach the project."""
    body: NewTrust = context.body.trust
    _require_person(context)
    if context.caller.user_id != body.trustor_user_id:
        raise Forbidden(f"{FORBIDDEN}: The authenticated user should match the trustor.")
    for user_id in (body.trustee_user_id, body.trustor_user_id):
        if users.get(context.conn, user_id) is None:
            raise NotFound(f"Could not find user: {user_id}.")
    place = projects.get(context.conn, body.project_id) if body.project_id else None
    if body.project_id is not None and (place is None or place.is_domain):
        raise NotFound(f"Could not find project: {body.project_id}.")
    parent = _parent(context)
    first = store.pedigree(context.conn, parent)[-1].trustor_user_id if parent else None
    wanted = making.role_ids(context, body, first or body.trustor_user_id)
    values: dict[str, Any] = {
        "id": ids.new_hex(),
        "trustor_user_id": body.trustor_user_id,
        "trustee_user_id": body.trustee_user_id,
        "project_id": body.project_id,
        "impersonation": body.impersonation,
        "remaining_uses": body.remaining_uses,
        "expires_at": making.expiry(body.expires_at),
        "redelegation_count": making.depth(body),
        "redelegated_trust_id": None,
        "extra": extras(context, "trust", NewTrust),
        "password_known": users.password_known(context.conn, body.trustor_user_id),
    }
    if parent is not None:
        values |= making.from_another(context, body, parent, wanted)
    context.concerns(values["id"], body.project_id)
    _admit(context, body, wanted)
    store.insert(context.conn, values, wanted)
    made = store.get(context.conn, values["id"])
    assert made is not None
    return _whole(context, made)


def _admit(context: Context, body: NewTrust, role_ids: Iterable[str]) -> None:
    """Errors: admit.Refused when the trustee may not reach the project."""
    if body.project_id is None:
        context.places_nothing()
        return
    context.admit_users({body.trustee_user_id: [body.project_id]})
    given = [
        Grant(
            actor_kind="user", actor_id=body.trustee_user_id, target_kind="project",
            target_id=body.project_id, role_id=each,
        )
        for each in sorted(role_ids)
    ]  # fmt: skip
    takeover.give(context, [body.trustee_user_id], given)


def show(context: Context) -> dict[str, Any]:
    return _whole(context, _seen(context))


def delete(context: Context) -> Reply:
    """Take a trust back, with those made from it; tokens got by them die."""
    row, caller = _find(context), context.caller
    policy.require(context, caller.admin or caller.user_id == row.trustor_user_id)
    _require_person(context)
    context.concerns(row.id, row.project_id)
    store.delete(context.conn, row.id)
    return Reply(204)


def list_roles(context: Context) -> dict[str, Any]:
    found = _roles(context, _seen(context))
    return {"roles": found["roles"], "links": found["roles_links"]}


def show_role(context: Context) -> dict[str, Any]:
    row, role_id = _seen(context), context.params["role_id"]
    found = roles.get(context.conn, role_id)
    if found is None or role_id not in store.role_ids(context.conn, row.id):
        raise NotFound(f"Could not find role: {role_id}, in trust {row.id}.")
    return {"role": role_view(context, found)}


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/OS-TRUST/trusts{path}", handler=handler,
        action=f"identity:trust:{verb}", allow=AUTHENTICATED, **more,
    )  # fmt: skip


ONE = "/{trust_id}"
OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", create, "create", body=NewTrustBody, status=201, places="share"),
    _row("GET", ONE, show, "show"),
    _row("DELETE", ONE, delete, "delete", status=204),
    _row("GET", f"{ONE}/roles", list_roles, "list_roles"),
    _row("GET", f"{ONE}/roles/{{role_id}}", show_role, "show_role"),
]
