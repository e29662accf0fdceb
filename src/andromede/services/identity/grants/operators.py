"""Who is an operator: holds the admin role anywhere, or any role on the system."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection
from andromede.services.identity.grants import store
from andromede.services.identity.groups.store import group_member
from andromede.services.identity.roles import store as roles

ADMIN = "admin"


def makes(connection: Connection, given: Iterable[Any]) -> bool:
    """Whether who holds one of the grants (rows, or Grants) is an operator by it."""
    rows = list(given)
    if any(row.target_kind == store.SYSTEM for row in rows):
        return True
    reached = roles.closure(roles.implications(connection), {row.role_id for row in rows})
    return ADMIN in roles.named(connection, reached).values()


def holds(connection: Connection, user_id: str) -> bool:
    """Whether a user could log in as an operator, by its own grants or its groups'."""
    return makes(connection, store.of_user(connection, user_id))


def strong(connection: Connection) -> list[str]:
    """The ids of the roles, among those granted to anybody, that are or imply the admin role."""
    prior = roles.implications(connection)
    admin = roles.by_name(connection, ADMIN)
    return [
        each
        for each in store.granted_roles(connection)
        if admin is not None and admin.id in roles.closure(prior, [each])
    ]


def own(connection: Connection) -> set[str]:
    """The projects on which operators were granted a role themselves, or by a group."""
    everyone = store.actors(connection, store.Target(kind=store.SYSTEM), strong(connection))
    grant = store.role_grant.c
    groups = sa.select(group_member.c.group_id).where(group_member.c.user_id.in_(everyone))
    wanted = sa.select(grant.target_id).where(
        grant.target_kind == "project",
        grant.inherited.is_(False),
        sa.or_(
            sa.and_(grant.actor_kind == "user", grant.actor_id.in_(everyone)),
            sa.and_(grant.actor_kind == "group", grant.actor_id.in_(groups)),
        ),
    )
    return set(connection.execute(wanted.distinct()).scalars())
