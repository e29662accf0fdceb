"""The tiles of the log: 256 commitments or hashes a row, and the tree that is read from them.

Level 0 holds the entries, which are commitments; level n above holds the roots of full tiles below
it. A partial tile is the beginning of its row, so any narrower one is a prefix of it (C2SP
tlog-tiles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import table
from andromede.sovereignty.log.tree import HASH, WIDTH, leaf_hash, parts, root_of

tile = table(
    "tile",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

Read = Callable[[int, int], bytes]  # level, number -> the hashes of a tile that are there


def size(connection: Connection) -> int:
    """How many leaves are numbered."""
    number, data = _last(connection, 0)
    return number * WIDTH + len(data) // HASH


def entries(connection: Connection, number: int) -> bytes:
    """The commitments of a bundle of entries, in one piece; empty when there are none."""
    return _row(connection, 0, number)


def hashes(connection: Connection) -> Read:
    """Reads hash tiles; those of level 0 are made from the entries."""

    def read(level: int, number: int) -> bytes:
        data = _row(connection, level, number)
        return data if level else b"".join(map(leaf_hash, parts(data)))

    return read


def grow(connection: Connection, commitments: Sequence[bytes]) -> None:
    """Append entries, and the roots of the tiles that they fill."""
    level, added = 0, list(commitments)
    while added:
        added = _extend(connection, level, added)
        level += 1


def _extend(connection: Connection, level: int, added: list[bytes]) -> list[bytes]:
    """Append to one level; the roots of the tiles that became full."""
    number, data = _last(connection, level)
    kept = len(data)
    full: list[bytes] = []
    rows: list[dict[str, object]] = []
    held = parts(data) + added
    while held:
        row, held = held[:WIDTH], held[WIDTH:]
        rows.append({"level": level, "number": number, "data": b"".join(row)})
        if len(row) == WIDTH:
            full.append(root_of([leaf_hash(each) for each in row] if level == 0 else row))
        number += 1
    if kept:
        grown = rows.pop(0)
        connection.execute(
            sa.update(tile)
            .where(tile.c.level == level, tile.c.number == grown["number"])
            .values(data=grown["data"])
        )
    if rows:
        connection.execute(sa.insert(tile), rows)
    return full


def _last(connection: Connection, level: int) -> tuple[int, bytes]:
    """The tile of a level that grows next, and what is in it."""
    row = connection.execute(
        sa.select(tile.c.number, tile.c.data)
        .where(tile.c.level == level)
        .order_by(tile.c.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return 0, b""
    if len(row.data) == WIDTH * HASH:
        return row.number + 1, b""
    return row.number, row.data


def _row(connection: Connection, level: int, number: int) -> bytes:
    found: bytes | None = connection.execute(
        sa.select(tile.c.data).where(tile.c.level == level, tile.c.number == number)
    ).scalar()
    return found or b""
