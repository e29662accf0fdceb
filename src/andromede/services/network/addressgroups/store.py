"""The SQL of address groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, table
from andromede.services.network.addressgroups.schema import ADDRESS_GROUP
from andromede.services.network.common.store import (
    Collection,
    Row,
    change,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.shares import store as shares

group = table(
    "network_address_group",
    metadata,
    *standard_columns(),
    sa.Column("addresses", Json, nullable=False),
)

GROUPS = Collection(ADDRESS_GROUP, group, shares.seen(group), {"shared": shares.filtering(group)})


def insert(connection: Connection, values: Row) -> Row:
    row = {**standard_values(), **values}
    connection.execute(sa.insert(group), row)
    return row


def update(connection: Connection, group_id: str, values: Row) -> None:
    change(connection, group, group_id, values)


def delete(connection: Connection, group_id: str) -> None:
    shares.forget(connection, group_id)
    connection.execute(sa.delete(group).where(group.c.id == group_id))


def addresses_of(connection: Connection, group_ids: Iterable[str]) -> dict[str, list[str]]:
    """The addresses of some groups."""
    wanted = sorted(set(group_ids))
    if not wanted:
        return {}
    statement = sa.select(group.c.id, group.c.addresses).where(group.c.id.in_(wanted))
    return {row.id: row.addresses for row in connection.execute(statement)}


def view(row: Mapping[str, Any]) -> Row:
    """An address group as clients see it."""
    shown = {k: v for k, v in standard_view(row, ()).items() if k != "tags"}
    return {**shown, "addresses": row["addresses"]}
