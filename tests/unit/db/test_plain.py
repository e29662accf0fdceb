"""Statements that the driver runs itself mean what they mean through SQLAlchemy."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from andromede.db import Connection, Database
from andromede.db.plain import Statement, listing, members, several
from andromede.db.types import Json

THING = sa.Table(
    "test_plain",
    sa.MetaData(),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("part", sa.Double, nullable=False),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("detail", Json, nullable=False),
    sa.Column("note", sa.Text, nullable=True),
)
ROWS: list[dict[str, Any]] = [
    {"id": "a", "count": 1, "part": 0.5, "good": True, "detail": {"n": [1, None]}, "note": None},
    {"id": "b", "count": 2, "part": 1.0, "good": False, "detail": [], "note": "50 % é"},
    {"id": "c", "count": 3, "part": -3.25, "good": True, "detail": {}, "note": ""},
]
INSERT = Statement(sa.insert(THING))
ALL = Statement(sa.select(THING).order_by(THING.c.id))
ONE = Statement(sa.select(THING).where(THING.c.id == sa.bindparam("key")))
SOME = Statement(
    sa.select(THING.c.id, THING.c.good)
    .where(THING.c.id.in_(several("keys")), THING.c.count > 1)
    .order_by(THING.c.id)
)
SPOIL = Statement(
    sa.update(THING)
    .where(THING.c.id.in_(several("keys")), THING.c.good != sa.bindparam("wanted"))
    .values(good=sa.bindparam("wanted"), note="spoilt", count=THING.c.count + 1)
)
TEXT = Statement("SELECT note FROM test_plain WHERE id = :key AND (note LIKE '50 %' OR id <> 'b')")


@pytest.fixture
def things(database: Database) -> Database:
    THING.metadata.create_all(database.engine)

    def fill(connection: Connection) -> None:
        assert [INSERT.run(connection, row) for row in ROWS] == [1, 1, 1]

    database.transact(fill)
    return database


def test_values_pass_through_the_types_of_their_columns(things: Database) -> None:
    with things.read() as connection:
        assert ALL.mappings(connection) == ROWS
        found = connection.execute(sa.select(THING).order_by(THING.c.id)).mappings()
        assert [dict(row) for row in found] == ROWS
        assert ONE.mapping(connection, {"key": "b"}) == ROWS[1]
        assert ONE.first(connection, {"key": "b"}) == tuple(ROWS[1].values())
        assert ONE.scalar(connection, {"key": "b"}) == "b"
        for nothing in (ONE.mapping, ONE.first, ONE.scalar):
            assert nothing(connection, {"key": "z"}) is None


def test_listings_take_any_number_of_members(things: Database) -> None:
    with things.read() as connection:
        for keys, found in (
            ([], []),
            (["c"], [("c", True)]),
            (["a", "b", "c", "z"], [("b", False), ("c", True)]),
        ):
            assert [tuple(row) for row in SOME.rows(connection, {"keys": keys})] == found


def test_what_is_changed_is_counted(things: Database) -> None:
    def spoil(connection: Connection) -> tuple[int, int]:
        values = {"keys": ["a", "b", "c"], "wanted": False}
        return SPOIL.run(connection, values), SPOIL.run(connection, values)

    assert things.transact(spoil) == (2, 0)
    with things.read() as connection:
        changed = {**ROWS[0], "good": False, "note": "spoilt", "count": 2}
        assert ONE.mapping(connection, {"key": "a"}) == changed


def test_text_keeps_its_percent_signs(things: Database) -> None:
    with things.read() as connection:
        assert TEXT.scalar(connection, {"key": "b"}) == "50 % é"
        assert TEXT.first(connection, {"key": "a"}) == (None,)
        counted = Statement(f"SELECT count(*) FROM test_plain WHERE id IN ({listing(2)})")
        assert counted.scalar(connection, members(["a", "z"])) == 1


def test_a_transaction_that_lost_in_the_driver_runs_again(things: Database) -> None:
    """PostgreSQL refuses one of two that read and wrote over each other, whoever ran it."""
    tries: list[int] = []
    add = Statement(sa.update(THING).values(count=sa.bindparam("wanted")))

    def count(connection: Connection) -> int:
        return int(ONE.mapping(connection, {"key": "a"})["count"])  # type: ignore[index]

    def work(connection: Connection) -> None:
        seen = count(connection)
        tries.append(seen)
        if not things.sqlite and len(tries) == 1:
            things.transact(lambda other: add.run(other, {"wanted": seen + 1}))
        add.run(connection, {"wanted": seen + 10})

    things.transact(work)
    assert tries == ([1] if things.sqlite else [1, 2])
    with things.read() as connection:
        assert count(connection) == tries[-1] + 10
