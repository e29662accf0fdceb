"""The rows of machines that died by themselves. The only SQL of this noun."""

from __future__ import annotations

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table

death = table(
    "server_death",
    metadata,
    identifier("server_id", sa.ForeignKey("server.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("in_a_row", sa.Integer, nullable=False),
    sa.Column("last_at", Moment, nullable=False),
)
_NOTE = sa.text(
    "INSERT INTO server_death (server_id, in_a_row, last_at) VALUES (:server_id, :in_a_row, :now)"
    " ON CONFLICT (server_id) DO UPDATE SET in_a_row = excluded.in_a_row, last_at = excluded.last_at"
)


def in_a_row(conn: Connection, server_id: str, since: int) -> int:
    """How many deaths followed each other, the last of them since a moment."""
    found = sa.select(death.c.in_a_row).where(
        death.c.server_id == server_id, death.c.last_at >= since
    )
    return conn.execute(found).scalar() or 0


def note(conn: Connection, server_id: str, in_a_row: int) -> None:
    """Another death, which makes so many in a row."""
    conn.execute(_NOTE, {"server_id": server_id, "in_a_row": in_a_row, "now": clock.now()})


def forget(conn: Connection, server_id: str) -> None:
    """Count from nothing: somebody started the machine by hand, or it is no more."""
    conn.execute(sa.delete(death).where(death.c.server_id == server_id))
