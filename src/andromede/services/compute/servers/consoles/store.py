"""The rows of tokens that open consoles. The only SQL of this noun.

A token itself is kept nowhere: its row is found by the token's hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.http.access import Caller

token = table(
    "console_token",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),  # SHA-256 of the token, hexadecimal
    identifier("server_id", sa.ForeignKey("server.id", ondelete="CASCADE"), nullable=False),
    sa.Column("type", sa.String(16), nullable=False),  # "novnc" or "serial"
    sa.Column("caller", sa.Text, nullable=False),  # who asked, as JSON
    sa.Column("epoch", sa.BigInteger, nullable=False),  # of revocation, when it was asked for
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=True),  # when it was opened first
    sa.Column("browser", sa.String(64), nullable=True),  # SHA-256 of what that browser keeps
    sa.Index("ix_console_token_server", "server_id"),
    sa.Index("ix_console_token_expiry", "expires_at"),
)


class Issued(Struct, frozen=True, kw_only=True):
    """A token's row, of one that did not expire."""

    server_id: str
    type: str
    caller: Caller
    epoch: int
    expires_at: int


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def add(conn: Connection, text: str, issued: Issued) -> None:
    """Keep a new token's row, and forget those that expired."""
    now = clock.now()
    conn.execute(sa.delete(token).where(token.c.expires_at <= now))
    values: Mapping[str, Any] = {
        "digest": digest(text), "server_id": issued.server_id, "type": issued.type,
        "caller": msgspec.json.encode(issued.caller).decode(), "epoch": issued.epoch,
        "expires_at": issued.expires_at, "used_at": None, "browser": None,
    }  # fmt: skip
    conn.execute(sa.insert(token).values(values))


def get(conn: Connection, text: str) -> Issued | None:
    """What a token opens; None for one that is unknown or expired."""
    row = conn.execute(
        sa.select(token).where(token.c.digest == digest(text), token.c.expires_at > clock.now())
    ).first()
    if row is None:
        return None
    return Issued(
        server_id=row.server_id, type=row.type, epoch=row.epoch, expires_at=row.expires_at,
        caller=msgspec.json.decode(row.caller, type=Caller),
    )  # fmt: skip


def bind(conn: Connection, text: str, secret: str) -> bool:
    """Open a token for the first time: from now on it is of the browser that keeps the secret.

    False when it was opened before.
    """
    used = conn.execute(
        sa.update(token)
        .where(token.c.digest == digest(text), token.c.used_at.is_(None))
        .values(used_at=clock.now(), browser=digest(secret))
    )
    return used.rowcount == 1


def bound(conn: Connection, text: str, secret: str) -> bool:
    """Whether a token is of the browser that keeps the secret."""
    kept = conn.execute(sa.select(token.c.browser).where(token.c.digest == digest(text))).scalar()
    return kept is not None and hmac.compare_digest(str(kept), digest(secret))


def forget(conn: Connection, server_id: str) -> None:
    """Forget a server's tokens: it is no more."""
    conn.execute(sa.delete(token).where(token.c.server_id == server_id))
