"""The SQL of default security group rules.

Four are there from the beginning, as upstream has them: everything may leave every group, and what
comes from members may enter a project's default one. They are not rows: a row with `active` false
and the id of one says that it was deleted.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.network.common.store import Row, Where
from andromede.services.network.groups.schema import ETHER_TYPES
from andromede.services.network.templates.schema import PARENT

MOST = 100
FIELDS = (
    "direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix",
    "remote_group_id", "remote_address_group_id",
)  # fmt: skip

template = table(
    "network_default_rule",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("description", sa.String(255), nullable=True),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("ethertype", sa.String(8), nullable=False),
    sa.Column("protocol", sa.String(16), nullable=True),
    sa.Column("port_range_min", sa.Integer, nullable=True),
    sa.Column("port_range_max", sa.Integer, nullable=True),
    sa.Column("remote_ip_prefix", sa.String(43), nullable=True),
    identifier("remote_group_id", nullable=True),
    identifier("remote_address_group_id", nullable=True),
    sa.Column("used_in_default_sg", sa.Boolean, nullable=False),
    sa.Column("used_in_non_default_sg", sa.Boolean, nullable=False),
)


def _builtin(direction: str, ether: str) -> Row:
    row: Row = dict.fromkeys(FIELDS)
    return {
        **row,
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"andromede default rule {direction} {ether}")),
        "active": True,
        "description": "",
        "direction": direction,
        "ethertype": ether,
        "remote_group_id": PARENT if direction == "ingress" else None,
        "used_in_default_sg": True,
        "used_in_non_default_sg": direction == "egress",
    }


BUILTIN = {
    row["id"]: row
    for row in (_builtin(way, ether) for way in ("egress", "ingress") for ether in ETHER_TYPES)
}


def every(connection: Connection) -> list[Row]:
    """All that hold; an operator makes a handful."""
    rows = [
        dict(row)
        for row in connection.execute(sa.select(template).order_by(template.c.id)).mappings()
    ]
    gone = {row["id"] for row in rows if not row["active"]}
    return [
        *(row for key, row in BUILTIN.items() if key not in gone),
        *(row for row in rows if row["active"]),
    ]


def of_new(connection: Connection, *, default: bool) -> list[Row]:
    """Those that a new group begins with: a project's default one, or another."""
    name = "used_in_default_sg" if default else "used_in_non_default_sg"
    return [row for row in every(connection) if row[name]]


def insert(connection: Connection, values: Row) -> Row:
    row = {**values, "active": True}
    connection.execute(sa.insert(template), row)
    return row


def delete(connection: Connection, template_id: str) -> None:
    if template_id in BUILTIN:
        connection.execute(sa.insert(template), {**BUILTIN[template_id], "active": False})
    else:
        connection.execute(sa.delete(template).where(template.c.id == template_id))


def naming(connection: Connection, group_id: str) -> bool:
    """Whether a default rule names a security group or an address group."""
    statement = sa.select(template.c.id).where(_names(group_id)).limit(1)
    return connection.execute(statement).first() is not None


def forget(connection: Connection, group_id: str) -> None:
    """Remove the default rules that name a group that goes."""
    connection.execute(sa.delete(template).where(_names(group_id)))


def _names(group_id: str) -> Where:
    return sa.or_(
        template.c.remote_group_id == group_id, template.c.remote_address_group_id == group_id
    )


def view(row: Mapping[str, Any]) -> Row:
    """A default rule as clients see it."""
    shown = ("id", "description", *FIELDS, "used_in_default_sg", "used_in_non_default_sg")
    return {name: row[name] for name in shown}
