"""How long leaves are kept: what may be erased, and what was. Their commitments stay for ever."""

from __future__ import annotations

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, table
from andromede.sovereignty.log.leaves import leaf

BATCH = 20_000  # leaves erased in one transaction
DAY = 24 * 3600 * clock.SECOND

purge = table(
    "log_purge",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", Moment, nullable=False),
    sa.Column("before", Moment, nullable=False),
    sa.Column("through", sa.BigInteger, nullable=False),  # the last position that was erased
    sa.Column("erased", sa.BigInteger, nullable=False),
)


def erase(connection: Connection, before: int, most: int = BATCH) -> tuple[int, bool]:
    """Erase numbered leaves that are older than a moment, at most so many; how many there were, and
    whether others remain."""
    wanted = (
        sa.select(leaf.c.arrival, leaf.c.position)
        .where(leaf.c.time < before, leaf.c.position.is_not(None))
        .order_by(leaf.c.arrival)
        .limit(most + 1)
    )
    rows = connection.execute(wanted).all()
    gone = rows[:most]
    if gone:
        _overwrite(connection, on=True)
        connection.execute(
            sa.delete(leaf).where(leaf.c.arrival == sa.bindparam("key")),
            [{"key": row.arrival} for row in gone],
        )
        _overwrite(connection, on=False)
        record = {
            "time": clock.now(),
            "before": before,
            "through": max(row.position for row in gone),
            "erased": len(gone),
        }
        connection.execute(sa.insert(purge), record)
    return len(gone), len(rows) > most


def _overwrite(connection: Connection, *, on: bool) -> None:
    """Have SQLite write zeroes over what it deletes; PostgreSQL's vacuum reuses the space."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA secure_delete={'ON' if on else 'OFF'}")


def erased(connection: Connection) -> tuple[int, int]:
    """How many leaves were ever erased, and the last position among them (-1: none)."""
    row = connection.execute(sa.select(sa.func.sum(purge.c.erased), sa.func.max(purge.c.through)))
    count, through = row.one()
    return int(count or 0), -1 if through is None else int(through)
