"""Computes the whole log anew and compares it to what the sequencer wrote. Changes nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection
from andromede.findings import Finding
from andromede.sovereignty.log.leaves import canonical, leaf, of_row
from andromede.sovereignty.log.sequencer import HASH, checkpoint
from andromede.sovereignty.log.tree import Frontier, leaf_hash

PENDING = 60 * clock.SECOND  # how long a leaf may wait for its number while the cloud runs
TAMPERED = "the log was changed or damaged: keep this database and compare it to saved checkpoints"
BATCH = 1_000


def audit(connection: Connection, *, running: bool) -> list[Finding]:
    """Leaves that wait too long (while the cloud runs), and leaves or checkpoints that differ from
    the tree."""
    found = [*_tree(connection)]
    if running:
        found += _pending(connection)
    return found


def _finding(subject: str, problem: str, remedy: str = TAMPERED) -> Finding:
    return Finding(kind="log", subject=subject, problem=problem, remedy=remedy)


def _pending(connection: Connection) -> list[Finding]:
    late = sa.select(sa.func.count(), sa.func.min(leaf.c.time)).where(
        leaf.c.position.is_(None), leaf.c.time < clock.now() - PENDING
    )
    count, oldest = connection.execute(late).one()
    if not count:
        return []
    since = clock.iso(oldest)
    remedy = "the worker and the keys role number them: see andromede status and andromede logs"
    return [_finding("leaves", f"{count} leaves wait for a number since {since}", remedy)]


def _tree(connection: Connection) -> Iterator[Finding]:
    """One walk over the leaves in their order, with each checkpoint compared as it is reached."""
    tree = Frontier()
    checkpoints = {row["size"]: row for row in connection.execute(sa.select(checkpoint)).mappings()}
    yield from _checkpoint(tree, checkpoints.pop(0, None))
    for row in _leaves(connection):
        if row["position"] != tree.size:
            yield _finding(row["id"], f"is numbered {row['position']} in place of {tree.size}")
            return
        hashed = leaf_hash(canonical(of_row(row)))
        if hashed != row["hash"]:
            yield _finding(row["id"], "its content is not what was hashed")
        tree.add(hashed)
        yield from _checkpoint(tree, checkpoints.pop(tree.size, None), newest=not checkpoints)
    for size in sorted(checkpoints):
        yield _finding(f"checkpoint {size}", f"the log has {tree.size} leaves only")
    if tree.size and not checkpoints and not _covered(connection, tree.size):
        yield _finding(f"leaf {tree.size - 1}", "has a number, and no checkpoint covers it")


def _leaves(connection: Connection) -> Iterator[sa.RowMapping]:
    after = -1
    while True:
        batch = sa.select(leaf).where(leaf.c.position > after).order_by(leaf.c.position)
        rows = connection.execute(batch.limit(BATCH)).mappings().all()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1]["position"]


def _checkpoint(
    tree: Frontier, row: sa.RowMapping | None, *, newest: bool = False
) -> Iterator[Finding]:
    if row is None:
        return
    subject = f"checkpoint {row['size']}"
    root = tree.root()
    if row["root"] != root:
        yield _finding(subject, "its root is not that of the leaves")
    lines = row["note"].split("\n")
    if lines[1:3] != [str(row["size"]), base64.b64encode(row["root"]).decode()]:
        yield _finding(subject, "its signed note names another size or root")
    peaks = [row["peaks"][at : at + HASH] for at in range(0, len(row["peaks"]), HASH)]
    if newest and peaks != tree.peaks:
        yield _finding(subject, "the subtrees that the next leaves build on are not the leaves'")


def _covered(connection: Connection, size: int) -> bool:
    largest = connection.execute(sa.select(sa.func.max(checkpoint.c.size))).scalar()
    return largest is not None and int(largest) >= size
