"""The SQL of routers. Their legs are ports; only the gateway's settings are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table
from andromede.services.network.addresses.store import Held, allocation
from andromede.services.network.common.store import (
    Collection,
    Row,
    by_status,
    change,
    note_status,
    own,
    shown_status,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.networks.schema import ZONE
from andromede.services.network.ports.schema import ROUTER_GATEWAY, ROUTER_INTERFACE
from andromede.services.network.ports.store import port
from andromede.services.network.ranges import store as ranges
from andromede.services.network.routers.schema import ROUTER

router = table(
    "router",
    metadata,
    *standard_columns(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("admin_state_up", sa.Boolean, nullable=False),
    identifier("gateway_network_id", nullable=True, index=True),
    identifier("gateway_port_id", nullable=True),
    sa.Column("enable_snat", sa.Boolean, nullable=False),
    sa.Column("routes", Json, nullable=False),
    sa.Column("zone_hints", Json, nullable=False),
)

ROUTERS = Collection(
    ROUTER, router, own(router.c.project_id), {"status": by_status(router.c.status)}
)


def by_id(connection: Connection, router_id: str) -> Row | None:
    row = connection.execute(sa.select(router).where(router.c.id == router_id)).mappings().first()
    return dict(row) if row is not None else None


def insert(connection: Connection, values: Row) -> Row:
    """A new router with a number of its own."""
    row = {**standard_values(), **values, "number": ranges.take_number(connection, "router")}
    connection.execute(sa.insert(router), row)
    return row


def update(connection: Connection, router_id: str, values: Row) -> None:
    change(connection, router, router_id, values)


def set_status(connection: Connection, router_id: str, status: str) -> None:
    """Note what the engine holds; not a change of the resource."""
    note_status(connection, router, [router_id], status)


def delete(connection: Connection, router_id: str) -> None:
    connection.execute(sa.delete(router).where(router.c.id == router_id))


def all_ids(connection: Connection) -> list[tuple[str, str]]:
    """(id, project) of every router."""
    rows = connection.execute(sa.select(router.c.id, router.c.project_id))
    return [(row.id, row.project_id) for row in rows]


def with_gateway_on(connection: Connection, network_id: str) -> list[Row]:
    """The routers whose gateway is on a network."""
    statement = sa.select(router).where(router.c.gateway_network_id == network_id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def interfaces(connection: Connection, router_id: str) -> list[Row]:
    """The ports of a router's legs, without its gateway."""
    statement = (
        sa.select(port)
        .where(port.c.device_id == router_id, port.c.device_owner == ROUTER_INTERFACE)
        .order_by(port.c.created_at, port.c.id)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def legs_on(connection: Connection, network_id: str) -> list[str]:
    """The routers that have a leg or their gateway in a network."""
    statement = (
        sa.select(port.c.device_id)
        .where(
            port.c.network_id == network_id,
            port.c.device_owner.in_([ROUTER_INTERFACE, ROUTER_GATEWAY]),
        )
        .distinct()
    )
    return list(connection.execute(statement).scalars())


def view(row: Mapping[str, Any], outside: Sequence[Held], tags: Sequence[str]) -> Row:
    """A router as clients see it; `outside` are its gateway's addresses."""
    gateway = None
    if row["gateway_network_id"]:
        gateway = {
            "network_id": row["gateway_network_id"],
            "enable_snat": row["enable_snat"],
            "external_fixed_ips": [each.view() for each in outside],
        }
    return {
        **standard_view(row, tags),
        "admin_state_up": row["admin_state_up"],
        "status": shown_status(row["status"]),
        "external_gateway_info": gateway,
        "routes": row["routes"],
        "availability_zone_hints": row["zone_hints"],
        "availability_zones": [ZONE],
    }


def legs_to(connection: Connection, subnet_id: str, outside: str) -> list[tuple[str, str]]:
    """(router, its address) of the routers with a leg in a subnet and a gateway on a network."""
    statement = (
        sa.select(router.c.id, allocation.c.ip)
        .join(port, port.c.device_id == router.c.id)
        .join(allocation, allocation.c.port_id == port.c.id)
        .where(
            router.c.gateway_network_id == outside,
            port.c.device_owner == ROUTER_INTERFACE,
            allocation.c.subnet_id == subnet_id,
        )
        .order_by(router.c.created_at, router.c.id)
    )
    return [(key, ip) for key, ip in connection.execute(statement)]
