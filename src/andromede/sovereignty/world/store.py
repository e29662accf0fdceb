"""The tables of the declared world, one document a row: the only SQL of it."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.sovereignty import generation
from andromede.sovereignty.world.model import Contract, Declared, Entity, Holding, Site, World

site = table(
    "world_site",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)
entity = table(
    "world_entity",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)
holding = table(
    "world_holding",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)
contract = table(
    "world_contract",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)
NOUNS: dict[str, tuple[sa.Table, type[Declared]]] = {
    "sites": (site, Site),
    "entities": (entity, Entity),
    "holdings": (holding, Holding),
    "contracts": (contract, Contract),
}


def load(connection: Connection) -> World:
    """All that is declared."""
    parts: dict[str, Any] = {}
    for noun, (rows, kind) in NOUNS.items():
        found = connection.execute(sa.select(rows.c.id, rows.c.document).order_by(rows.c.id))
        parts[noun] = {key: msgspec.json.decode(text, type=kind) for key, text in found}
    return World(**parts)


def save(connection: Connection, before: World, after: World) -> bool:
    """Make the rows of `before` those of `after`; whether anything changed, and with it the
    generation."""
    changed = False
    for noun, (rows, _) in NOUNS.items():
        old, new = getattr(before, noun), getattr(after, noun)
        gone = [key for key in old if key not in new]
        moved = [key for key in new if key in old and new[key] != old[key]]
        added = [key for key in new if key not in old]
        for key in gone:
            connection.execute(sa.delete(rows).where(rows.c.id == key))
        for key in moved:
            connection.execute(sa.update(rows).where(rows.c.id == key).values(_row(key, new[key])))
        for key in added:
            connection.execute(sa.insert(rows), _row(key, new[key]))
        changed = changed or bool(gone or moved or added)
    if changed:
        generation.bump(connection)
    return changed


def page(connection: Connection, noun: str, marker: str | None, limit: int) -> list[Any]:
    """The declarations of a noun after a marker, by name or id."""
    rows, kind = NOUNS[noun]
    after = [] if marker is None else [rows.c.id > marker]
    wanted = sa.select(rows.c.document).where(*after).order_by(rows.c.id).limit(limit)
    found = connection.execute(wanted).scalars()
    return [msgspec.json.decode(text, type=kind) for text in found]


def find(connection: Connection, noun: str, key: str) -> Any | None:
    """One declaration by its name or id."""
    rows, kind = NOUNS[noun]
    text = connection.execute(sa.select(rows.c.document).where(rows.c.id == key)).scalar()
    return None if text is None else msgspec.json.decode(text, type=kind)


def _row(key: str, value: Declared) -> dict[str, str]:
    return {"id": key, "document": msgspec.json.encode(value).decode()}
