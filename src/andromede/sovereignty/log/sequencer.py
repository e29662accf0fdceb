"""The one sequencer: numbers pending leaves, hashes them, and signs a checkpoint of the tree.

A checkpoint is a C2SP signed note (tlog-checkpoint): origin, size and root, then the signature.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, Database, metadata
from andromede.db.types import Moment, table
from andromede.sovereignty.log.leaves import canonical, leaf, of_row
from andromede.sovereignty.log.tree import Frontier, leaf_hash

checkpoint = table(
    "checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("peaks", sa.LargeBinary, nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

BATCH = 2_000
HASH = 32


def sequence(database: Database, origin: str, sign: Callable[[bytes], bytes], key_name: str) -> int:
    """Number up to a batch of pending leaves and write their checkpoint; how many there were.

    `sign(text)` gives the signature line's payload: the four bytes of the key hash, then Ed25519's.
    """

    def work(connection: Connection) -> int:
        pending = connection.execute(
            sa.select(leaf).where(leaf.c.position.is_(None)).order_by(leaf.c.arrival).limit(BATCH)
        ).mappings()
        rows = list(pending)
        if not rows:
            return 0
        frontier = latest(connection)
        updates = []
        for row in rows:
            hashed = leaf_hash(canonical(of_row(row)))
            updates.append({"key": row["arrival"], "at": frontier.size, "digest": hashed})
            frontier.add(hashed)
        connection.execute(
            sa.update(leaf)
            .where(leaf.c.arrival == sa.bindparam("key"))
            .values(position=sa.bindparam("at"), hash=sa.bindparam("digest")),
            updates,
        )
        _write_checkpoint(connection, frontier, origin, sign, key_name)
        return len(rows)

    with database.read() as connection:
        idle = connection.execute(
            sa.select(leaf.c.arrival).where(leaf.c.position.is_(None)).limit(1)
        ).first()
    return database.transact(work) if idle is not None else 0


def latest(connection: Connection) -> Frontier:
    """The tree as of the last checkpoint."""
    row = connection.execute(
        sa.select(checkpoint.c.size, checkpoint.c.peaks).order_by(checkpoint.c.size.desc()).limit(1)
    ).first()
    if row is None:
        return Frontier()
    peaks = [row.peaks[at : at + HASH] for at in range(0, len(row.peaks), HASH)]
    return Frontier(row.size, peaks)


def latest_note(connection: Connection) -> str | None:
    """The newest checkpoint as a signed note; None while the log is empty."""
    newest = sa.select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
    note: str | None = connection.execute(newest).scalar()
    return note


def _write_checkpoint(
    connection: Connection,
    frontier: Frontier,
    origin: str,
    sign: Callable[[bytes], bytes],
    key_name: str,
) -> None:
    root = frontier.root()
    text = f"{origin}\n{frontier.size}\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(sign(text.encode())).decode()
    connection.execute(
        sa.insert(checkpoint),
        {
            "size": frontier.size,
            "root": root,
            "peaks": b"".join(frontier.peaks),
            "time": clock.now(),
            "note": f"{text}\n— {key_name} {signature}\n",
        },
    )
