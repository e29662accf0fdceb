"""Verification of tokens, the first thing every request of every service does."""

from __future__ import annotations

from andromede import clock
from andromede.cloud import Authenticate, Keys
from andromede.db import Connection
from andromede.http.access import AccessRule, Caller
from andromede.http.errors import Unauthorized
from andromede.services.identity.access_rules import store as access_rules
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.grants import store as grants
from andromede.services.identity.tokens import store, strength
from andromede.services.identity.tokens.seal import Broken, KeyRing, key_ring
from andromede.services.identity.tokens.strength import REFUSED
from andromede.services.identity.tokens.token import ScopeKind, Token, unpack
from andromede.services.identity.trusts import store as trusts
from andromede.services.identity.users import store as users


class Dead(Exception):
    """The token is not one of this cloud's, expired, or was revoked."""


def verify(connection: Connection, ring: KeyRing, text: str, *, grace: int = 0) -> Token:
    """The token's content, when it is alive. `grace`: seconds after its expiry that are forgiven.

    Errors: Dead.
    """
    try:
        token = unpack(ring.open(text))
    except Broken as broken:
        raise Dead(str(broken)) from broken
    if (token.expires_at + grace) * clock.SECOND <= clock.now():
        raise Dead("the token expired")
    names = store.subjects(token)
    if token.trust_id is not None:
        names += lenders(connection, token.trust_id)
    if store.last_epoch(connection, names) > token.epoch:
        raise Dead("the token was revoked, or what it rests on changed")
    return token


def lenders(connection: Connection, trust_id: str) -> list[str]:
    """What a trust rests on: everyone in its chain, their domains, and the first trustor's roles.

    Errors: Dead when the trust is gone or expired; one that is used up keeps its tokens alive.
    """
    row = trusts.get(connection, trust_id)
    if row is None or (row.expires_at is not None and row.expires_at <= clock.now()):
        raise Dead("the trust it was got by is gone")
    chain = trusts.pedigree(connection, row)
    people = trusts.people(chain)
    homes = {str(user.domain_id) for user in users.several(connection, people)}
    return [
        *(store.user_subject(each) for each in people),
        *(store.domain_subject(each) for each in sorted(homes)),
        store.grant_subject(chain[-1].trustor_user_id, row.project_id or ""),
    ]


def target_of(token: Token) -> grants.Target | None:
    """What the token's roles are held on."""
    if token.kind is ScopeKind.UNSCOPED:
        return None
    if token.kind is ScopeKind.SYSTEM:
        return grants.Target(kind="system")
    return grants.Target(kind=token.kind.name.lower(), id=token.scope_id or "")


def role_names(connection: Connection, token: Token) -> tuple[str, ...]:
    """The token's roles; read from the grants when they did not fit into it."""
    if token.roles is not None:
        return token.roles
    target = target_of(token)
    return () if target is None else effective_names(connection, token, target)


def effective_names(connection: Connection, token: Token, target: grants.Target) -> tuple[str, ...]:
    """The roles the bearer holds now, within those of its application credential if it has one; by
    a trust, those that it gives."""
    if token.trust_id is not None:
        row = trusts.get(connection, token.trust_id)
        assert row is not None, "a living token's trust exists"
        return tuple(sorted((trusts.role_names(connection, row) or {}).values()))
    held = grants.effective(connection, token.user_id, target)
    if token.credential_id is not None:
        allowed = credentials.role_ids(connection, [token.credential_id])[token.credential_id]
        held = {each: name for each, name in held.items() if each in allowed}
    return tuple(sorted(held.values()))


def operators(kind: ScopeKind, roles: tuple[str, ...]) -> bool:
    """Whether a scope with these roles belongs on the private listener alone."""
    return kind is ScopeKind.SYSTEM or "admin" in roles


def refuse_operator() -> Unauthorized:
    return Unauthorized(
        f"{REFUSED} The admin role and system scope are served on the private listener only; "
        "this is the public one."
    )


def caller_of(
    token: Token, roles: tuple[str, ...], rules: tuple[AccessRule, ...] | None = None
) -> Caller:
    """The token's bearer, as handlers see it."""
    project = token.kind is ScopeKind.PROJECT
    return Caller(
        user_id=token.user_id,
        user_domain_id=token.user_domain_id,
        project_id=token.scope_id if project else None,
        project_domain_id=token.scope_domain_id if project else None,
        domain_id=token.scope_id if token.kind is ScopeKind.DOMAIN else None,
        system=token.kind is ScopeKind.SYSTEM,
        roles=frozenset(roles),
        audit_id=token.audit_id,
        issued_at=token.issued_at * clock.SECOND,
        expires_at=token.expires_at * clock.SECOND,
        application_credential_id=token.credential_id,
        restricted=token.restricted,
        methods=token.methods,
        trust_id=token.trust_id,
        access_rules=rules,
    )


def make_authenticate(keys: Keys) -> Authenticate:
    """The function by which a process verifies the tokens of its requests.

    It answers a Caller, or raises Unauthorized: for a token that is unknown, expired or revoked,
    and for one of an operator on the public listener, or of one factor since two are asked for.
    """
    ring = key_ring(keys)

    def authenticate(connection: Connection, text: str, listener: str) -> Caller:
        try:
            token = verify(connection, ring, text)
        except Dead as dead:
            raise Unauthorized(REFUSED) from dead
        roles = role_names(connection, token)
        if operators(token.kind, roles):
            if listener == "public":
                raise refuse_operator()
            weak = strength.refusal(connection, token.methods, token.credential_id)
            if weak is not None:
                raise weak
        rules = None
        if token.credential_id is not None:
            rules = access_rules.of_credential(connection, token.credential_id)
        return caller_of(token, roles, rules)

    return authenticate
