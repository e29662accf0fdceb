"""The rows of consents: asked for by operators or given by customers, each used up by its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Json, Moment, identifier, table

consent = table(
    "consent",
    metadata,
    identifier("id", primary_key=True),
    identifier("project_id", nullable=False),
    identifier("operator", nullable=True),  # the user it is for; null: any operator
    sa.Column("kinds", Json, nullable=False),
    sa.Column("resource", sa.String(255), nullable=True),  # null: all of the project's
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("emergency", sa.Boolean, nullable=False),
    sa.Column("seconds", sa.BigInteger, nullable=False),  # how long it lasts once granted
    identifier("requested_by", nullable=True),
    sa.Column("created_at", Moment, nullable=False),
    identifier("granted_by", nullable=True),
    sa.Column("since", Moment, nullable=True),
    sa.Column("until", Moment, nullable=True),
    identifier("ended_by", nullable=True),
    sa.Column("ended_at", Moment, nullable=True),
    sa.Column("ended_as", sa.String(16), nullable=True),  # refused or revoked
    sa.Index("ix_consent_project", "project_id", "created_at", "id"),
    sa.Index("ix_consent_created", "created_at", "id"),
    sa.Index("ix_consent_until", "project_id", "until"),
    sa.Index("ix_consent_emergency", "emergency", "created_at", "id"),
)

Row = sa.RowMapping


def insert(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(sa.insert(consent), row)


def get(connection: Connection, consent_id: str) -> Row | None:
    return (
        connection.execute(sa.select(consent).where(consent.c.id == consent_id)).mappings().first()
    )


def change(connection: Connection, consent_id: str, **values: Any) -> None:
    connection.execute(sa.update(consent).where(consent.c.id == consent_id).values(**values))


def page(
    connection: Connection,
    after: Row | None,
    limit: int,
    *,
    project_id: str | None = None,
    emergency: bool | None = None,
) -> list[Row]:
    """Consents after another, oldest first; None: of every project, of either sort."""
    where: list[sa.ColumnElement[bool]] = []
    if project_id is not None:
        where.append(consent.c.project_id == project_id)
    if emergency is not None:
        where.append(consent.c.emergency.is_(emergency))
    order = (consent.c.created_at, consent.c.id)
    if after is not None:
        where.append(sa.tuple_(*order) > sa.tuple_(after["created_at"], after["id"]))
    wanted = sa.select(consent).where(*where).order_by(*order).limit(limit)
    return list(connection.execute(wanted).mappings())


def newest(connection: Connection, project_id: str, before: Row | None, limit: int) -> list[Row]:
    """A project's consents before another, newest first."""
    where = [consent.c.project_id == project_id]
    order = (consent.c.created_at, consent.c.id)
    if before is not None:
        where.append(sa.tuple_(*order) < sa.tuple_(before["created_at"], before["id"]))
    wanted = sa.select(consent).where(*where).order_by(*(each.desc() for each in order))
    return list(connection.execute(wanted.limit(limit)).mappings())


def count(connection: Connection, project_id: str) -> int:
    """How many consents of a project there are."""
    wanted = sa.select(sa.func.count()).select_from(consent)
    return connection.execute(wanted.where(consent.c.project_id == project_id)).scalar_one()


def emergencies_of(connection: Connection, project_id: str) -> set[str]:
    """The ids of a project's emergency accesses."""
    wanted = sa.select(consent.c.id).where(
        consent.c.project_id == project_id, consent.c.emergency.is_(True)
    )
    return set(connection.execute(wanted).scalars())


def active(connection: Connection, project_id: str, now: int | None = None) -> list[Row]:
    """The consents of a project that are in force now."""
    moment = clock.now() if now is None else now
    wanted = sa.select(consent).where(
        consent.c.project_id == project_id,
        consent.c.until > moment,
        consent.c.since <= moment,
        consent.c.ended_at.is_(None),
    )
    return list(connection.execute(wanted.order_by(consent.c.until.desc())).mappings())


def end_of(connection: Connection, project_ids: Sequence[str], actor: str) -> int:
    """Revoke every consent of projects that are being deleted, and every request that waits; how
    many."""
    now = clock.now()
    living = sa.or_(consent.c.until.is_(None), consent.c.until > now)
    ending = sa.update(consent).where(
        consent.c.project_id.in_(project_ids), consent.c.ended_at.is_(None), living
    )
    values = {"ended_by": actor, "ended_at": now, "ended_as": "revoked"}
    return connection.execute(ending.values(**values)).rowcount


def emergencies(connection: Connection) -> int:
    """How many emergency accesses were ever opened, for the public."""
    return connection.execute(
        sa.select(sa.func.count())
        .select_from(consent)
        .where(consent.c.emergency.is_(True), consent.c.granted_by.is_not(None))
    ).scalar_one()
