"""What this cloud does as a witness of other logs: it checks a checkpoint against the last one it
cosigned, and keeps it (C2SP tlog-witness)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log.bundle import from_text
from andromede.sovereignty.log.leaves import EVERYONE, Leaf, append
from andromede.sovereignty.log.note import Checkpoint, Note
from andromede.sovereignty.log.proof import ProofError, verify_consistency
from andromede.sovereignty.log.tree import EMPTY
from andromede.sovereignty.log.witnesses import witnessed_log

OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
MOST_LINES = 63  # of a consistency proof


class Submission(Struct, frozen=True):
    """A checkpoint, and the proof that it continues the one of `old` leaves."""

    old: int
    proof: list[bytes]
    signed: str
    note: Note
    head: Checkpoint


class UnknownLog(ValueError):
    """This cloud is no witness of that log."""


class NotItsLog(ValueError):
    """The checkpoint is not signed by the log it names."""


class Inconsistent(ValueError):
    """The checkpoint does not continue the last one."""


class Stale(Exception):
    """The submission starts from another size than the last cosigned one, which is `size`."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class SplitView(Exception):
    """A log signed two trees of one size: `text` says which."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def read_submission(data: bytes) -> Submission:
    """Read the body of add-checkpoint.

    Errors: ValueError saying what is wrong with it.
    """
    try:
        lines, blank, note = data.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise ValueError("the body is not UTF-8") from error
    first, *rest = lines.split("\n")
    old = OLD.fullmatch(first)
    if old is None or not blank:
        raise ValueError(
            "the body is no submission: 'old SIZE', the lines of a consistency proof, an empty line "
            "and a checkpoint are accepted"
        )
    if len(rest) > MOST_LINES:
        raise ValueError(f"the proof has {len(rest)} lines; {MOST_LINES} are accepted")
    read = notes.parse(note)
    head = notes.read_checkpoint(read.text)
    return Submission(int(old[1]), from_text(rest), note, read, head)


def write_submission(old: int, proof: Sequence[str], note: str) -> bytes:
    """The body of add-checkpoint."""
    return "".join([f"old {old}\n", *(f"{line}\n" for line in proof), f"\n{note}"]).encode()


def vet(connection: Connection, given: Submission) -> None:
    """See whether the log is one that this cloud is a witness of, and whether it signed.

    Errors: UnknownLog; NotItsLog; ValueError for sizes that cannot be.
    """
    row = _row(connection, given.head.origin)
    try:
        notes.check(given.note, notes.verifier(row.verifier))
    except notes.NoteError as error:
        raise NotItsLog(str(error)) from error
    if given.old > given.head.size:
        raise ValueError(
            f"old {given.old} is larger than the checkpoint of {given.head.size} leaves"
        )


def _row(connection: Connection, origin: str) -> sa.Row[Any]:
    """Errors: UnknownLog."""
    row = connection.execute(
        sa.select(witnessed_log).where(witnessed_log.c.origin == origin)
    ).first()
    if row is None:
        raise UnknownLog(f"this cloud is no witness of {origin}")
    return row


def record(connection: Connection, given: Submission) -> None:
    """Make a vetted submission the last one of its log; what is recorded may be cosigned.

    Errors: UnknownLog; Stale; SplitView; Inconsistent. Nothing is recorded then.
    """
    head = given.head
    row = _row(connection, head.origin)
    if head.size == row.size and head.root != row.root:
        raise SplitView(f"{head.origin} signed two trees of {head.size} leaves")
    if given.old != row.size:
        raise Stale(row.size)
    try:
        verify_consistency(row.size, row.root, head.size, head.root, given.proof)
    except ProofError as error:
        raise Inconsistent(str(error)) from error
    connection.execute(
        sa.update(witnessed_log)
        .where(witnessed_log.c.origin == head.origin)
        .values(size=head.size, root=head.root, note=given.signed, time=clock.now())
    )


def accuse(connection: Connection, given: Submission, text: str) -> bool:
    """Keep the evidence of a split view, and log it, once; whether it was news."""
    origin = given.head.origin
    news = connection.execute(
        sa.update(witnessed_log)
        .where(witnessed_log.c.origin == origin, witnessed_log.c.conflict.is_(None))
        .values(conflict=given.signed)
    )
    if not news.rowcount:
        return False
    append(
        connection,
        Leaf(
            action="witness:split_view:record",
            subject=origin,
            request_id="witness",
            status=409,
            project_id=EVERYONE,
            detail={"reason": text, "note": given.signed},
        ),
    )
    return True


def watch(connection: Connection, origin: str, verifier: str) -> None:
    """Be a witness of a log from its beginning; a new key of a known log keeps what was seen."""
    values = {"verifier": verifier}
    there = sa.update(witnessed_log).where(witnessed_log.c.origin == origin).values(**values)
    if not connection.execute(there).rowcount:
        fresh = {"origin": origin, "size": 0, "root": EMPTY, **values}
        connection.execute(sa.insert(witnessed_log), fresh)


def watched(connection: Connection, origin: str | None = None) -> list[sa.RowMapping]:
    """The logs this cloud is a witness of, or one of them."""
    wanted = sa.select(witnessed_log).order_by(witnessed_log.c.origin)
    if origin is not None:
        wanted = wanted.where(witnessed_log.c.origin == origin)
    return list(connection.execute(wanted).mappings())


def forget(connection: Connection, origin: str) -> None:
    """Be no witness of a log any more."""
    connection.execute(sa.delete(witnessed_log).where(witnessed_log.c.origin == origin))
