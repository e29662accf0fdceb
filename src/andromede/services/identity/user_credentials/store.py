"""The rows of credentials. The blob is wrapped by the keys role; no secret is in the database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.services.identity.rows import Row, by_id

TOTP, EC2 = "totp", "ec2"
TRIES = 5  # wrong passcodes in a row
PAUSE = 300  # seconds without a try, after which there are as many again

credential = table(
    "credential",
    metadata,
    identifier("id", primary_key=True),
    identifier("user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    identifier("project_id", nullable=True),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("access_hash", sa.String(64), nullable=True),  # of EC2 ones
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),  # of TOTP: the last that was used
    sa.Column("tries", sa.Integer, nullable=False),  # since one was right
    sa.Column("tried_at", Moment, nullable=False),
    # made while another than its user may have known the user's password
    sa.Column("password_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_credential_user", "user_id", "type"),
    sa.Index(None, "user_id", "id"),
    sa.Index("ix_credential_access", "access_hash", unique=True),
)


def get(connection: Connection, credential_id: str) -> Row | None:
    return by_id(connection, credential, credential_id)


def hash_of(access: str) -> str:
    """How an access key is found. Source: the identity API's ids of ec2 credentials."""
    return hashlib.sha256(access.encode()).hexdigest()


def by_access(connection: Connection, access: str) -> Row | None:
    """The EC2 credential with an access key."""
    wanted = credential.c.access_hash == hash_of(access)
    return connection.execute(sa.select(credential).where(wanted)).first()


def insert(connection: Connection, row: dict[str, Any]) -> None:
    fresh = {"last_step": 0, "tries": 0, "tried_at": 0, "access_hash": None}
    connection.execute(sa.insert(credential), {**fresh, **row})


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


def delete_of_known_password(connection: Connection, user_id: str) -> None:
    """Delete a user's EC2 credentials that somebody who knew its password may have made."""
    columns = credential.c
    connection.execute(
        sa.delete(credential).where(
            columns.user_id == user_id, columns.type == EC2, columns.password_known.is_(True)
        )
    )


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
