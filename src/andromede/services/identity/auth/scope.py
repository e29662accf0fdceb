"""Scopes: from what a client asks for to the project, domain or system it gets roles on."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from andromede.db import Connection
from andromede.http.errors import ApiError, BadRequest, Forbidden, Unauthorized
from andromede.services.identity.auth.schema import DomainRef, ProjectRef, Scope
from andromede.services.identity.grants import store as grants
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens.strength import REFUSED
from andromede.services.identity.tokens.token import ScopeKind
from andromede.services.identity.trusts import store as trusts
from andromede.services.identity.trusts.making import FORBIDDEN
from andromede.services.identity.users import store as users

KINDS = "system, project, domain, OS-TRUST:trust or unscoped"


class Granted(Struct, frozen=True, kw_only=True):
    """A scope with the roles (names by id) held on it."""

    kind: ScopeKind = ScopeKind.UNSCOPED
    project: Any = None  # the project's row
    domain: Any = None  # the row of the scope's or the project's domain
    roles: dict[str, str] = {}
    trust: Any = None  # the trust's row
    bearer: Any = None  # the row of the user as whom one acts by a trust


def check_reference(reference: Any, path: str) -> None:
    """Refuse a reference that names nothing.

    Errors: BadRequest naming the path of the reference.
    """
    if reference.id is UNSET and reference.name is UNSET:
        raise BadRequest(f"Invalid input for field {path}: id or name must be present.")
    domain = getattr(reference, "domain", UNSET)
    if domain is not UNSET:
        check_reference(domain, f"{path}/domain")


def check_scope(scope: Scope | str | UnsetType) -> None:
    """Refuse a scope that is none of the known kinds, or several.

    Errors: BadRequest.
    """
    if isinstance(scope, UnsetType) or scope == "unscoped":
        return
    if isinstance(scope, str):
        raise BadRequest(f"Invalid input for field scope: {scope!r} is none of: {KINDS}.")
    given = [scope.project, scope.domain, scope.system, scope.unscoped, scope.trust]
    if sum(each is not UNSET for each in given) != 1:
        raise BadRequest(
            f"Expecting to find {KINDS} in scope, exactly one of them. The server could not comply "
            "with the request since it is either malformed or otherwise incorrect. The client is "
            "assumed to be in error."
        )
    if not isinstance(scope.project, UnsetType):
        check_reference(scope.project, "scope/project")
        if scope.project.id is UNSET and scope.project.domain is UNSET:
            raise BadRequest("Invalid input for field scope/project: a name needs a domain.")
    if not isinstance(scope.domain, UnsetType):
        check_reference(scope.domain, "scope/domain")


def find_domain(connection: Connection, reference: DomainRef) -> Row | None:
    """An enabled domain by its id or name."""
    if isinstance(reference.name, str):
        row = projects.by_name(connection, "", reference.name)
    else:
        row = projects.get_domain(connection, str(reference.id))
    return row if row is not None and row.enabled else None


def find_project(connection: Connection, reference: ProjectRef) -> tuple[Row, Row] | None:
    """An enabled project in an enabled domain, by its id, or its name and domain."""
    if isinstance(reference.name, str) and not isinstance(reference.domain, UnsetType):
        domain = find_domain(connection, reference.domain)
        row = domain and projects.by_name(connection, domain.id, reference.name)
    else:
        row = projects.get(connection, str(reference.id))
        domain = row and projects.get_domain(connection, row.domain_id)
    if row is None or domain is None or not (row.enabled and domain.enabled):
        return None
    return row, domain


def default_scope(connection: Connection, user: Row) -> Granted:
    """The user's default project when it has roles there, otherwise no scope."""
    if user.default_project_id is None:
        return Granted()
    found = find_project(connection, ProjectRef(id=user.default_project_id))
    if found is None:
        return Granted()
    roles = grants.effective(connection, user.id, grants.Target(kind="project", id=found[0].id))
    if not roles:
        return Granted()
    return Granted(kind=ScopeKind.PROJECT, project=found[0], domain=found[1], roles=roles)


def grant(connection: Connection, user: Row, scope: Scope | str) -> Granted | ApiError:
    """The scope a user asks for; an error, for later, when it has no role there.

    The error is the same whether the target is unknown, disabled or not the user's.
    """
    if isinstance(scope, str) or scope.unscoped is not UNSET:
        return Granted()
    if not isinstance(scope.trust, UnsetType):
        return _by_trust(connection, user, scope.trust.id)
    if not isinstance(scope.system, UnsetType):
        roles = grants.effective(connection, user.id, grants.Target(kind="system"))
        kind, project, domain = ScopeKind.SYSTEM, None, None
    elif not isinstance(scope.project, UnsetType):
        found = find_project(connection, scope.project)
        kind, (project, domain) = ScopeKind.PROJECT, found or (None, None)
        roles = _roles_on(connection, user, "project", project)
    else:
        assert not isinstance(scope.domain, UnsetType)
        kind, project, domain = ScopeKind.DOMAIN, None, find_domain(connection, scope.domain)
        roles = _roles_on(connection, user, "domain", domain)
    if not roles or (kind is ScopeKind.SYSTEM and not _whole_system(scope)):
        return Unauthorized(
            f"{REFUSED} User {user.id} has no role on the {kind.name.lower()} asked for, or it is "
            "disabled or does not exist."
        )
    return Granted(kind=kind, project=project, domain=domain, roles=roles)


def _by_trust(connection: Connection, user: Row, trust_id: str) -> Granted | ApiError:
    """The project of a trust, with what its trustor lends there.

    Errors answered: Unauthorized when there is none; Forbidden for another than its trustee, and
    when the trustor no longer has what it lent.
    """
    row = trusts.get(connection, trust_id)
    if row is None or trusts.spent(row):
        return Unauthorized(f"{REFUSED} Trust {trust_id} is not there, expired or used up.")
    if row.trustee_user_id != user.id:
        return Forbidden(f"{FORBIDDEN}: User is not a trustee.")
    trustor = users.get(connection, row.trustor_user_id)
    home = trustor and projects.get_domain(connection, trustor.domain_id)
    roles = trusts.role_names(connection, row)
    if trustor is None or home is None or not home.enabled or roles is None:
        return Forbidden(f"{FORBIDDEN}: Trustee has no delegated roles.")
    bearer = trustor if row.impersonation else user
    if row.project_id is None:
        return Granted(trust=row, bearer=bearer)
    found = find_project(connection, ProjectRef(id=row.project_id))
    if found is None:
        return Unauthorized(f"{REFUSED} The project of trust {trust_id} is disabled.")
    return Granted(
        kind=ScopeKind.PROJECT, project=found[0], domain=found[1], roles=roles, trust=row,
        bearer=bearer,
    )  # fmt: skip


def _whole_system(scope: Scope) -> bool:
    return not isinstance(scope.system, UnsetType) and scope.system.all


def _roles_on(connection: Connection, user: Row, kind: str, row: Row | None) -> dict[str, str]:
    if row is None:
        return {}
    return grants.effective(connection, user.id, grants.Target(kind=kind, id=row.id))
