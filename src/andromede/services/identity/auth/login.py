"""Logging in: claim, proof, scope, token. No write, and no snapshot held while a hash is computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from msgspec import Struct, UnsetType

from andromede import clock
from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.errors import ApiError, Forbidden, Unauthorized
from andromede.http.operation import Reply
from andromede.services.identity.auth import mfa, prove
from andromede.services.identity.auth.render import render
from andromede.services.identity.auth.schema import Auth, ProjectRef, Scope
from andromede.services.identity.auth.scope import Granted, default_scope, grant
from andromede.services.identity.credentials import store as credentials
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.tokens import strength
from andromede.services.identity.tokens.seal import KeyRing, key_ring
from andromede.services.identity.tokens.strength import REFUSED
from andromede.services.identity.tokens.token import (
    LIFETIME,
    ScopeKind,
    Token,
    new_audit_id,
    pack,
)
from andromede.services.identity.tokens.verify import operators, refuse_operator
from andromede.services.identity.trusts import store as trusts
from andromede.sovereignty.consent import places

log = structlog.get_logger("identity")


class Attempt(Struct, kw_only=True):
    """A login as one snapshot saw it; its answer stands once the claim is proven."""

    claim: prove.Claim
    token: Token | None = None
    body: dict[str, Any] | None = None
    refusal: ApiError | None = None
    trust: Any = None  # the row of the trust it goes by
    challenge: Reply | None = None  # what asks for more methods


def ring_of(context: Context) -> KeyRing:
    keys = context.cloud.keys
    if keys is None:
        raise RuntimeError("this process has no way to the token keys")
    return key_ring(keys)


def login(context: Context) -> Reply:
    """`POST /v3/auth/tokens`: 201 with the token in X-Subject-Token.

    Errors: BadRequest for a malformed body; Unauthorized; Forbidden for a token that may not be
    exchanged.
    """
    auth: Auth = context.body.auth
    receipt = context.headers.get(mfa.HEADER.lower())
    prove.check(auth, receipt=receipt is not None)
    with context.cloud.database.read() as connection:
        claim = prove.claim(connection, ring_of(context), auth, receipt)
        attempt = judged(connection, context, claim, auth.scope)
        if claim.user is not None and (rules := mfa.missing(claim.user, claim.methods)):
            attempt.challenge = mfa.challenge(
                connection, ring_of(context), claim.user, claim.methods, rules
            )
    return conclude(context, attempt, lambda: prove.prove(claim, context.cloud))


def conclude(
    context: Context, attempt: Attempt, check: Callable[[], None], status: int = 201
) -> Reply:
    """The token of an attempt, once `check` found the claim proven.

    Errors: as `check`, and why the attempt is refused.
    """
    try:
        check()
        if attempt.claim.false:
            raise Unauthorized(REFUSED)
        if attempt.challenge is not None:
            return attempt.challenge
        if attempt.refusal is not None:
            raise attempt.refusal
        _use_trust(context, attempt)
    except ApiError as error:
        _record(context, attempt, error)
        raise
    assert attempt.token is not None
    _record(context, attempt, None)
    token = ring_of(context).seal(pack(attempt.token))
    return Reply(status, attempt.body, {"X-Subject-Token": token, **VARY})


VARY = {"Vary": "X-Auth-Token"}


def _use_trust(context: Context, attempt: Attempt) -> None:
    """Take one of the uses of a trust that has a number of them.

    Errors: Forbidden when another request took the last one.
    """
    row = attempt.trust
    if row is None or row.remaining_uses is None:
        return
    if not context.cloud.database.transact(partial(trusts.use, trust_id=row.id)):
        raise Forbidden(f"No remaining uses for trust: {row.id}.")


def _record(context: Context, attempt: Attempt, error: ApiError | None) -> None:
    claim, token = attempt.claim, attempt.token
    say = log.info if error is None else log.warning
    say(
        "login" if error is None else "login refused",
        user_id=claim.user.id if claim.user is not None else None,
        methods=claim.methods,
        scope=token.kind.name.lower() if token is not None else None,
        scope_id=token.scope_id if token is not None else None,
        audit_id=token.audit_id if token is not None and error is None else None,
        remote=context.remote,
        listener=context.listener,
        why=(claim.false or error.message) if error is not None else None,
    )


def judged(
    connection: Connection, context: Context, claim: prove.Claim, scope: Scope | str | UnsetType
) -> Attempt:
    """What the claim gets, if it is proven."""
    attempt = Attempt(claim=claim, refusal=claim.refusal)
    if claim.user is None or claim.false or attempt.refusal is not None:
        return attempt
    granted = _granted(connection, claim, scope)
    if isinstance(granted, ApiError):
        attempt.refusal = granted
        return attempt
    names = tuple(sorted(granted.roles.values()))
    if context.listener == "public" and operators(granted.kind, names):
        attempt.refusal = refuse_operator()
        return attempt
    if operators(granted.kind, names):
        attempt.refusal = _operators_refusal(connection, context, claim)
        if attempt.refusal is not None:
            return attempt
    attempt.trust = granted.trust
    attempt.token = _token(connection, claim, granted, names)
    attempt.body = render(connection, context, attempt.token, names)
    return attempt


def _operators_refusal(
    connection: Connection, context: Context, claim: prove.Claim
) -> ApiError | None:
    """Why an operator may not come so: from this place, or with one factor."""
    try:
        places.require(connection, context.remote)
    except ApiError as refused:
        context.concerns(claim.user.id)
        return refused
    held = claim.credential
    return strength.refusal(connection, claim.methods, held.id if held is not None else None)


def _granted(
    connection: Connection, claim: prove.Claim, scope: Scope | str | UnsetType
) -> Granted | ApiError:
    if claim.credential is not None:
        return _credential_scope(connection, claim)
    if isinstance(scope, UnsetType):
        return default_scope(connection, claim.user)
    return grant(connection, claim.user, scope)


def _credential_scope(connection: Connection, claim: prove.Claim) -> Granted | ApiError:
    """The credential's project, with those of its roles that the user still holds there."""
    row = claim.credential
    found = grant(connection, claim.user, Scope(project=ProjectRef(id=row.project_id)))
    if isinstance(found, ApiError):
        return found
    allowed = set(credentials.role_ids(connection, [row.id])[row.id])
    kept = {each: name for each, name in found.roles.items() if each in allowed}
    if not kept:
        return Unauthorized(
            f"{REFUSED} Application credential {row.id} carries no role that its user still has."
        )
    return Granted(kind=found.kind, project=found.project, domain=found.domain, roles=kept)


