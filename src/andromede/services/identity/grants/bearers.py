"""Everyone as whom a user could come: one bearer for each scope on which it holds a role."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.services.identity.auth import reach
from andromede.services.identity.grants import operators, store
from andromede.services.identity.grants.store import Target
from andromede.services.identity.projects import store as projects
from andromede.services.identity.users import store as users


def targets(connection: Connection, user_id: str) -> list[Target]:
    """The scopes a user can log in to: the system, then domains and projects by id."""
    system = [Target(kind=store.SYSTEM)] if reach.system_of(connection, user_id) else []
    domains = [Target(kind="domain", id=row.id) for row in reach.domains_of(connection, user_id)]
    inside = [Target(kind="project", id=row.id) for row in reach.projects_of(connection, user_id)]
    return [*system, *domains, *inside]


def bearer(connection: Connection, user_id: str, target: Target) -> Caller | None:
    """The user as the bearer of a token on a scope; None when it cannot log in there."""
    user = users.get(connection, user_id)
    home = user and projects.get_domain(connection, user.domain_id)
    held = store.effective(connection, user_id, target)
    if user is None or home is None or not (user.enabled and home.enabled and held):
        return None
    place = projects.get(connection, target.id) if target.kind == "project" else None
    return Caller(
        user_id=user_id,
        user_domain_id=user.domain_id,
        project_id=target.id if target.kind == "project" else None,
        project_domain_id=None if place is None else place.domain_id,
        domain_id=target.id if target.kind == "domain" else None,
        system=target.kind == store.SYSTEM,
        roles=frozenset(held.values()),
    )


def around(connection: Connection, project_id: str) -> list[str]:
    """The ids of the users who hold a role on a project, however they came by it, and of those who
    hold an operator's role anywhere."""
    strong = operators.strong(connection)
    return store.actors(connection, Target(kind="project", id=project_id), strong)
