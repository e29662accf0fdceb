"""Everyone as whom a user could come: one bearer for each scope on which it holds a role."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.services.identity.auth import reach
from andromede.services.identity.grants import operators, store
from andromede.services.identity.grants.store import Target
from andromede.services.identity.projects import store as projects
from andromede.services.identity.trusts import store as trusts
from andromede.services.identity.users import store as users


def targets(connection: Connection, user_id: str) -> list[Target]:
    """The scopes a user can log in to: the system, then domains and projects by id."""
    system = [Target(kind=store.SYSTEM)] if reach.system_of(connection, user_id) else []
    domains = [Target(kind="domain", id=row.id) for row in reach.domains_of(connection, user_id)]
    inside = {row.id for row in reach.projects_of(connection, user_id)}
    inside |= {str(row.project_id) for row in trusts.lent_to(connection, user_id)}
    return [*system, *domains, *(Target(kind="project", id=each) for each in sorted(inside))]


def _held(connection: Connection, user_id: str, target: Target) -> dict[str, str]:
    """The names by id of the roles that a user has on a target, or was lent there."""
    held = store.effective(connection, user_id, target)
    for row in trusts.lent_to(connection, user_id):
        if target.kind == "project" and row.project_id == target.id:
            held |= trusts.role_names(connection, row) or {}
    return held


def bearer(connection: Connection, user_id: str, target: Target) -> Caller | None:
    """The user as the bearer of a token on a scope; None when it cannot log in there."""
    user = users.get(connection, user_id)
    home = user and projects.get_domain(connection, user.domain_id)
    held = _held(connection, user_id, target)
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
    """The ids of the users who hold a role on a project, however they came by it, or were lent one
    there, and of those who hold an operator's role anywhere."""
    strong = operators.strong(connection)
    found = store.actors(connection, Target(kind="project", id=project_id), strong)
    return sorted({*found, *trusts.trustees(connection, project_id)})
