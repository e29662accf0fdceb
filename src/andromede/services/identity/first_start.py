"""What a cloud has before its first request: the default domain, the roles, the operator."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock, ids
from andromede.db import Connection
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.grants import store as grants
from andromede.services.identity.grants.store import Grant
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.users import store as users

DEFAULT_DOMAIN = "default"
IMPLICATIONS = (("admin", "manager"), ("manager", "member"), ("member", "reader"))
SEEDED_ROLES = ("admin", "manager", "member", "reader", "service")
OPERATOR_CREDENTIAL = "local-operator"


class Bootstrapped(Struct, frozen=True, kw_only=True):
    """The ids first start made or found. `roles`: ids by name."""

    domain_id: str
    project_id: str
    user_id: str
    roles: dict[str, str]


class OperatorCredential(Struct, frozen=True, kw_only=True):
    """An application credential for the local operator. `expires_at` in µs since the epoch."""

    id: str
    name: str
    secret: str
    user_id: str
    project_id: str
    expires_at: int


def bootstrap(
    connection: Connection,
    *,
    admin_password_hash: str,
    admin_name: str = "admin",
    project_name: str = "admin",
) -> Bootstrapped:
    """Make what is missing; what is there, a changed password too, stays as it is.

    `admin_password_hash` comes from `hash_password`, computed outside the transaction.
    """
    _domain(connection)
    found = {name: _role(connection, name) for name in SEEDED_ROLES}
    for prior, implied in IMPLICATIONS:
        roles.add_implication(connection, found[prior], found[implied])
    project_id = _project(connection, project_name)
    user_id = _user(connection, admin_name, admin_password_hash)
    for kind, target in (("project", project_id), ("system", grants.SYSTEM)):
        grants.add(
            connection,
            Grant(
                actor_kind="user", actor_id=user_id, target_kind=kind, target_id=target,
                role_id=found["admin"],
            ),
        )  # fmt: skip
    return Bootstrapped(
        domain_id=DEFAULT_DOMAIN, project_id=project_id, user_id=user_id, roles=found
    )


def _domain(connection: Connection) -> None:
    if projects.get(connection, DEFAULT_DOMAIN) is None:
        connection.execute(
            sa.insert(projects.project),
            _node(DEFAULT_DOMAIN, "Default", domain_id="", parent_id=None, is_domain=True,
                  description="The default domain"),
        )  # fmt: skip


def _node(identifier: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "name": name, "enabled": True, "options": {}, "extra": {}, **more}


def _project(connection: Connection, name: str) -> str:
    row = projects.by_name(connection, DEFAULT_DOMAIN, name)
    if row is not None:
        return str(row.id)
    identifier = ids.new_hex()
    connection.execute(
        sa.insert(projects.project),
        _node(identifier, name, domain_id=DEFAULT_DOMAIN, parent_id=DEFAULT_DOMAIN,
              is_domain=False, description="The operator's project"),
    )  # fmt: skip
    return identifier


def _role(connection: Connection, name: str) -> str:
    row = roles.by_name(connection, name)
    if row is not None:
        return str(row.id)
    identifier = ids.new_hex()
    connection.execute(
        sa.insert(roles.role),
        {"id": identifier, "name": name, "domain_id": "", "options": {}, "extra": {}},
    )
    return identifier


def _user(connection: Connection, name: str, password_hash: str) -> str:
    row = users.by_name(connection, DEFAULT_DOMAIN, name)
    if row is not None:
        return str(row.id)
    identifier = ids.new_hex()
    connection.execute(
        sa.insert(users.user),
        {
            "id": identifier, "name": name, "domain_id": DEFAULT_DOMAIN, "enabled": True,
            "password_hash": password_hash, "options": {}, "extra": {},
        },
    )  # fmt: skip
    return identifier


def new_secret() -> str:
    """512 random bits, in 86 characters, as upstream's generated secrets."""
    return secrets.token_urlsafe(64)


def operator_credential(
    connection: Connection,
    *,
    user_id: str,
    project_id: str,
    secret: str,
    secret_hash: str,
    lifetime: int,
    role_names: Iterable[str] = ("admin",),
) -> OperatorCredential:
    """Make, or make anew, the local operator's application credential.

    The former one of the same name and its tokens die. `secret` (see `new_secret`) and its hash
    (`hash_password`) are computed outside the transaction; `lifetime` is in seconds.
    Errors: ValueError when the user does not hold one of the roles on the project.
    """
    held = grants.effective(connection, user_id, grants.Target(kind="project", id=project_id))
    wanted = {each for each, name in held.items() if name in set(role_names)}
    if {held[each] for each in wanted} != set(role_names):
        raise ValueError(
            f"making the operator's credential: user {user_id} holds "
            f"{', '.join(sorted(held.values())) or 'no role'} on project {project_id}, and "
            f"{', '.join(sorted(role_names))} is needed"
        )
    former = credentials.by_name(connection, user_id, OPERATOR_CREDENTIAL)
    if former is not None:
        credentials.delete(connection, [former.id])
        revocations.revoke(connection, [revocations.credential_subject(former.id)])
    made = OperatorCredential(
        id=ids.new_hex(), name=OPERATOR_CREDENTIAL, secret=secret, user_id=user_id,
        project_id=project_id, expires_at=clock.now() + lifetime * clock.SECOND,
    )  # fmt: skip
    connection.execute(
        sa.insert(credentials.application_credential),
        {
            "id": made.id, "name": made.name, "description": "Made by `andromede up`",
            "user_id": user_id, "project_id": project_id, "secret_hash": secret_hash,
            "expires_at": made.expires_at, "unrestricted": True, "two_factor": True,
        },
    )  # fmt: skip
    credentials.set_roles(connection, made.id, wanted)
    return made
