"""What identity offers to the rest of the cloud: verifying tokens, looking up its nouns, and the
first start's accounts."""

from __future__ import annotations

from msgspec import Struct

from andromede.db import Connection
from andromede.http.context import Context
from andromede.services.identity import takeover
from andromede.services.identity.audit import audit
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.first_start import (
    DEFAULT_DOMAIN,
    Bootstrapped,
    OperatorCredential,
    bootstrap,
    operator_credential,
)
from andromede.services.identity.grants import bearers
from andromede.services.identity.grants import store as grants
from andromede.services.identity.grants.store import Target
from andromede.services.identity.passwords import digest as hash_password
from andromede.services.identity.projects import store as projects
from andromede.services.identity.telling import Act
from andromede.services.identity.tokens.standing import epoch, stands
from andromede.services.identity.tokens.verify import make_authenticate
from andromede.services.identity.trusts import store as trusts
from andromede.services.identity.users import store as users

__all__ = [
    "Bootstrapped",
    "OperatorCredential",
    "Project",
    "Target",
    "User",
    "around",
    "audit",
    "bearer",
    "bootstrap",
    "credential_expiry",
    "domain_exists",
    "epoch",
    "hash_password",
    "make_authenticate",
    "opened_to",
    "operator_credential",
    "project",
    "project_exists",
    "projects_of",
    "require_opening",
    "stands",
    "targets",
    "user",
    "user_named",
]

around, bearer, targets = bearers.around, bearers.bearer, bearers.targets


class Project(Struct, frozen=True, kw_only=True):
    """A project as other services see it."""

    id: str
    name: str
    domain_id: str
    enabled: bool


def opened_to(connection: Connection, user_id: str) -> list[str | None]:
    """The projects that a user's roles open, its own, its groups' or lent ones; None: several at
    once."""
    lent = {str(row.project_id) for row in trusts.lent_to(connection, user_id)}
    found = grants.opened(grants.of_user(connection, user_id))
    return [*found, *sorted(lent - set(found))]


def require_opening(context: Context, user_id: str) -> None:
    """Let the caller make what lets others in wherever a user is let in; an operator does so for
    another user with the consent of each project that the user reaches.

    Errors: Refused.
    """
    takeover.take(context, user_id, Act.CREDENTIAL)


class User(Struct, frozen=True, kw_only=True):
    """A user as other services see it."""

    id: str
    name: str
    domain_id: str
    enabled: bool


def project_exists(connection: Connection, project_id: str) -> bool:
    """Whether there is such a project; domains are none."""
    return project(connection, project_id) is not None


def projects_of(connection: Connection, domain_id: str) -> list[str]:
    """The ids of a domain's projects."""
    return [str(row.id) for row in projects.of_domain(connection, domain_id)]


def domain_exists(connection: Connection, domain_id: str) -> bool:
    """Whether there is such a domain."""
    return projects.get_domain(connection, domain_id) is not None


def project(connection: Connection, project_id: str) -> Project | None:
    """A project by its id; domains are none."""
    row = projects.get(connection, project_id)
    if row is None or row.is_domain:
        return None
    return Project(id=row.id, name=row.name, domain_id=row.domain_id, enabled=row.enabled)


def user(connection: Connection, user_id: str) -> User | None:
    """A user by its id."""
    row = users.get(connection, user_id)
    if row is None:
        return None
    return User(id=row.id, name=row.name, domain_id=row.domain_id, enabled=row.enabled)


def user_named(connection: Connection, name: str) -> User | None:
    """A user of the default domain by its name."""
    row = users.by_name(connection, DEFAULT_DOMAIN, name)
    return None if row is None else user(connection, row.id)


def credential_expiry(connection: Connection, credential_id: str) -> int | None:
    """When an operator's application credential ends, in µs since the epoch; None when there is
    none, it never ends, or it counts as one factor only."""
    row = credentials.get(connection, credential_id)
    return None if row is None or not row.two_factor else row.expires_at
