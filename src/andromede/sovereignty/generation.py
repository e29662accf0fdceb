"""The world's and policies' generation: an opaque mark that every change of either replaces.

What is computed from them is kept by it. A mark is random and never comes back, so that a value
kept by a transaction that was rolled back, or in another cloud's name, is never taken for current.
"""

from __future__ import annotations

import sqlalchemy as sa

from andromede import ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import identifier, table

NONE = ""  # of a cloud in which nothing was ever declared

generation = table(
    "sovereignty_generation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    identifier("mark", nullable=False),
)
_read = Statement("SELECT mark FROM sovereignty_generation WHERE id = 1")


def read(connection: Connection) -> str:
    """The mark as the connection's transaction sees it: one plain statement."""
    row = _read.first(connection, {})
    return NONE if row is None else str(row[0])


def bump(connection: Connection) -> str:
    """Replace the mark, in the transaction of the change itself; the new one."""
    mark = ids.new_hex()
    changed = connection.execute(sa.update(generation).values(mark=mark))
    if changed.rowcount == 0:
        connection.execute(sa.insert(generation), {"id": 1, "mark": mark})
    return mark