def _token(
    connection: Connection, claim: prove.Claim, granted: Granted, names: tuple[str, ...]
) -> Token:
    now = clock.now() // clock.SECOND
    parent = claim.parent
    domain, bearer = granted.domain, granted.bearer or claim.user
    scope = granted.project if granted.kind is ScopeKind.PROJECT else domain
    return Token(
        user_id=bearer.id,
        user_domain_id=bearer.domain_id,
        kind=granted.kind,
        scope_id=scope.id if scope is not None else None,
        scope_domain_id=domain.id if granted.kind is ScopeKind.PROJECT else None,
        roles=names,
        methods=tuple(claim.methods),
        issued_at=now,
        expires_at=_expiry(claim, granted, now),
        epoch=revocations.current_epoch(connection),
        audit_id=new_audit_id(),
        parent_audit_id=(parent.parent_audit_id or parent.audit_id) if parent else None,
        credential_id=claim.credential.id if claim.credential is not None else None,
        restricted=claim.credential is not None and not claim.credential.unrestricted,
        trust_id=granted.trust.id if granted.trust is not None else None,
    )


def _expiry(claim: prove.Claim, granted: Granted, now: int) -> int:
    """An exchanged token keeps its end; none outlives its application credential or its trust."""
    end = claim.parent.expires_at if claim.parent is not None else now + LIFETIME
    for row in (claim.credential, granted.trust):
        if row is not None and row.expires_at is not None:
            end = min(end, row.expires_at // clock.SECOND)
    return end
