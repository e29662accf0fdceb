"""The SQL of subnet pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table
from andromede.services.network.common.store import (
    Collection,
    Row,
    change,
    drop_tags,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.pools.schema import POOL
from andromede.services.network.shares import store as shares
from andromede.services.network.subnets.store import subnet

pool = table(
    "network_subnet_pool",
    metadata,
    *standard_columns(),
    sa.Column("prefixes", Json, nullable=False),
    sa.Column("ip_version", sa.Integer, nullable=False),
    sa.Column("default_quota", sa.Integer, nullable=True),
    sa.Column("default_prefixlen", sa.Integer, nullable=False),
    sa.Column("min_prefixlen", sa.Integer, nullable=False),
    sa.Column("max_prefixlen", sa.Integer, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    identifier("address_scope_id", nullable=True, index=True),
)

POOLS = Collection(POOL, pool, shares.seen(pool), {"shared": shares.filtering(pool)})


def insert(connection: Connection, values: Row) -> Row:
    row = {**standard_values(), **values}
    connection.execute(sa.insert(pool), row)
    return row


def update(connection: Connection, pool_id: str, values: Row) -> None:
    change(connection, pool, pool_id, values)


def delete(connection: Connection, pool_id: str) -> None:
    shares.forget(connection, pool_id)
    drop_tags(connection, pool_id)
    connection.execute(sa.delete(pool).where(pool.c.id == pool_id))


def default(connection: Connection, version: int) -> Row | None:
    """The pool that subnets are cut from when the default one is asked for."""
    statement = sa.select(pool).where(pool.c.is_default == sa.true(), pool.c.ip_version == version)
    row = connection.execute(statement.limit(1)).mappings().first()
    return dict(row) if row is not None else None


def of_scope(connection: Connection, scope_id: str) -> list[Row]:
    """The pools of an address scope."""
    statement = sa.select(pool).where(pool.c.address_scope_id == scope_id).order_by(pool.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def blocks(connection: Connection, pool_id: str, project_id: str | None = None) -> list[str]:
    """The subnets that were cut from a pool, of a project or of all."""
    statement = sa.select(subnet.c.cidr).where(subnet.c.subnetpool_id == pool_id)
    if project_id is not None:
        statement = statement.where(subnet.c.project_id == project_id)
    return list(connection.execute(statement).scalars())


def networks_of(connection: Connection, pool_id: str) -> list[str]:
    """The networks with subnets of a pool."""
    statement = sa.select(subnet.c.network_id).where(subnet.c.subnetpool_id == pool_id).distinct()
    return list(connection.execute(statement).scalars())


def scopes_of(
    connection: Connection, network_ids: Iterable[str]
) -> dict[str, dict[int, str | None]]:
    """The address scopes of some networks, by IP version: those of their subnets' pools."""
    wanted = list(network_ids)
    if not wanted:
        return {}
    statement = (
        sa.select(subnet.c.network_id, pool.c.ip_version, pool.c.address_scope_id)
        .join(pool, pool.c.id == subnet.c.subnetpool_id)
        .where(subnet.c.network_id.in_(wanted))
    )
    found: dict[str, dict[int, str | None]] = {key: {} for key in wanted}
    for network_id, version, scope_id in connection.execute(statement):
        found[network_id][version] = scope_id
    return found


def view(row: Mapping[str, Any], shared: bool, tags: Sequence[str]) -> Row:
    """A subnet pool as clients see it; its lengths are text, as upstream's are."""
    return {
        **standard_view(row, tags),
        "prefixes": row["prefixes"],
        "ip_version": row["ip_version"],
        "default_quota": row["default_quota"],
        "default_prefixlen": str(row["default_prefixlen"]),
        "min_prefixlen": str(row["min_prefixlen"]),
        "max_prefixlen": str(row["max_prefixlen"]),
        "is_default": row["is_default"],
        "address_scope_id": row["address_scope_id"],
        "shared": shared,
    }
