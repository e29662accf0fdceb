"""A token as the API shows it. Source: the identity API's `GET /v3/auth/tokens`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from andromede import clock
from andromede.db import Connection
from andromede.http.context import Context
from andromede.services.identity.access_rules import store as access_rules
from andromede.services.identity.catalog.entries import catalog
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens.token import ScopeKind, Token
from andromede.services.identity.trusts import store as trusts
from andromede.services.identity.users import store as users


def _named(row: Any) -> dict[str, str]:
    return {"id": row.id, "name": row.name}


def _moment(seconds: int) -> str:
    return clock.iso_micro(seconds * clock.SECOND)


def render(
    connection: Connection, context: Context, token: Token, names: tuple[str, ...]
) -> dict[str, Any]:
    """The body that shows a living token, with the catalog unless `nocatalog` is asked for."""
    user = users.get(connection, token.user_id)
    assert user is not None, "a living token's user exists"
    wanted = {token.user_domain_id, token.scope_id, token.scope_domain_id} - {None}
    places = {row.id: row for row in projects.several(connection, sorted(map(str, wanted)))}
    expires = user.password_expires_at
    body: dict[str, Any] = {
        "methods": list(token.methods),
        "user": {
            **_named(user),
            "domain": _named(places[token.user_domain_id]),
            "password_expires_at": None if expires is None else clock.iso_micro(expires),
        },
        "audit_ids": [each for each in (token.audit_id, token.parent_audit_id) if each],
        "expires_at": _moment(token.expires_at),
        "issued_at": _moment(token.issued_at),
    }
    if token.kind is not ScopeKind.UNSCOPED:
        body |= _scope(token, places)
        ids = roles.ids_of(connection, names)
        body["roles"] = [{"id": ids[name], "name": name} for name in names if name in ids]
        if context.first("nocatalog") is None:
            project_id = token.scope_id if token.kind is ScopeKind.PROJECT else None
            body["catalog"] = catalog(
                connection, context, user_id=token.user_id, project_id=project_id
            )
    if token.trust_id is not None:
        row = trusts.get(connection, token.trust_id)
        assert row is not None, "a living token's trust exists"
        body["OS-TRUST:trust"] = {
            "id": row.id,
            "trustor_user": {"id": row.trustor_user_id},
            "trustee_user": {"id": row.trustee_user_id},
            "impersonation": row.impersonation,
        }
    if token.credential_id is not None:
        row = credentials.get(connection, token.credential_id)
        body["application_credential"] = {**_named(row), "restricted": token.restricted}
        rules = access_rules.of_credentials(connection, [token.credential_id])
        if rules[token.credential_id]:
            body["application_credential"]["access_rules"] = rules[token.credential_id]
    return {"token": body}


def _scope(token: Token, places: Mapping[str, Row]) -> dict[str, Any]:
    if token.kind is ScopeKind.SYSTEM:
        return {"system": {"all": True}}
    place = places[str(token.scope_id)]
    if token.kind is ScopeKind.DOMAIN:
        return {"domain": _named(place)}
    domain = places[str(token.scope_domain_id)]
    return {"project": {**_named(place), "domain": _named(domain)}, "is_domain": False}
