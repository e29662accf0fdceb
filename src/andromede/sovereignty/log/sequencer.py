"""The one sequencer: numbers pending leaves, grows the tiles, and signs a checkpoint of the tree.

Leaves are numbered in one transaction and the checkpoint is signed after it: nothing is signed that
could still be rolled back. A checkpoint is a C2SP signed note (tlog-checkpoint).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, Database, metadata
from andromede.db.types import Moment, table
from andromede.sovereignty.log import tiles
from andromede.sovereignty.log.leaves import commitment_of, leaf
from andromede.sovereignty.log.note import checkpoint_text, signature_line
from andromede.sovereignty.log.proof import ProofError, Tree

checkpoint = table(
    "checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

BATCH = 1_000

Sign = Callable[[bytes], bytes]  # a checkpoint's text -> key id (4 bytes) and Ed25519 signature


class LogDamaged(RuntimeError):
    """What is stored contradicts what was signed: nothing more is signed. Doctor says where."""


class _Overtaken(Exception):
    """Another sequencer numbered a leaf of the batch first."""


def sequence(database: Database, origin: str, sign: Sign, key_name: str) -> int:
    """Number up to a batch of pending leaves and sign their checkpoint; how many there were.

    Errors: LogDamaged when the new tree would not begin with the signed one.
    """
    with database.read() as connection:
        pending = connection.execute(
            sa.select(leaf).where(leaf.c.position.is_(None)).order_by(leaf.c.arrival).limit(BATCH)
        ).mappings()
        batch = [(row["arrival"], commitment_of(row)) for row in pending]
    if batch:
        try:
            database.transact(lambda connection: _number(connection, batch))
        except _Overtaken:
            return 0
    _seal(database, origin, sign, key_name)
    return len(batch)


def _number(connection: Connection, batch: Sequence[tuple[int, bytes]]) -> None:
    first, newest = tiles.size(connection), latest(connection)
    if newest is not None and first < newest.size:
        raise LogDamaged(f"numbering leaf {first}: a tree of {newest.size} leaves is signed")
    tiles.grow(connection, [commitment for _, commitment in batch])
    updated = connection.execute(
        sa.update(leaf)
        .where(leaf.c.arrival == sa.bindparam("key"), leaf.c.position.is_(None))
        .values(position=sa.bindparam("at")),
        [{"key": key, "at": first + at} for at, (key, _) in enumerate(batch)],
    )
    if updated.rowcount != len(batch):
        raise _Overtaken


def _seal(database: Database, origin: str, sign: Sign, key_name: str) -> None:
    """Sign the tree as it stands, unless its checkpoint is there."""
    with database.read() as connection:
        size = tiles.size(connection)
        newest = latest(connection)
        if size == (newest.size if newest is not None else 0):
            return
        tree = Tree(size, tiles.hashes(connection))
        try:
            if newest is not None and tree.at(newest.size).root() != newest.root:
                raise ProofError("its beginning has another root")
            root = tree.root()
        except ProofError as error:
            raise LogDamaged(f"signing the tree of {size} leaves: {error}") from error
    text = checkpoint_text(origin, size, root)
    row = {
        "size": size,
        "root": root,
        "time": clock.now(),
        "note": f"{text}\n{signature_line(key_name, sign(text.encode()))}",
    }

    def write(connection: Connection) -> None:
        there = sa.select(checkpoint.c.size).where(checkpoint.c.size == size)
        if connection.execute(there).first() is None:
            connection.execute(sa.insert(checkpoint), row)

    database.transact(write)


def latest(connection: Connection) -> sa.Row[Any] | None:
    """The newest checkpoint; None while the log is empty."""
    return connection.execute(
        sa.select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)
    ).first()


def latest_note(connection: Connection) -> str | None:
    """As `latest`, its signed note."""
    newest = latest(connection)
    return None if newest is None else newest.note
