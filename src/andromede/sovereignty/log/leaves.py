"""Leaves: one row for each act, inserted in the act's own transaction, without an index.

The sequencer numbers them later, so a leaf is visible at once and never waits on another's commit.
The tree holds of a leaf its commitment only, which tells nothing to who lacks the leaf's salt.
"""

from __future__ import annotations

import os
from typing import Any

import rfc8785
import sqlalchemy as sa
from msgspec import Struct, field, to_builtins

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Json, Moment, identifier, table
from andromede.sovereignty.log.commitment import SALT, commitment

leaf = table(
    "leaf",
    metadata,
    sa.Column("arrival", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    identifier("id", nullable=False, unique=True),
    sa.Column("time", Moment, nullable=False),
    identifier("request_id", nullable=False),
    sa.Column("action", sa.String(128), nullable=False),
    identifier("actor", nullable=True),
    identifier("actor_project", nullable=True),
    identifier("project_id", nullable=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=True, unique=True),
    sa.Column("salt", sa.LargeBinary, nullable=True),  # never NULL: SQLite adds columns only so
    sa.Index("ix_leaf_project", "project_id", "arrival"),
)
sa.Index(
    "ix_leaf_pending",
    leaf.c.arrival,
    sqlite_where=leaf.c.position.is_(None),
    postgresql_where=leaf.c.position.is_(None),
)

EVERYONE = "*"  # the project of leaves that each customer may read


class Leaf(Struct, kw_only=True):
    """An act: who did what to which subject, in which request, with what result.

    `project_id`: whose data it concerns, so who may read it; EVERYONE for acts over all projects,
    None for those that operators alone read.
    """

    action: str
    subject: str
    request_id: str
    status: int
    actor: str | None = None
    actor_project: str | None = None
    project_id: str | None = None
    detail: dict[str, object] = field(default_factory=dict)
    id: str = field(default_factory=ids.new)
    time: int = field(default_factory=clock.now)


_COLUMNS = (*Leaf.__struct_fields__, "salt")
_insert = Statement(
    sa.insert(leaf).values(
        {name: sa.bindparam(f"new_{name}", type_=leaf.c[name].type) for name in _COLUMNS}
    )
)


def append(connection: Connection, entry: Leaf) -> None:
    """Add a leaf to the transaction of the act it records.

    Errors: rfc8785.CanonicalizationError for a detail that is not RFC 8785 JSON.
    """
    if entry.detail:
        rfc8785.dumps(to_builtins(entry.detail))  # refused now, not when it cannot be numbered
    values = {**to_builtins(entry), "salt": os.urandom(SALT)}
    _insert.run(connection, {f"new_{name}": values[name] for name in _COLUMNS})


def of_row(row: sa.RowMapping) -> Leaf:
    """The leaf that a row of the table holds, without what is not its content."""
    return Leaf(**{name: row[name] for name in Leaf.__struct_fields__})


def canonical(entry: Leaf) -> bytes:
    """What is committed to: the leaf as RFC 8785 JSON."""
    return rfc8785.dumps(to_builtins(entry))


def commitment_of(row: sa.RowMapping) -> bytes:
    """The tree's entry of a leaf, from its row."""
    return commitment(row["salt"], canonical(of_row(row)))


def find(connection: Connection, leaf_id: str, project_id: str | None) -> sa.RowMapping | None:
    """A leaf that a project (None: an operator) may read."""
    wanted = sa.select(leaf).where(leaf.c.id == leaf_id)
    if project_id is not None:
        wanted = wanted.where(leaf.c.project_id.in_((project_id, EVERYONE)))
    return connection.execute(wanted).mappings().first()


def arrival(connection: Connection, leaf_id: str, project_id: str | None) -> int | None:
    """Where such a leaf stands in the order of arrival."""
    found = find(connection, leaf_id, project_id)
    return None if found is None else found["arrival"]


def page(
    connection: Connection, project_id: str | None, after: int | None, limit: int
) -> list[sa.RowMapping]:
    """The leaves that a project (None: an operator) may read and that arrived after another,
    oldest first."""
    later = [] if after is None else [leaf.c.arrival > after]
    wanted = sa.select(leaf).where(*later).order_by(leaf.c.arrival).limit(limit)
    if project_id is None:
        return list(connection.execute(wanted).mappings())
    found = [
        row
        for owner in {project_id, EVERYONE}
        for row in connection.execute(wanted.where(leaf.c.project_id == owner)).mappings()
    ]
    return sorted(found, key=_arrival)[:limit]


def _arrival(row: sa.RowMapping) -> Any:
    return row["arrival"]
