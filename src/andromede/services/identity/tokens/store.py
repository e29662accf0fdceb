"""Revocation: the last epoch at which all tokens that rest on a subject died.

A token carries the epoch it was issued at, read in the same snapshot as its user and roles. One
indexed read of its subjects' epochs tells whether anything it rests on changed since.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.plain import Statement, listing, members
from andromede.db.types import Moment, table
from andromede.http.errors import BadRequest
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens.token import LIFETIME, ScopeKind, Token

EXPIRED_WINDOW = 48 * 3600  # seconds an expired token can still be asked about (allow_expired)
KEPT = (LIFETIME + EXPIRED_WINDOW + 60) * clock.SECOND  # for how long a revocation matters

revocation = table(
    "revocation",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("until", Moment, nullable=False),  # then no token it kills is left
    sa.Index(None, "until", "subject"),
)
revocation_clock = table(
    "revocation_clock",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
)


def user_subject(user_id: str) -> str:
    return f"user:{user_id}"


def grant_subject(user_id: str, target_id: str) -> str:
    """A user's roles on one project, domain, or on `system`."""
    return f"grant:{user_id}:{target_id}"


def project_subject(project_id: str) -> str:
    return f"project:{project_id}"


def domain_subject(domain_id: str) -> str:
    return f"domain:{domain_id}"


def role_subject(name: str) -> str:
    return f"role:{name}"


def audit_subject(audit_id: str) -> str:
    return f"audit:{audit_id}"


def credential_subject(credential_id: str) -> str:
    return f"credential:{credential_id}"


def subjects(token: Token) -> list[str]:
    """Everything a token rests on."""
    found = [
        user_subject(token.user_id),
        domain_subject(token.user_domain_id),
        audit_subject(token.audit_id),
        *(role_subject(name) for name in token.roles or ()),
    ]
    if token.kind is ScopeKind.SYSTEM:
        found.append(grant_subject(token.user_id, "system"))
    elif token.scope_id is not None:
        found.append(grant_subject(token.user_id, token.scope_id))
        if token.kind is ScopeKind.DOMAIN:
            found.append(domain_subject(token.scope_id))
        else:
            found.append(project_subject(token.scope_id))
            if token.scope_domain_id not in (None, token.user_domain_id):
                found.append(domain_subject(str(token.scope_domain_id)))
    if token.credential_id is not None:
        found.append(credential_subject(token.credential_id))
    return found


@functools.lru_cache(maxsize=64)
def _newest(count: int) -> Statement:
    return Statement(
        f"SELECT max(epoch) FROM revocation WHERE subject IN ({listing(count)})"  # noqa: S608
    )


def last_epoch(connection: Connection, names: Sequence[str]) -> int:
    """The newest epoch at which one of the subjects was revoked; 0 when none was."""
    newest = _newest(len(names)).first(connection, members(names))
    return int(newest[0]) if newest and newest[0] is not None else 0


def current_epoch(connection: Connection) -> int:
    """The epoch a token issued from this snapshot carries."""
    return connection.execute(sa.select(revocation_clock.c.epoch)).scalar() or 0


def revoke(connection: Connection, names: Iterable[str]) -> None:
    """Kill every token that rests on one of the subjects and was issued before this commit."""
    wanted = sorted(set(names))
    if not wanted:
        return
    epoch = _advance(connection)
    moment = clock.now()
    connection.execute(sa.delete(revocation).where(revocation.c.until < moment))
    until = moment + KEPT
    for at in range(0, len(wanted), 500):
        part = wanted[at : at + 500]
        connection.execute(sa.delete(revocation).where(revocation.c.subject.in_(part)))
        connection.execute(
            sa.insert(revocation),
            [{"subject": name, "epoch": epoch, "until": until} for name in part],
        )


def events(connection: Connection, since: int, marker: str | None, size: int) -> Sequence[Row]:
    """Revocations that matter until `since` or later, in the order of that, after a marker.

    Errors: BadRequest for a marker that is none.
    """
    key = (revocation.c.until, revocation.c.subject)
    statement = sa.select(revocation).where(revocation.c.until >= since).order_by(*key)
    if marker is not None:
        until, _, subject = marker.partition("|")
        if not (until.isascii() and until.isdigit() and len(until) < 19):
            raise BadRequest(f"Marker {marker} could not be found.")
        after = sa.tuple_(sa.literal(int(until)), sa.literal(subject))
        statement = statement.where(sa.tuple_(*key) > after)
    return connection.execute(statement.limit(size)).all()


def _advance(connection: Connection) -> int:
    changed = connection.execute(
        sa.update(revocation_clock).values(epoch=revocation_clock.c.epoch + 1)
    )
    if changed.rowcount == 0:
        connection.execute(sa.insert(revocation_clock), {"id": 1, "epoch": 1})
    return current_epoch(connection)
