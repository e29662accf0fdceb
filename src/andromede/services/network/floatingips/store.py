"""The SQL of floating IPs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.network.common.store import (
    Collection,
    Row,
    change,
    note_status,
    own,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.floatingips.schema import FLOATING

floating = table(
    "floating_ip",
    metadata,
    *standard_columns(named=False),
    identifier("floating_network_id", nullable=False),
    sa.Column("floating_ip_address", sa.String(39), nullable=False),
    identifier("floating_port_id", nullable=False),
    identifier("port_id", nullable=True),
    sa.Column("fixed_ip_address", sa.String(39), nullable=True),
    identifier("router_id", nullable=True, index=True),
    sa.Column("status", sa.String(16), nullable=False),
    identifier("qos_policy_id", nullable=True, index=True),
    sa.Column("dns_name", sa.String(255), nullable=False),
    sa.Column("dns_domain", sa.String(255), nullable=False),
    sa.UniqueConstraint("floating_network_id", "floating_ip_address"),
    sa.UniqueConstraint("port_id", "fixed_ip_address", "floating_network_id"),
)

FLOATINGS = Collection(FLOATING, floating, own(floating.c.project_id))


def by_id(connection: Connection, floating_id: str) -> Row | None:
    statement = sa.select(floating).where(floating.c.id == floating_id)
    row = connection.execute(statement).mappings().first()
    return dict(row) if row is not None else None


def of_ports(connection: Connection, port_ids: Iterable[str]) -> list[Row]:
    """The floating IPs that stand for addresses of some ports."""
    statement = (
        sa.select(floating)
        .where(floating.c.port_id.in_(sorted(set(port_ids))))
        .order_by(floating.c.floating_ip_address)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def of_router(connection: Connection, router_id: str) -> list[Row]:
    """The floating IPs that a router translates."""
    statement = sa.select(floating).where(floating.c.router_id == router_id).order_by(floating.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def unbound_on(connection: Connection, network_id: str) -> list[Row]:
    """The floating IPs of an external network that stand for nothing, and forward nothing."""
    statement = sa.select(floating).where(
        floating.c.floating_network_id == network_id, floating.c.router_id.is_(None)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def insert(connection: Connection, values: Row) -> Row:
    row = {**standard_values(), **values}
    connection.execute(sa.insert(floating), row)
    return row


def update(connection: Connection, floating_id: str, values: Row) -> None:
    change(connection, floating, floating_id, values)


def set_status(connection: Connection, floating_ids: Iterable[str], status: str) -> None:
    """Note what the engine holds; not a change of the resource."""
    note_status(connection, floating, floating_ids, status)


def delete(connection: Connection, floating_id: str) -> None:
    connection.execute(sa.delete(floating).where(floating.c.id == floating_id))


def view(
    row: Mapping[str, Any],
    port: Mapping[str, Any] | None,
    tags: Sequence[str],
    forwarded: Sequence[Row] = (),
) -> Row:
    """A floating IP as clients see it; `port` is the one it stands for, `forwarded` its port
    forwardings."""
    details = None
    if port is not None:
        details = {
            name: port[name]
            for name in (
                "name", "network_id", "mac_address", "admin_state_up", "status", "device_id",
                "device_owner",
            )
        }  # fmt: skip
    return {
        **{k: v for k, v in standard_view({"name": "", **row}, tags).items() if k != "name"},
        "floating_network_id": row["floating_network_id"],
        "floating_ip_address": row["floating_ip_address"],
        "port_id": row["port_id"],
        "fixed_ip_address": row["fixed_ip_address"],
        "router_id": row["router_id"],
        "status": row["status"],
        "dns_name": row["dns_name"],
        "dns_domain": row["dns_domain"],
        "qos_policy_id": row["qos_policy_id"],
        "port_details": details,
        "port_forwardings": list(forwarded),
    }
