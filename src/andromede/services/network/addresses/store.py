"""Allocation of addresses to ports. One row per address held, unique in its subnet."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import identifier, table
from andromede.services.network.common.errors import in_use
from andromede.services.network.ranges import store as ranges

allocation = table(
    "network_ip_allocation",
    metadata,
    identifier("subnet_id", primary_key=True),
    sa.Column("address", sa.String(32), primary_key=True),
    sa.Column("ip", sa.String(39), nullable=False),
    identifier("network_id", nullable=False),
    identifier("port_id", nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("ix_network_ip_allocation_port", "port_id", "position"),
    sa.Index("ix_network_ip_allocation_ip", "network_id", "ip"),
    sa.Index("ix_network_ip_allocation_address", "ip"),
)

_HELD = Statement(
    "SELECT port_id FROM network_ip_allocation WHERE subnet_id = :subnet_id AND address = :address"
)
_INSERT = Statement(
    "INSERT INTO network_ip_allocation (subnet_id, address, ip, network_id, port_id, position)"
    " VALUES (:subnet_id, :address, :ip, :network_id, :port_id, :position)"
)
_DELETE = Statement(
    "DELETE FROM network_ip_allocation WHERE subnet_id = :subnet_id AND address = :address"
)
_OF_PORTS = Statement(
    sa.select(allocation.c.port_id, allocation.c.subnet_id, allocation.c.ip)
    .where(allocation.c.port_id.in_(several("keys")))
    .order_by(allocation.c.port_id, allocation.c.position)
)


class Held(Struct, frozen=True):
    """An address that a port holds."""

    subnet_id: str
    ip: str

    def view(self) -> dict[str, str]:
        return {"subnet_id": self.subnet_id, "ip_address": self.ip}


def pool_ranges(pools: Iterable[Mapping[str, str]]) -> list[ranges.Range]:
    """Allocation pools as ranges of numbers."""
    return [
        (int(ipaddress.ip_address(pool["start"])), int(ipaddress.ip_address(pool["end"])))
        for pool in pools
    ]


def open_pools(connection: Connection, subnet_id: str, pools: list[dict[str, str]]) -> None:
    """Set a subnet's pools: free is what they hold and no port has."""
    taken = connection.execute(
        sa.select(allocation.c.address).where(allocation.c.subnet_id == subnet_id)
    ).scalars()
    free = ranges.subtract(pool_ranges(pools), (int(each, 16) for each in taken))
    ranges.replace(connection, subnet_id, free)


def close_pools(connection: Connection, subnet_id: str) -> None:
    """Forget a subnet's pools."""
    ranges.drop(connection, subnet_id)


def take_next(
    connection: Connection, subnet: Mapping[str, Any], port_id: str, position: int
) -> Held | None:
    """Give the port the lowest free address of the subnet's pools; None when they are used up."""
    value = ranges.take_lowest(connection, subnet["id"])
    if value is None:
        return None
    family = ipaddress.IPv4Address if subnet["ip_version"] == 4 else ipaddress.IPv6Address
    held = Held(subnet["id"], str(family(value)))
    _record(connection, subnet["network_id"], held, port_id, position)
    return held


def take_exact(
    connection: Connection, subnet: Mapping[str, Any], ip: str, port_id: str, position: int
) -> Held:
    """Give the port one address of the subnet, in a pool or not.

    Errors: Conflict (IpAddressInUse) when a port holds it.
    """
    value = int(ipaddress.ip_address(ip))
    found = _HELD.first(connection, {"subnet_id": subnet["id"], "address": ranges.spell(value)})
    if found is not None:
        raise in_use(
            "IpAddressInUse",
            f"Unable to complete operation for network {subnet['network_id']}. "
            f"The IP address {ip} is in use.",
        )
    ranges.take(connection, subnet["id"], value)
    held = Held(subnet["id"], ip)
    _record(connection, subnet["network_id"], held, port_id, position)
    return held


def _record(
    connection: Connection, network_id: str, held: Held, port_id: str, position: int
) -> None:
    _INSERT.run(
        connection,
        {
            "subnet_id": held.subnet_id,
            "address": ranges.spell(int(ipaddress.ip_address(held.ip))),
            "ip": held.ip,
            "network_id": network_id,
            "port_id": port_id,
            "position": position,
        },
    )


def release(connection: Connection, held: Held, pools: Iterable[Mapping[str, str]]) -> None:
    """Take an address from its port; it is free again if a pool of its subnet holds it."""
    value = int(ipaddress.ip_address(held.ip))
    _DELETE.run(connection, {"subnet_id": held.subnet_id, "address": ranges.spell(value)})
    if any(first <= value <= last for first, last in pool_ranges(pools)):
        ranges.give(connection, held.subnet_id, value)


def of_ports(connection: Connection, port_ids: Iterable[str]) -> dict[str, list[Held]]:
    """The addresses of some ports, in each port's order."""
    wanted = list(port_ids)
    found: dict[str, list[Held]] = {key: [] for key in wanted}
    if wanted:
        for port_id, subnet_id, ip in _OF_PORTS.rows(connection, {"keys": wanted}):
            found[port_id].append(Held(subnet_id, ip))
    return found


def port_at(connection: Connection, network_id: str, ip: str) -> str | None:
    """The port that holds an address on a network."""
    return connection.execute(
        sa.select(allocation.c.port_id).where(
            allocation.c.network_id == network_id, allocation.c.ip == ip
        )
    ).scalar()


def holders(connection: Connection, subnet_id: str, most: int = 100) -> list[tuple[str, str]]:
    """(port, address) of a subnet's allocations, at most `most`."""
    statement = (
        sa.select(allocation.c.port_id, allocation.c.ip)
        .where(allocation.c.subnet_id == subnet_id)
        .order_by(allocation.c.address)
        .limit(most)
    )
    return [(row.port_id, row.ip) for row in connection.execute(statement)]


def all_holders(connection: Connection, subnet_id: str) -> list[tuple[str, str]]:
    """(port, address) of every allocation of a subnet."""
    statement = sa.select(allocation.c.port_id, allocation.c.ip).where(
        allocation.c.subnet_id == subnet_id
    )
    return [(row.port_id, row.ip) for row in connection.execute(statement)]


def used(connection: Connection, subnet_ids: Iterable[str]) -> dict[str, int]:
    """How many addresses of each subnet are held."""
    wanted = list(subnet_ids)
    if not wanted:
        return {}
    statement = (
        sa.select(allocation.c.subnet_id, sa.func.count())
        .where(allocation.c.subnet_id.in_(wanted))
        .group_by(allocation.c.subnet_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def reorder(connection: Connection, port_id: str, held: Iterable[Held]) -> None:
    """Note the order of a port's addresses."""
    for position, each in enumerate(held):
        connection.execute(
            sa.update(allocation)
            .where(
                allocation.c.port_id == port_id,
                allocation.c.subnet_id == each.subnet_id,
                allocation.c.ip == each.ip,
            )
            .values(position=position)
        )
