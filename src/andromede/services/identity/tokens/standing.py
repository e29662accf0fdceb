"""Whether what a caller was let in by still stands, long after its request: for what goes on after
a token was verified once."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.services.identity.tokens import store
from andromede.services.identity.tokens.token import ScopeKind, Token
from andromede.services.identity.tokens.verify import Dead, lenders


def epoch(connection: Connection) -> int:
    """The revocation epoch of now, to compare with later."""
    return store.current_epoch(connection)


def stands(connection: Connection, caller: Caller, since: int) -> bool:
    """Whether nothing that the caller's token rests on was revoked since an epoch. That the token
    itself expired meanwhile counts for nothing."""
    names = store.subjects(_token(caller))
    if caller.trust_id is not None:
        try:
            names += lenders(connection, caller.trust_id)
        except Dead:
            return False
    return store.last_epoch(connection, names) <= since


def _token(caller: Caller) -> Token:
    """As much of the caller's token as it rests on."""
    kind, scope = ScopeKind.UNSCOPED, None
    if caller.system:
        kind = ScopeKind.SYSTEM
    elif caller.project_id is not None:
        kind, scope = ScopeKind.PROJECT, caller.project_id
    elif caller.domain_id is not None:
        kind, scope = ScopeKind.DOMAIN, caller.domain_id
    return Token(
        user_id=caller.user_id, user_domain_id=caller.user_domain_id, kind=kind, scope_id=scope,
        scope_domain_id=caller.project_domain_id, roles=tuple(sorted(caller.roles)),
        audit_id=caller.audit_id, credential_id=caller.application_credential_id,
    )  # fmt: skip
