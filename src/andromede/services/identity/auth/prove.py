"""The methods of authentication: whom a client claims to be, and which secrets would prove it.

All reads happen here, in one snapshot; the secrets are checked later, outside of it.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from andromede import clock
from andromede.cloud import Cloud
from andromede.db import Connection
from andromede.http.errors import ApiError, BadRequest, Forbidden, NotFound, Unauthorized
from andromede.services.identity import passwords
from andromede.services.identity.auth import factors, mfa
from andromede.services.identity.auth.factors import Passcode
from andromede.services.identity.auth.schema import (
    Auth,
    CredentialMethod,
    PasswordMethod,
    Scope,
    TokenMethod,
    TotpMethod,
    UserRef,
)
from andromede.services.identity.auth.scope import check_reference, check_scope, find_domain
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.projects import store as projects
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens.seal import KeyRing
from andromede.services.identity.tokens.strength import REFUSED
from andromede.services.identity.tokens.token import ScopeKind, Token
from andromede.services.identity.tokens.verify import Dead, verify
from andromede.services.identity.user_credentials import store as passcodes
from andromede.services.identity.users import compliance
from andromede.services.identity.users import store as users

METHODS = mfa.METHODS


class Claim(Struct, kw_only=True):
    """Who a client says it is. `secrets` are pairs of a stored hash and what was given for it;
    `false` says why the claim fails even when they match, for the log alone."""

    user: Any = None
    secrets: list[tuple[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    passcode: Passcode | None = None
    credential: Any = None
    parent: Token | None = None
    by_password: bool = False
    expired: bool = False
    dead: bool = False  # the token that was to be exchanged
    false: str = ""
    refusal: ApiError | None = None

    def deny(self, why: str) -> None:
        self.false = self.false or why

    def name(self, user: Row | None, why: str) -> None:
        """Take the user one method names; all methods must name the same."""
        if user is None:
            self.deny(why)
        elif self.user is not None and self.user.id != user.id:
            self.deny("the methods name different users")
        else:
            self.user = user


def check(auth: Auth, *, receipt: bool = False) -> None:
    """Refuse a body that cannot be a login, or the rest of one that a receipt begins.

    Errors: BadRequest naming what is missing; Unauthorized for a method that is not served.
    """
    for method in auth.identity.methods:
        if method not in METHODS:
            raise Unauthorized(
                f"Attempted to authenticate with an unsupported method: {method}. Supported: "
                f"{', '.join(METHODS)}."
            )
        if getattr(auth.identity, method) is UNSET:
            raise BadRequest(
                f"Expecting to find {method} in identity. The server could not comply with the "
                "request since it is either malformed or otherwise incorrect. The client is "
                "assumed to be in error."
            )
    if not auth.identity.methods:
        raise BadRequest("Invalid input for field identity/methods: at least one is needed.")
    if auth.identity.methods == ["totp"] and not receipt:
        raise Unauthorized(
            "Attempted to authenticate with totp alone, which is a second factor: it is accepted "
            "beside password or token, or after them with the header Openstack-Auth-Receipt."
        )
    for name in ("password", "totp"):
        method = getattr(auth.identity, name)
        if method is not UNSET:
            _check_user(method.user, f"identity/{name}/user")
    credential = auth.identity.application_credential
    if not isinstance(credential, UnsetType):
        _check_credential(credential)
        if "application_credential" in auth.identity.methods and auth.scope is not UNSET:
            raise Unauthorized(
                "Error authenticating with application credential: Application credentials cannot "
                "request a scope."
            )
    check_scope(auth.scope)


def _check_user(user: UserRef, path: str) -> None:
    check_reference(user, path)
    if user.id is UNSET and user.domain is UNSET:
        raise BadRequest(f"Invalid input for field {path}: a name needs a domain.")


def _check_credential(credential: CredentialMethod) -> None:
    path = "identity/application_credential"
    if credential.id is UNSET:
        if credential.name is UNSET or isinstance(credential.user, UnsetType):
            raise BadRequest(f"Invalid input for field {path}: an id, or a name and a user.")
        _check_user(credential.user, f"{path}/user")


def claim(connection: Connection, ring: KeyRing, auth: Auth, receipt: str | None = None) -> Claim:
    """Read everything the methods speak of; a receipt adds those that were passed before."""
    found = Claim(methods=list(dict.fromkeys(auth.identity.methods)))
    identity = auth.identity
    if "password" in found.methods and not isinstance(identity.password, UnsetType):
        _by_password(connection, identity.password, found)
    if "application_credential" in found.methods:
        assert not isinstance(identity.application_credential, UnsetType)
        _by_credential(connection, identity.application_credential, found)
    if "token" in found.methods and not isinstance(identity.token, UnsetType):
        _by_token(connection, ring, identity.token, auth.scope, found)
    if "totp" in found.methods and not isinstance(identity.totp, UnsetType):
        _by_passcode(connection, identity.totp, found)
    if receipt is not None:
        _by_receipt(connection, ring, receipt, found)
    return found


def find_user(connection: Connection, reference: UserRef) -> Row | None:
    """A user in an enabled domain, by id, or by name and domain."""
    if isinstance(reference.id, str):
        row = users.get(connection, reference.id)
        domain = row and projects.get_domain(connection, row.domain_id)
        return row if domain is not None and domain.enabled else None
    assert isinstance(reference.name, str)
    assert not isinstance(reference.domain, UnsetType)
    domain = find_domain(connection, reference.domain)
    return domain and users.by_name(connection, domain.id, reference.name)


def _by_password(connection: Connection, method: PasswordMethod, found: Claim) -> None:
    row = find_user(connection, method.user)
    found.name(row, "there is no such user, or its domain is disabled")
    stored = row.password_hash if row is not None else None
    if stored is None:
        found.deny("the user has no password")
    found.by_password = True
    found.expired = row is not None and compliance.expired(row)
    found.secrets.append((stored or passwords.NOBODY, method.user.password))


def _by_passcode(connection: Connection, method: TotpMethod, found: Claim) -> None:
    row = find_user(connection, method.user)
    found.name(row, "there is no such user, or its domain is disabled")
    held = () if row is None else passcodes.of_user(connection, row.id, passcodes.TOTP)
    found.passcode = Passcode(method.user.passcode, held)


def _by_receipt(connection: Connection, ring: KeyRing, text: str, found: Claim) -> None:
    receipt = mfa.read(connection, ring, text)
    if receipt is None:
        found.deny("the receipt is none, or is over")
        return
    found.name(users.get(connection, receipt.user_id), "the receipt's user is gone")
    found.methods = list(dict.fromkeys([*receipt.methods, *found.methods]))


def _by_credential(connection: Connection, method: CredentialMethod, found: Claim) -> None:
    row = None
    if isinstance(method.id, str):
        row = credentials.get(connection, method.id)
    elif isinstance(method.name, str) and not isinstance(method.user, UnsetType):
        owner = find_user(connection, method.user)
        row = owner and credentials.by_name(connection, owner.id, method.name)
    user = row and find_user(connection, UserRef(id=row.user_id))
    found.name(user, "there is no such application credential, or its user's domain is disabled")
    if row is not None and row.expires_at is not None and row.expires_at <= clock.now():
        found.deny("the application credential expired")
    found.credential = row
    found.secrets.append((row.secret_hash if row is not None else passwords.NOBODY, method.secret))


def _by_token(
    connection: Connection,
    ring: KeyRing,
    method: TokenMethod,
    scope: Scope | str | UnsetType,
    found: Claim,
) -> None:
    try:
        token = verify(connection, ring, method.id)
    except Dead as dead:
        found.deny(str(dead))
        found.dead = True
        return
    found.parent = token
    found.name(users.get(connection, token.user_id), "the token's user is gone")
    found.methods += [each for each in token.methods if each not in found.methods]
    lent = token.trust_id is not None or "ec2credential" in token.methods
    if token.credential_id is not None or lent:
        found.refusal = Forbidden(
            f"{FORBIDDEN}: Using a delegated token to create another token is not allowed."
        )
    if token.kind is ScopeKind.SYSTEM and _narrows(scope):
        found.refusal = Forbidden(
            f"{FORBIDDEN}: Using a system-scoped token to create a project-scoped or "
            "domain-scoped token is not allowed."
        )


FORBIDDEN = "You are not authorized to perform the requested action"


def _narrows(scope: Scope | str | UnsetType) -> bool:
    return isinstance(scope, Scope) and (scope.project is not UNSET or scope.domain is not UNSET)


def prove(found: Claim, cloud: Cloud) -> None:
    """Check the secrets, all of them whatever the claim is worth, and then a passcode: only who
    has the other factor has tries at it.

    Errors: NotFound for a dead token, as upstream; Unauthorized, which never says what failed, but
    who has the right password is told that it is too old.
    """
    if found.dead:
        raise NotFound(f"Failed to validate token: {found.false}.")
    rules, user = cloud.config.security_compliance, found.user
    if user is not None and not compliance.enabled(user, rules):
        found.deny("the user is disabled, or was away too long")
    first = found.by_password and user is not None
    if first and not compliance.begin_attempt(cloud.database, user, rules):
        found.deny("the user is locked")
    for stored, given in found.secrets:
        if not passwords.matches(stored, given):
            found.deny("a wrong secret")
    if found.passcode is not None and not found.false and found.user is not None:
        assert cloud.keys is not None
        found.false = factors.prove(cloud.database, cloud.keys, found.passcode)
    if found.false or user is None:
        raise Unauthorized(REFUSED)
    if found.expired:
        raise Unauthorized(
            f"The password is expired and needs to be changed for user: {user.id}. "
            f"POST /v3/users/{user.id}/password changes it."
        )
    compliance.succeeded(cloud.database, user, rules, by_password=found.by_password)
