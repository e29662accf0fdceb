"""The SQL of evidence: what is placed of a project, and the operator's answers to SEAL criteria."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.sovereignty.evidence.model import NO_DATA
from andromede.sovereignty.findings.placed import Source

seal_answer = table(
    "seal_answer",
    metadata,
    sa.Column("criterion", sa.String(16), primary_key=True),
    sa.Column("answer", sa.Integer, nullable=False),
    sa.Column("because_en", sa.Text, nullable=False),
    sa.Column("because_fr", sa.Text, nullable=False),
    identifier("user_id", nullable=False),
    sa.Column("time", Moment, nullable=False),
)


class Placed(Struct, frozen=True, kw_only=True):
    """A resource, its site, and whose keys its data are under ("none": not encrypted), or NO_DATA."""

    kind: str
    id: str
    site: str
    keys: str


def placed(connection: Connection, sources: Iterable[Source], project_id: str) -> list[Placed]:
    """A project's resources, by kind and id."""
    found = []
    for each in sources:
        rows = each.rows.subquery()
        keys = NO_DATA if each.keys is None else each.keys.value
        wanted = sa.select(rows).where(rows.c.project_id == project_id).order_by(rows.c.id)
        found += [
            Placed(kind=row.kind, id=row.id, site=row.site, keys=keys)
            for row in connection.execute(wanted)
        ]
    return sorted(found, key=lambda row: (row.kind, row.id))


def answers(connection: Connection) -> dict[str, sa.RowMapping]:
    """The operator's answers by criterion."""
    rows = connection.execute(sa.select(seal_answer).order_by(seal_answer.c.criterion)).mappings()
    return {row["criterion"]: row for row in rows}


def answer(
    connection: Connection, criterion: str, given: int, en: str, fr: str, user_id: str
) -> None:
    """Replace the operator's answer to a criterion."""
    withdraw(connection, criterion)
    row = {
        "criterion": criterion, "answer": given, "because_en": en, "because_fr": fr,
        "user_id": user_id, "time": clock.now(),
    }  # fmt: skip
    connection.execute(sa.insert(seal_answer), row)


def withdraw(connection: Connection, criterion: str) -> bool:
    """Remove the operator's answer; whether there was one."""
    gone = connection.execute(sa.delete(seal_answer).where(seal_answer.c.criterion == criterion))
    return gone.rowcount > 0
