"""What a client sends to log in.

Source: the identity API's `POST /v3/auth/tokens`. Members it does not name are ignored, as
upstream ignores them.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field


class DomainRef(Struct):
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class UserRef(Struct):
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    domain: DomainRef | UnsetType = UNSET


class PasswordUser(UserRef, kw_only=True):
    password: str


class PasswordMethod(Struct):
    user: PasswordUser


class TotpUser(UserRef, kw_only=True):
    passcode: str


class TotpMethod(Struct):
    user: TotpUser


class TokenMethod(Struct):
    id: str


class CredentialMethod(Struct):
    secret: str
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    user: UserRef | UnsetType = UNSET


class Identity(Struct):
    methods: list[str]
    password: PasswordMethod | UnsetType = UNSET
    token: TokenMethod | UnsetType = UNSET
    application_credential: CredentialMethod | UnsetType = UNSET
    totp: TotpMethod | UnsetType = UNSET


class ProjectRef(Struct):
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    domain: DomainRef | UnsetType = UNSET


class SystemRef(Struct):
    all: bool


class TrustRef(Struct):
    id: str


class Scope(Struct):
    """Exactly one member is set."""

    project: ProjectRef | UnsetType = UNSET
    domain: DomainRef | UnsetType = UNSET
    system: SystemRef | UnsetType = UNSET
    unscoped: Any | UnsetType = UNSET
    trust: TrustRef | UnsetType = field(default=UNSET, name="OS-TRUST:trust")


class Auth(Struct):
    identity: Identity
    scope: Scope | str | UnsetType = UNSET


class AuthBody(Struct):
    auth: Auth
