"""Tombstones: a deleted network, port or router until the engine has let go of it.

Rows of the nouns go at once, so that names, addresses and limits are free; the number that names
host objects is kept here, and given back when the tombstone goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.network.ranges import store as ranges

removal = table(
    "network_removal",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    identifier("id", primary_key=True),
    identifier("project_id", nullable=False),
    identifier("network_id", nullable=True, index=True),
    sa.Column("number", sa.Integer, nullable=False),
)


def bury(
    connection: Connection, kind: str, row: Mapping[str, Any], network_id: str | None = None
) -> None:
    """Note that a deleted resource may still be on the host."""
    connection.execute(
        sa.insert(removal),
        {
            "kind": kind,
            "id": row["id"],
            "project_id": row["project_id"],
            "network_id": network_id,
            "number": row["number"],
        },
    )


def forget(connection: Connection, kind: str, resource_id: str) -> None:
    """The host holds nothing of it any more."""
    where = (removal.c.kind == kind, removal.c.id == resource_id)
    number = connection.execute(sa.select(removal.c.number).where(*where)).scalar()
    if number is not None:
        connection.execute(sa.delete(removal).where(*where))
        ranges.give_number(connection, kind, number)


def waiting(connection: Connection) -> list[tuple[str, str, str]]:
    """(kind, id, project) of everything that is left to remove."""
    rows = connection.execute(sa.select(removal.c.kind, removal.c.id, removal.c.project_id))
    return [(row.kind, row.id, row.project_id) for row in rows]


def ports_remain(connection: Connection, network_id: str) -> bool:
    """Whether ports of the network are still to be removed."""
    statement = sa.select(removal.c.id).where(
        removal.c.kind == "port", removal.c.network_id == network_id
    )
    return connection.execute(statement.limit(1)).first() is not None
