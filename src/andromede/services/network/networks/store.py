"""The SQL of networks: rows, who sees them, and what is left to remove from the host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import Json, identifier, table
from andromede.services.network.common.store import (
    Collection,
    Project,
    Row,
    Where,
    by_status,
    change,
    note_status,
    shown_status,
    standard_columns,
    standard_values,
    standard_view,
)
from andromede.services.network.networks.schema import NETWORK, TYPE, ZONE
from andromede.services.network.ranges import store as ranges
from andromede.services.network.shares import store as shares

network = table(
    "network",
    metadata,
    *standard_columns(),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("admin_state_up", sa.Boolean, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("external", sa.Boolean, nullable=False),
    sa.Column("external_to_all", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("mtu", sa.Integer, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("port_security_enabled", sa.Boolean, nullable=False),
    sa.Column("dns_domain", sa.String(255), nullable=False),
    sa.Column("zone_hints", Json, nullable=False),
    identifier("qos_policy_id", nullable=True, index=True),
    sa.Column("dhcp_mac", sa.String(17), nullable=False),
    sa.Column("dhcp_hosted", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index(None, "shared", "id"),
    sa.Index(None, "external", "id"),
    sa.Index(None, "external_to_all", "id"),
)


ACTIONS = {"shared": shares.SHARED, "external": shares.EXTERNAL}  # of policies for every project


NO_SCOPES: Mapping[int, str | None] = {}


def seen(project: Project) -> list[Where]:
    """A project sees its own networks, and those shared with it or external to it."""
    return [network.c.project_id == project, network.c.id.in_(of_others(project))]


def of_others(project: Project) -> sa.CompoundSelect[tuple[str]]:
    """The ids of networks that a project sees whosever they are: few, chosen by indexes."""
    there = network.alias("there")
    return sa.union_all(
        sa.select(there.c.id).where(there.c.shared == sa.true()),
        sa.select(there.c.id).where(there.c.external_to_all == sa.true()),
        shares.named(project),
    )


def hosted() -> Where:
    """Networks that have DHCP where their subnets ask for it."""
    return network.c.dhcp_hosted == sa.true()


def _of_type(values: Sequence[str]) -> Where:
    """Every network is of one type."""
    return sa.true() if TYPE in values else sa.false()


def _on_segment(_: Sequence[str]) -> Where:
    """No network lies on a physical network or a numbered segment."""
    return sa.false()


RELATED = {
    "status": by_status(network.c.status),
    "provider:network_type": _of_type,
    "provider:physical_network": _on_segment,
    "provider:segmentation_id": _on_segment,
}
NETWORKS = Collection(NETWORK, network, seen, RELATED)
_BY_IDS = Statement(sa.select(network).where(network.c.id.in_(several("keys"))))


def by_id(connection: Connection, network_id: str) -> Row | None:
    """A network, whoever asks."""
    return _BY_IDS.mapping(connection, {"keys": [network_id]})


def by_ids(connection: Connection, network_ids: Iterable[str]) -> dict[str, Row]:
    rows = _BY_IDS.mappings(connection, {"keys": sorted(set(network_ids))})
    return {row["id"]: row for row in rows}


def is_shared(connection: Connection, row: Mapping[str, Any], project_id: str) -> bool:
    """Whether a project may attach to the network as if it were its own."""
    return bool(row["shared"] or shares.shared_with(connection, project_id, [row["id"]]))


def insert(connection: Connection, values: Row) -> Row:
    """A new network with a number of its own."""
    row: Row = {"dhcp_hosted": True, "qos_policy_id": None, **standard_values(), **values}
    row["external_to_all"] = row["external"]
    row["number"] = ranges.take_number(connection, "network")
    connection.execute(sa.insert(network), row)
    for name, action in ACTIONS.items():
        if row[name]:
            shares.share(connection, row["project_id"], "network", row["id"], action=action)
    return row


def update(connection: Connection, network_id: str, values: Row) -> None:
    change(connection, network, network_id, values)


def set_status(connection: Connection, network_id: str, status: str) -> None:
    """Note what the engine holds; not a change of the resource."""
    note_status(connection, network, [network_id], status)


def delete(connection: Connection, network_id: str) -> None:
    shares.forget(connection, network_id)
    connection.execute(sa.delete(network).where(network.c.id == network_id))


def all_ids(connection: Connection) -> list[tuple[str, str]]:
    """(id, project) of every network."""
    return [
        (row.id, row.project_id)
        for row in connection.execute(sa.select(network.c.id, network.c.project_id))
    ]


def usable(connection: Connection, project_id: str) -> list[Row]:
    """The networks a project may attach servers to: its own, or else the shared ones."""
    for condition in (
        sa.and_(network.c.project_id == project_id, network.c.external == sa.false()),
        sa.and_(
            sa.or_(network.c.shared == sa.true(), shares.reached(network.c.id, project_id)),
            network.c.external == sa.false(),
        ),
    ):
        statement = sa.select(network).where(condition).order_by(network.c.id).limit(2)
        found = [dict(row) for row in connection.execute(statement).mappings()]
        if found:
            return found
    return []


def first_external(connection: Connection) -> str | None:
    """The oldest external network."""
    statement = (
        sa.select(network.c.id)
        .where(network.c.external == sa.true())
        .order_by(network.c.created_at, network.c.id)
        .limit(1)
    )
    return connection.execute(statement).scalar()


def view(
    row: Mapping[str, Any],
    subnets: Sequence[str],
    tags: Sequence[str],
    *,
    shared: bool,
    scopes: Mapping[int, str | None] = NO_SCOPES,
) -> Row:
    """A network as clients see it, `shared` with who asks or not; `scopes` are its address scopes by
    IP version. Its segments are all of one host: type `local`."""
    return {
        **standard_view(row, tags),
        "admin_state_up": row["admin_state_up"],
        "status": shown_status(row["status"]),
        "subnets": list(subnets),
        "shared": shared,
        "router:external": row["external"],
        "ipv4_address_scope": scopes.get(4),
        "ipv6_address_scope": scopes.get(6),
        "mtu": row["mtu"],
        "is_default": row["is_default"],
        "qos_policy_id": row["qos_policy_id"],
        "port_security_enabled": row["port_security_enabled"],
        "dns_domain": row["dns_domain"],
        "availability_zone_hints": row["zone_hints"],
        "availability_zones": [ZONE],
        "provider:network_type": TYPE,
        "provider:physical_network": None,
        "provider:segmentation_id": None,
    }
