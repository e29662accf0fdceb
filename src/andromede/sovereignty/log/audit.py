"""Computes the whole log anew and compares it to what the sequencer wrote. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection
from andromede.findings import Finding
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log import retention
from andromede.sovereignty.log.leaves import commitment_of, leaf
from andromede.sovereignty.log.sequencer import checkpoint
from andromede.sovereignty.log.tiles import tile
from andromede.sovereignty.log.tree import HASH, WIDTH, Frontier, leaf_hash, parts, root_of
from andromede.sovereignty.log.witnesses import witness, witnessed_log

PENDING = 60 * clock.SECOND  # how long a leaf may wait for its number while the cloud runs
TAMPERED = "the log was changed or damaged: keep this database and compare it to saved checkpoints"


def audit(connection: Connection, *, running: bool, verifier: str | None = None) -> list[Finding]:
    """Leaves, tiles and checkpoints that contradict each other, and leaves that wait too long
    (while the cloud runs). With the log's `verifier` signatures are checked too."""
    found = [*_Walk(connection, verifier).findings(), *_conflicts(connection)]
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


def _conflicts(connection: Connection) -> Iterator[Finding]:
    """What witnesses saw of this log, and this witness of others."""
    for row in connection.execute(sa.select(witness).where(witness.c.conflict)):
        yield _finding(f"witness {row.name}", f"saw another log than this one: {row.problem}")
    remedy = "tell whoever relies on that log: /sovereignty/v1/witness/logs shows the evidence"
    contradicted = sa.select(witnessed_log).where(witnessed_log.c.conflict.is_not(None))
    for row in connection.execute(contradicted):
        yield _finding(row.origin, "signed two trees of one size", remedy)


class _Walk:
    """One walk over the entries in their order, with each leaf and checkpoint on the way."""

    def __init__(self, connection: Connection, verifier: str | None) -> None:
        self.connection = connection
        self.verifier = notes.verifier(verifier) if verifier else None
        self.tree = Frontier()
        self.roots: list[bytes] = []  # of the full tiles of level 0
        rows = connection.execute(sa.select(checkpoint)).mappings()
        self.checkpoints = {row["size"]: row for row in rows}
        self.erased, self.through = retention.erased(connection)
        self.missing = 0

    def findings(self) -> Iterator[Finding]:
        """All that contradicts."""
        yield from self._checkpoint()
        for number, data in self._tiles(0):
            if number != len(self.roots) or len(data) % HASH or self.tree.size % WIDTH:
                yield _finding(f"tile 0/{number}", f"does not follow leaf {self.tree.size - 1}")
                return
            yield from self._leaves(number, parts(data))
        if self.missing != self.erased:
            text = f"{self.missing} are not there any more, and purges erased {self.erased}"
            yield _finding("leaves", text)
        yield from self._above()
        yield from self._loose()
        for size in sorted(self.checkpoints):
            yield _finding(f"checkpoint {size}", f"the log has {self.tree.size} leaves only")
        if self.tree.size and not self._covered():
            yield _finding(
                f"leaf {self.tree.size - 1}", "has a number, and no checkpoint covers it"
            )

    def _tiles(self, level: int) -> Iterator[tuple[int, bytes]]:
        after = -1
        while True:
            row = self.connection.execute(
                sa.select(tile.c.number, tile.c.data)
                .where(tile.c.level == level, tile.c.number > after)
                .order_by(tile.c.number)
                .limit(1)
            ).first()
            if row is None:
                return
            after = row.number
            yield row.number, row.data

    def _leaves(self, number: int, entries: list[bytes]) -> Iterator[Finding]:
        """One tile's entries beside the leaves they are of."""
        first = number * WIDTH
        span = leaf.c.position.between(first, first + WIDTH - 1)
        found = self.connection.execute(sa.select(leaf).where(span)).mappings()
        rows = {row["position"]: row for row in found}
        for at, entry in enumerate(entries, first):
            row = rows.pop(at, None)
            if row is None and at <= self.through:
                self.missing += 1
            elif row is None:
                yield _finding(f"leaf {at}", "is not there any more")
            elif commitment_of(row) != entry:
                yield _finding(row["id"], "its content is not what was committed to")
            self.tree.add(leaf_hash(entry))
            yield from self._checkpoint()
        for row in rows.values():
            yield _finding(row["id"], f"is numbered {row['position']}, where the log has no entry")
        if len(entries) == WIDTH:
            self.roots.append(root_of([leaf_hash(each) for each in entries]))

    def _above(self) -> Iterator[Finding]:
        """The hash tiles beside the roots of the tiles below them."""
        level, roots = 1, self.roots
        while roots or any(True for _ in self._tiles(level)):
            held = b"".join(data for _, data in self._tiles(level))
            if held != b"".join(roots):
                yield _finding(f"tiles of level {level}", "are not the hashes of those below")
                return
            full = len(roots) // WIDTH
            roots = [root_of(roots[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)]
            level += 1

    def _loose(self) -> Iterator[Finding]:
        end = (self.tree.size + WIDTH - 1) // WIDTH * WIDTH  # what `_leaves` has looked at
        beyond = sa.select(leaf.c.id, leaf.c.position).where(leaf.c.position >= end)
        for row in self.connection.execute(beyond.limit(100)):
            yield _finding(row.id, f"is numbered {row.position}, where the log has no entry")

    def _checkpoint(self) -> Iterator[Finding]:
        """The checkpoint of the tree so far, if there is one."""
        row = self.checkpoints.pop(self.tree.size, None)
        if row is None:
            return
        subject = f"checkpoint {row['size']}"
        if row["root"] != self.tree.root():
            yield _finding(subject, "its root is not that of the leaves")
        try:
            signed = notes.parse(row["note"])
            stated = notes.read_checkpoint(signed.text)
            if (stated.size, stated.root) != (row["size"], row["root"]):
                yield _finding(subject, "its signed note names another size or root")
            if self.verifier is not None:
                notes.check(signed, self.verifier)
        except notes.NoteError as error:
            yield _finding(subject, str(error))

    def _covered(self) -> bool:
        largest = self.connection.execute(sa.select(sa.func.max(checkpoint.c.size))).scalar()
        return largest is not None and int(largest) >= self.tree.size
