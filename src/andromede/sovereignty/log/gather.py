"""Makes what a customer takes away: proofs, and bundles of a project's leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from msgspec import to_builtins

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty.log import leaves, tiles
from andromede.sovereignty.log.bundle import Bundle, Link, Proven, to_text
from andromede.sovereignty.log.proof import Tree
from andromede.sovereignty.log.sequencer import checkpoint, latest
from andromede.sovereignty.log.witnesses import cosignature, verifiers

MOST = 10_000  # leaves in one bundle


def tree(connection: Connection, size: int) -> Tree:
    """The tree of the first leaves."""
    return Tree(size, tiles.hashes(connection))


def signed_note(connection: Connection, size: int | None = None) -> str | None:
    """A checkpoint with the cosignatures it has, the newest without a size; None if not there."""
    if size is None:
        newest = latest(connection)
        if newest is None:
            return None
        size, note = newest.size, newest.note
    else:
        wanted = sa.select(checkpoint.c.note).where(checkpoint.c.size == size)
        note = connection.execute(wanted).scalar()
        if note is None:
            return None
    lines = connection.execute(
        sa.select(cosignature.c.line).where(cosignature.c.size == size).order_by(cosignature.c.name)
    ).scalars()
    return str(note) + "".join(lines)


def cosigned_size(connection: Connection) -> int | None:
    """The newest checkpoint that any witness has cosigned."""
    return connection.execute(sa.select(sa.func.max(cosignature.c.size))).scalar()


def bundle(
    connection: Connection,
    project_id: str,
    log: str,
    *,
    after: int | None = None,
    limit: int = MOST,
    earlier: Sequence[int] = (),
) -> Bundle:
    """The leaves that a project may read and that arrived after another, under the newest
    checkpoint; with the newest cosigned one and those of the sizes `earlier` tied to it.

    `log` is the log's verifier key.
    """
    rows = leaves.page(connection, project_id, after, limit + 1)
    following = rows[limit - 1]["id"] if len(rows) > limit else None
    return of_rows(connection, project_id, log, rows[:limit], earlier, following)


def of_rows(
    connection: Connection,
    project_id: str,
    log: str,
    rows: Iterable[sa.RowMapping],
    earlier: Sequence[int] = (),
    following: str | None = None,
) -> Bundle:
    """As `bundle`, with leaves that the caller has chosen."""
    newest = latest(connection)
    size = 0 if newest is None else newest.size
    found = tree(connection, size)
    others = sorted({*earlier, cosigned_size(connection) or 0} - {0, size})
    notes = {each: signed_note(connection, each) for each in others}
    shared: dict[str, str] = {}  # leaves that are near have most of their proofs in common
    return Bundle(
        project_id=project_id,
        made=clock.iso_micro(clock.now()),
        log=log,
        witnesses=verifiers(connection),
        checkpoint=signed_note(connection),
        earlier=[note for note in notes.values() if note is not None],
        consistency=[
            Link(first=each, second=size, proof=to_text(found.consistency(each)))
            for each, note in notes.items()
            if note is not None
        ],
        leaves=[_proven(row, found, shared) for row in rows],
        next=following,
    )


def _proven(row: sa.RowMapping, found: Tree, shared: dict[str, str]) -> Proven:
    index = row["position"]
    shown = index is not None and index < found.size
    return Proven(
        leaf=to_builtins(leaves.of_row(row)),
        salt=row["salt"].hex(),
        index=index if shown else None,
        proof=[shared.setdefault(each, each) for each in to_text(found.inclusion(index))]
        if shown
        else None,
    )
