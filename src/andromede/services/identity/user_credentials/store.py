"""The rows of credentials. The blob is wrapped by the keys role; no secret is in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.services.identity.rows import Row, by_id

TOTP = "totp"
TRIES = 5  # wrong passcodes in a row
PAUSE = 300  # seconds without a try, after which there are as many again

credential = table(
    "credential",
    metadata,
    identifier("id", primary_key=True),
    identifier("user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    identifier("project_id", nullable=True),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),  # of TOTP: the last that was used
    sa.Column("tries", sa.Integer, nullable=False),  # since one was right
    sa.Column("tried_at", Moment, nullable=False),
    sa.Index("ix_credential_user", "user_id", "type"),
)


def get(connection: Connection, credential_id: str) -> Row | None:
    return by_id(connection, credential, credential_id)


def insert(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(sa.insert(credential), {"last_step": 0, "tries": 0, "tried_at": 0, **row})


def change(connection: Connection, credential_id: str, values: dict[str, Any]) -> None:
    """Write some columns; a new secret has seen no passcode."""
    if "wrapped" in values:
        values = {**values, "last_step": 0, "tries": 0, "tried_at": 0}
    if values:
        connection.execute(
            sa.update(credential).where(credential.c.id == credential_id).values(**values)
        )


def delete(connection: Connection, credential_id: str) -> None:
    connection.execute(sa.delete(credential).where(credential.c.id == credential_id))


def of_user(connection: Connection, user_id: str, kind: str) -> Sequence[Row]:
    """A user's credentials of one type."""
    return connection.execute(
        sa.select(credential)
        .where(credential.c.user_id == user_id, credential.c.type == kind)
        .order_by(credential.c.id)
    ).all()


def begin_try(connection: Connection, credential_id: str) -> bool:
    """Count a try of a passcode before it is looked at; False when there were too many."""
    now = clock.now()
    rested = credential.c.tried_at <= now - PAUSE * clock.SECOND
    changed = connection.execute(
        sa.update(credential)
        .where(credential.c.id == credential_id, sa.or_(rested, credential.c.tries < TRIES))
        .values(tries=sa.case((rested, 1), else_=credential.c.tries + 1), tried_at=now)
    )
    return changed.rowcount > 0


def use_step(connection: Connection, credential_id: str, step: int) -> bool:
    """Take a step's passcode as used, and forget what its user tried wrong; False when it, or a
    later one, was used before."""
    changed = connection.execute(
        sa.update(credential)
        .where(credential.c.id == credential_id, credential.c.last_step < step)
        .values(last_step=step)
    )
    if changed.rowcount == 0:
        return False
    user = sa.select(credential.c.user_id).where(credential.c.id == credential_id)
    connection.execute(
        sa.update(credential).where(credential.c.user_id == user.scalar_subquery()).values(tries=0)
    )
    return True
