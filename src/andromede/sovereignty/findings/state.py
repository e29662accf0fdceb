"""How far re-evaluation has come: the world and policies it saw last, on which day. One row."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table

evaluation = table(
    "sovereignty_evaluation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    identifier("mark", nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),  # what customers were last told of, as JSON
)


class Evaluated(Struct, frozen=True, kw_only=True):
    """The generation and day of the last re-evaluation, and what it saw of owners and suppliers."""

    mark: str
    day: str
    time: int
    seen: dict[str, Any]


def last(connection: Connection) -> Evaluated | None:
    """The last re-evaluation; None before the first."""
    row = connection.execute(sa.select(evaluation)).mappings().first()
    if row is None:
        return None
    seen = msgspec.json.decode(row["seen"])
    return Evaluated(mark=row["mark"], day=row["day"], time=row["time"], seen=seen)


def keep(connection: Connection, mark: str, day: str, seen: dict[str, Any]) -> None:
    """Note that everything was evaluated."""
    connection.execute(sa.delete(evaluation))
    row = {
        "id": 1,
        "mark": mark,
        "day": day,
        "time": clock.now(),
        "seen": msgspec.json.encode(seen).decode(),
    }
    connection.execute(sa.insert(evaluation), row)
