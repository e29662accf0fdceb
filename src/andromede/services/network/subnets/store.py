"""The SQL of subnets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import Json, identifier, table
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common.store import (
    Collection,
    Project,
    Row,
    Where,
    change,
    drop_tags,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.networks.store import network, of_others
from andromede.services.network.subnets.schema import SUBNET

subnet = table(
    "subnet",
    metadata,
    *standard_columns(),
    identifier("network_id", nullable=False),
    sa.Column("ip_version", sa.Integer, nullable=False),
    sa.Column("cidr", sa.String(43), nullable=False),
    sa.Column("gateway_ip", sa.String(39), nullable=True),
    sa.Column("pools", Json, nullable=False),
    sa.Column("enable_dhcp", sa.Boolean, nullable=False),
    sa.Column("dns_nameservers", Json, nullable=False),
    sa.Column("host_routes", Json, nullable=False),
    sa.Column("ipv6_ra_mode", sa.String(16), nullable=True),
    sa.Column("ipv6_address_mode", sa.String(16), nullable=True),
    identifier("subnetpool_id", nullable=True, index=True),
    sa.Column("service_types", Json, nullable=False, server_default="[]"),
    sa.Index(None, "network_id", "id"),
)


def seen(project: Project) -> list[Where]:
    """A project sees its own subnets, and those of networks that others let it see."""
    on = subnet.alias("on_networks")
    shown = sa.select(on.c.id).where(on.c.network_id.in_(of_others(project)))
    return [subnet.c.project_id == project, subnet.c.id.in_(shown)]


def _shared(values: Sequence[str]) -> Where:
    wanted = values[-1].lower() in ("true", "1")
    return subnet.c.network_id.in_(sa.select(network.c.id).where(network.c.shared == wanted))


def _external(values: Sequence[str]) -> Where:
    wanted = values[-1].lower() in ("true", "1")
    return subnet.c.network_id.in_(sa.select(network.c.id).where(network.c.external == wanted))


SUBNETS = Collection(SUBNET, subnet, seen, {"shared": _shared, "router:external": _external})
_OF_NETWORK = Statement(
    sa.select(subnet)
    .where(subnet.c.network_id == sa.bindparam("key"))
    .order_by(subnet.c.created_at, subnet.c.id)
)
_BY_IDS = Statement(sa.select(subnet).where(subnet.c.id.in_(several("keys"))))


def of_network(connection: Connection, network_id: str) -> list[Row]:
    """The subnets of a network, oldest first."""
    return _OF_NETWORK.mappings(connection, {"key": network_id})


def by_ids(connection: Connection, subnet_ids: Iterable[str]) -> dict[str, Row]:
    rows = _BY_IDS.mappings(connection, {"keys": sorted(set(subnet_ids))})
    return {row["id"]: row for row in rows}


def by_id(connection: Connection, subnet_id: str) -> Row | None:
    return by_ids(connection, [subnet_id]).get(subnet_id)


def ids_of_networks(connection: Connection, network_ids: Iterable[str]) -> dict[str, list[str]]:
    """The subnets' ids of some networks."""
    wanted = list(network_ids)
    found: dict[str, list[str]] = {key: [] for key in wanted}
    if wanted:
        statement = (
            sa.select(subnet.c.network_id, subnet.c.id)
            .where(subnet.c.network_id.in_(wanted))
            .order_by(subnet.c.created_at, subnet.c.id)
        )
        for row in connection.execute(statement):
            found[row.network_id].append(row.id)
    return found


def insert(connection: Connection, values: Row) -> Row:
    blank: Row = {"subnetpool_id": None, "service_types": []}
    row = {**blank, **standard_values(), **values}
    connection.execute(sa.insert(subnet), row)
    return row


def update(connection: Connection, subnet_id: str, values: Row) -> None:
    change(connection, subnet, subnet_id, values)


def remove(connection: Connection, subnet_id: str) -> None:
    """Delete a subnet with its pools and tags; no port holds an address of it."""
    addresses.close_pools(connection, subnet_id)
    drop_tags(connection, subnet_id)
    connection.execute(sa.delete(subnet).where(subnet.c.id == subnet_id))


def view(row: Mapping[str, Any], tags: Sequence[str]) -> Row:
    """A subnet as clients see it."""
    return {
        **standard_view(row, tags),
        "network_id": row["network_id"],
        "ip_version": row["ip_version"],
        "cidr": row["cidr"],
        "gateway_ip": row["gateway_ip"],
        "allocation_pools": row["pools"],
        "dns_nameservers": row["dns_nameservers"],
        "host_routes": row["host_routes"],
        "enable_dhcp": row["enable_dhcp"],
        "ipv6_ra_mode": row["ipv6_ra_mode"],
        "ipv6_address_mode": row["ipv6_address_mode"],
        "subnetpool_id": row["subnetpool_id"],
        "service_types": row["service_types"],
    }
