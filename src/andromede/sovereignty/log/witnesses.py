"""The witnesses of this log, and what each last cosigned; and the logs this cloud is a witness of."""

from __future__ import annotations

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, table
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log.sequencer import checkpoint

SETTLED = 3600 * clock.SECOND  # by when a witness that works has cosigned a checkpoint

witness = table(
    "witness",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("certificate", sa.Text, nullable=True),  # PEM of who signed its server's
    sa.Column("size", sa.BigInteger, nullable=False),  # the tree it last cosigned
    sa.Column("seen", Moment, nullable=True),  # when it last cosigned
    sa.Column("problem", sa.Text, nullable=True),  # why the last attempt failed
    sa.Column("conflict", sa.Boolean, nullable=False),  # it saw another log than this one
)
cosignature = table(
    "cosignature",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(255), primary_key=True),  # of the witness's key
    sa.Column("line", sa.Text, nullable=False),
)
witnessed_log = table(
    "witnessed_log",
    metadata,
    sa.Column("origin", sa.String(255), primary_key=True),
    sa.Column("verifier", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # of the newest checkpoint cosigned
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("time", Moment, nullable=True),
    sa.Column("conflict", sa.Text, nullable=True),  # a signed note that contradicts the one above
)


def verifiers(connection: Connection) -> list[str]:
    """The verifier keys of the configured witnesses."""
    wanted = sa.select(witness.c.verifier).order_by(witness.c.name)
    return list(connection.execute(wanted).scalars())


def all_of(connection: Connection) -> list[sa.RowMapping]:
    """The configured witnesses."""
    return list(connection.execute(sa.select(witness).order_by(witness.c.name)).mappings())


def vouching(connection: Connection) -> list[str]:
    """The configured witnesses, by name, that cosigned the newest checkpoint that is an hour old, or
    a later one: they vouch for the whole log but for its last hour at most."""
    settled = connection.execute(
        sa.select(checkpoint.c.size)
        .where(checkpoint.c.time <= clock.now() - SETTLED)
        .order_by(checkpoint.c.size.desc())
        .limit(1)
    ).scalar()
    return [row["name"] for row in all_of(connection) if _cosigned(connection, row, settled or 0)]


def _cosigned(connection: Connection, row: sa.RowMapping, size: int) -> bool:
    """Whether a witness cosigned a checkpoint of at least that size; its signature is verified."""
    key = notes.verifier(row["verifier"])
    wanted = (
        sa.select(checkpoint.c.note, cosignature.c.line)
        .join(checkpoint, checkpoint.c.size == cosignature.c.size)
        .where(cosignature.c.size >= size, cosignature.c.name == key.name)
        .order_by(cosignature.c.size.desc())
        .limit(1)
    )
    found = connection.execute(wanted).first()
    if found is None or row["conflict"]:
        return False
    try:
        return bool(notes.signed_by(notes.parse(found.note + found.line), [key]))
    except notes.NoteError:
        return False


def put(
    connection: Connection, name: str, url: str, verifier: str, certificate: str | None
) -> None:
    """Configure a witness anew: what was known of it is forgotten, its cosignatures stay."""
    remove(connection, name)
    row = {"name": name, "url": url, "verifier": verifier, "certificate": certificate}
    connection.execute(sa.insert(witness), {**row, "size": 0, "conflict": False})


def remove(connection: Connection, name: str) -> bool:
    """Whether there was one."""
    return bool(connection.execute(sa.delete(witness).where(witness.c.name == name)).rowcount)
