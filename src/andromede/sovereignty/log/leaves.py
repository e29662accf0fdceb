"""Leaves: one row for each act, inserted in the act's own transaction, without an index.

The sequencer numbers them later, so a leaf is visible at once and never waits on another's commit.
"""

from __future__ import annotations

import rfc8785
import sqlalchemy as sa
from msgspec import Struct, field, to_builtins

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.types import Json, Moment, identifier, table

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
    sa.Column("hash", sa.LargeBinary, nullable=True),
    sa.Index("ix_leaf_project", "project_id", "arrival"),
)
sa.Index(
    "ix_leaf_pending",
    leaf.c.arrival,
    sqlite_where=leaf.c.position.is_(None),
    postgresql_where=leaf.c.position.is_(None),
)


class Leaf(Struct, kw_only=True):
    """An act: who did what to which subject, in which request, with what result."""

    action: str
    subject: str
    request_id: str
    status: int
    actor: str | None = None
    actor_project: str | None = None
    project_id: str | None = None  # whose data it concerns: who may read the leaf
    detail: dict[str, object] = field(default_factory=dict)
    id: str = field(default_factory=ids.new)
    time: int = field(default_factory=clock.now)


_insert = sa.insert(leaf)


def append(connection: Connection, entry: Leaf) -> None:
    """Add a leaf to the transaction of the act it records."""
    connection.execute(_insert, to_builtins(entry))


def of_row(row: sa.RowMapping) -> Leaf:
    """The leaf that a row of the table holds, without what the sequencer adds."""
    return Leaf(**{name: row[name] for name in Leaf.__struct_fields__})


def canonical(entry: Leaf) -> bytes:
    """The bytes that are hashed: the leaf as RFC 8785 JSON."""
    return rfc8785.dumps(to_builtins(entry))


def arrival(connection: Connection, leaf_id: str, project_id: str | None) -> int | None:
    """Where a leaf of a project (None: of any) stands in the order of arrival."""
    wanted = sa.select(leaf.c.arrival).where(leaf.c.id == leaf_id, *_of(project_id))
    found: int | None = connection.execute(wanted).scalar()
    return found


def page(
    connection: Connection, project_id: str | None, after: int | None, limit: int
) -> list[sa.RowMapping]:
    """The leaves of a project (None: of all) that arrived after another, oldest first."""
    later = [] if after is None else [leaf.c.arrival > after]
    wanted = sa.select(leaf).where(*_of(project_id), *later).order_by(leaf.c.arrival).limit(limit)
    return list(connection.execute(wanted).mappings())


def _of(project_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if project_id is None else [leaf.c.project_id == project_id]
