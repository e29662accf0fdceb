"""Carries this log's checkpoints to its witnesses, and their cosignatures back.

What a witness saw that this log does not continue is a conflict: the log was forked or rolled back,
or the witness lies. It is logged, told to everyone, and stays until an operator sets the witness
anew.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
import structlog
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, Database
from andromede.sovereignty import words
from andromede.sovereignty.findings import notices
from andromede.sovereignty.log import gather
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log.bundle import to_text
from andromede.sovereignty.log.leaves import EVERYONE, Leaf, append
from andromede.sovereignty.log.sequencer import latest
from andromede.sovereignty.log.witnesses import all_of, cosignature, witness
from andromede.sovereignty.log.witnessing import write_submission
from andromede.sovereignty.words import Text

log = structlog.get_logger("courier")


class Answer(Struct, frozen=True):
    """What a witness answered."""

    status: int
    body: bytes


Send = Callable[[sa.RowMapping, bytes], Answer]  # a witness's row, a body; raises OSError


class _Conflict(Exception):
    """The witness saw another log; `told` says what it saw."""

    def __init__(self, told: Text) -> None:
        super().__init__(told.en)
        self.told = told


class _Failed(Exception):
    """The witness did not cosign, and nothing follows from it."""


def due(database: Database) -> list[sa.RowMapping]:
    """The witnesses that have not cosigned the newest checkpoint."""
    with database.read() as connection:
        newest = latest(connection)
        size = 0 if newest is None else newest.size
        return [row for row in all_of(connection) if row["size"] < size and not row["conflict"]]


def submit(database: Database, row: sa.RowMapping, send: Send) -> bool:
    """Submit the newest checkpoint to a witness and keep what comes of it; whether it cosigned."""
    with database.read() as connection:
        newest = latest(connection)
    if newest is None:
        return False
    try:
        line = _exchange(database, row, newest.size, newest.note, send)
    except _Conflict as error:
        seen = error.told
        database.transact(lambda connection: _accuse(connection, row, seen))
        return False
    except (_Failed, OSError) as error:
        problem = f"submitting {newest.size} leaves to {row['url']}: {error}"[:1000]
        log.warning("not cosigned", witness=row["name"], problem=problem)
        database.transact(lambda connection: _update(connection, row, {"problem": problem}))
        return False
    database.transact(lambda connection: _keep(connection, row, newest.size, line))
    log.info("cosigned", witness=row["name"], size=newest.size)
    return True


def _exchange(database: Database, row: sa.RowMapping, size: int, note: str, send: Send) -> str:
    """The signature line of the witness, asking again from the size it names.

    Errors: _Conflict; _Failed; OSError.
    """
    old = row["size"]
    for _ in range(2):
        with database.read() as connection:
            proof = to_text(gather.tree(connection, size).consistency(old))
        answer = send(row, write_submission(old, proof, note))
        if answer.status == 200:
            return _line(row, note, answer.body)
        if answer.status == 422:
            raise _Conflict(_another(old))
        if answer.status != 409:
            raise _Failed(f"it answered {answer.status} {answer.body[:200]!r}")
        old = _other_size(answer.body, old, size)
    raise _Failed(f"it cosigned a tree of {old} leaves meanwhile")


def _other_size(body: bytes, old: int, size: int) -> int:
    """The size that a 409 names.

    Errors: _Conflict when this log has no such tree, or the witness has another one of that size;
    _Failed when it contradicts itself.
    """
    text = body.decode("ascii", "replace").removesuffix("\n")
    if not notes.NUMBER.fullmatch(text):
        raise _Conflict(_another(size))
    if int(text) == old:
        raise _Failed(f"it cosigned {old} leaves, as it was told, and answered a conflict")
    if int(text) > size:
        raise _Conflict(words.text(
            "it cosigned a tree of {seen} leaves and this log has {size}: it was rolled back",
            "il a cosigné un arbre de {seen} feuilles et ce journal en a {size} : il est revenu en "
            "arrière",
            seen=text, size=size,
        ))  # fmt: skip
    return int(text)


def _another(size: int) -> Text:
    return words.text(
        "it cosigned another tree of {size} leaves than this log's",
        "il a cosigné un autre arbre de {size} feuilles que celui de ce journal",
        size=size,
    )


def _line(row: sa.RowMapping, note: str, body: bytes) -> str:
    """The witness's own line among those it answered, verified.

    Errors: _Failed.
    """
    try:
        key = notes.verifier(row["verifier"])
        text = body.decode()
        notes.check(notes.parse(note + text), key)
        for each in notes.parse_signatures(text):
            if (each.name, each.key_id) == (key.name, key.key_id):
                return notes.signature_line(each.name, each.key_id + each.payload)
    except (notes.NoteError, UnicodeDecodeError) as error:
        raise _Failed(f"its cosignature does not verify: {error}") from error
    raise _Failed("it answered no signature of its key")


def _keep(connection: Connection, row: sa.RowMapping, size: int, line: str) -> None:
    name = notes.verifier(row["verifier"]).name
    key = (cosignature.c.size == size, cosignature.c.name == name)
    connection.execute(sa.delete(cosignature).where(*key))
    connection.execute(sa.insert(cosignature), {"size": size, "name": name, "line": line})
    _update(connection, row, {"size": size, "seen": clock.now(), "problem": None})


def _update(connection: Connection, row: sa.RowMapping, values: dict[str, object]) -> bool:
    """Whether the witness is still the one that was asked."""
    same = (witness.c.name == row["name"], witness.c.verifier == row["verifier"])
    return bool(connection.execute(sa.update(witness).where(*same).values(**values)).rowcount)


def _accuse(connection: Connection, row: sa.RowMapping, seen: Text) -> None:
    """Tell everyone that a witness saw another log; nothing more is submitted to it."""
    if not _update(connection, row, {"conflict": True, "problem": seen.en}):
        return
    log.error("conflict", witness=row["name"], url=row["url"], problem=seen.en)
    detail: dict[str, object] = {"witness": row["verifier"], "problem": seen.en}
    entry = Leaf(
        action="sovereignty:witness:conflict",
        subject=row["name"],
        request_id="courier",
        status=409,
        project_id=EVERYONE,
        detail=detail,
    )
    append(connection, entry)
    told = words.text(
        "The witness {name} ({key}) saw another log than this one: {seen}. Compare your copies of "
        "the log with the command andromede verify.",
        "Le témoin {name} ({key}) a vu un autre journal que celui-ci : {seen}. Comparez vos copies "
        "du journal avec la commande andromede verify.",
        name=row["name"], key=row["verifier"], seen=seen,
    )  # fmt: skip
    notices.open(connection, "log", None, told.fr, told.en)
