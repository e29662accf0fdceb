"""What a user could be scoped to: the projects, domains and system on which it has a role."""

from __future__ import annotations

from collections.abc import Sequence

from andromede.db import Connection
from andromede.services.identity.grants import store as grants
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import Row


def projects_of(connection: Connection, user_id: str) -> list[Row]:
    """Enabled projects on which the user has a role, its own or inherited, by id."""
    rows = grants.of_user(connection, user_id)
    wanted = {row.target_id for row in rows if row.target_kind == "project" and not row.inherited}
    found = {row.id: row for row in projects.several(connection, sorted(wanted))}
    for row in rows:
        if row.inherited and row.target_kind == "domain":
            found |= {each.id: each for each in projects.of_domain(connection, row.target_id)}
        elif row.inherited:
            found |= {each.id: each for each in projects.subtree(connection, row.target_id)}
    domains = projects.several(connection, sorted({row.domain_id for row in found.values()}))
    alive = {row.id for row in domains if row.enabled}
    return [
        found[each]
        for each in sorted(found)
        if found[each].enabled and found[each].domain_id in alive
    ]


def domains_of(connection: Connection, user_id: str) -> list[Row]:
    """Enabled domains on which the user itself has a role, by id."""
    rows = grants.of_user(connection, user_id)
    wanted = {row.target_id for row in rows if row.target_kind == "domain" and not row.inherited}
    return [row for row in projects.several(connection, sorted(wanted)) if row.enabled]


def system_of(connection: Connection, user_id: str) -> bool:
    return bool(grants.effective(connection, user_id, grants.Target(kind="system")))


def tags_of(connection: Connection, rows: Sequence[Row]) -> dict[str, list[str]]:
    return projects.tags(connection, [row.id for row in rows])
