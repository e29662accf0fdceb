"""Which projects grants open: those they were made on, those below that inherit them, and those of a
domain whose manager they make, who could give itself a role on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from andromede.db import Connection
from andromede.services.identity.grants import store
from andromede.services.identity.grants.operators import ADMIN
from andromede.services.identity.groups import store as groups
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row

MANAGER = "manager"


def reached(connection: Connection, given: Iterable[Any]) -> set[str]:
    """The ids of the projects that grants (rows, or Grants) open."""
    found: set[str] = set()
    for row in given:
        if row.inherited or (row.target_kind == "domain" and _manages(connection, row.role_id)):
            below = projects.of_domain if row.target_kind == "domain" else projects.subtree
            found |= {each.id for each in below(connection, row.target_id)}
        elif row.target_kind == "project":
            found.add(row.target_id)
    return found


def _manages(connection: Connection, role_id: str) -> bool:
    """Whether a role makes its holder a domain's manager, and no operator, who is bound anyway."""
    names = roles.named(connection, roles.closure(roles.implications(connection), [role_id]))
    return MANAGER in names.values() and ADMIN not in names.values()


def holders(connection: Connection, row: Row) -> set[str]:
    """The users who hold a grant."""
    if row.actor_kind == "user":
        return {row.actor_id}
    return set(groups.members(connection, [row.actor_id]))


def by_role(connection: Connection, role_id: str) -> Iterator[tuple[Row, set[str]]]:
    """Every grant by which a role is held, itself or implied, with the users who hold it so."""
    prior = roles.implications(connection)
    leading = [
        each for each in store.granted_roles(connection) if role_id in roles.closure(prior, [each])
    ]
    for row in store.of_roles(connection, leading):
        yield row, holders(connection, row)


def managers(connection: Connection, domain_id: str) -> set[str]:
    """The users who manage a domain, and can give themselves roles on its projects."""
    found: set[str] = set()
    for row in store.on_target(connection, "domain", [domain_id]):
        if not row.inherited and _manages(connection, row.role_id):
            found |= holders(connection, row)
    return found
