"""The SQL of port forwardings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.network.common.store import Collection, Row, own
from andromede.services.network.floatingips.store import floating
from andromede.services.network.forwardings.schema import FORWARDING

forwarding = table(
    "network_port_forwarding",
    metadata,
    identifier("id", primary_key=True),
    identifier("project_id", nullable=False),
    identifier("floatingip_id", nullable=False),
    identifier("internal_port_id", nullable=False, index=True),
    sa.Column("description", sa.String(255), nullable=True),
    sa.Column("protocol", sa.String(8), nullable=False),
    sa.Column("internal_ip_address", sa.String(39), nullable=False),
    sa.Column("external_first", sa.Integer, nullable=False),
    sa.Column("external_last", sa.Integer, nullable=False),
    sa.Column("internal_first", sa.Integer, nullable=False),
    sa.Column("internal_last", sa.Integer, nullable=False),
    sa.Index(None, "floatingip_id", "id"),
)

FORWARDINGS = Collection(FORWARDING, forwarding, own(forwarding.c.project_id))


def _rows(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Row]:
    statement = sa.select(forwarding).where(*where).order_by(forwarding.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def of_floatings(connection: Connection, floating_ids: Iterable[str]) -> dict[str, list[Row]]:
    """The forwardings of some floating IPs."""
    wanted = list(floating_ids)
    found: dict[str, list[Row]] = {key: [] for key in wanted}
    if wanted:
        for row in _rows(connection, forwarding.c.floatingip_id.in_(wanted)):
            found[row["floatingip_id"]].append(row)
    return found


def of_port(connection: Connection, port_id: str) -> list[Row]:
    """The forwardings to a port."""
    return _rows(connection, forwarding.c.internal_port_id == port_id)


def of_router(connection: Connection, router_id: str) -> list[Row]:
    """The forwardings that a router does, each with its floating address."""
    statement = (
        sa.select(forwarding, floating.c.floating_ip_address)
        .join(floating, floating.c.id == forwarding.c.floatingip_id)
        .where(floating.c.router_id == router_id)
        .order_by(forwarding.c.id)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]


def insert(connection: Connection, values: Row) -> Row:
    connection.execute(sa.insert(forwarding), values)
    return values


def update(connection: Connection, key: str, values: Row) -> None:
    connection.execute(sa.update(forwarding).where(forwarding.c.id == key).values(values))


def delete(connection: Connection, keys: Iterable[str]) -> None:
    connection.execute(sa.delete(forwarding).where(forwarding.c.id.in_(list(keys))))


def view(row: Mapping[str, Any]) -> Row:
    """A port forwarding as clients see it; a range of one port is that port, too."""
    shown = {
        name: row[name]
        for name in ("id", "description", "protocol", "internal_port_id", "internal_ip_address")
    }
    for side in ("external", "internal"):
        first, last = row[f"{side}_first"], row[f"{side}_last"]
        shown[f"{side}_port"] = first if first == last else None
        shown[f"{side}_port_range"] = f"{first}:{last}"
    return shown


def brief(row: Mapping[str, Any]) -> Row:
    """A port forwarding as its floating IP shows it."""
    return {name: value for name, value in view(row).items() if name != "description"}
