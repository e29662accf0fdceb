"""All that a network's filters are made of, by a few statements however many ports it has."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from andromede.db import Connection
from andromede.db.plain import Statement, several
from andromede.services.network.addresses.store import Held, allocation
from andromede.services.network.common.store import Row
from andromede.services.network.groups.store import member
from andromede.services.network.ports.store import is_bound, port

_ON_NETWORK = port.c.network_id == sa.bindparam("network")
_PORTS = Statement(
    sa.select(
        port.c.id, port.c.number, port.c.network_id, port.c.mac_address, port.c.dns_name,
        port.c.admin_state_up, port.c.port_security_enabled, port.c.pairs, port.c.owner_uid,
        port.c.dhcp_options,
    )
    .where(_ON_NETWORK, is_bound())
    .order_by(port.c.number)
)  # fmt: skip
_ADDRESSES = Statement(
    sa.select(allocation.c.port_id, allocation.c.subnet_id, allocation.c.ip)
    .where(allocation.c.network_id == sa.bindparam("network"))
    .order_by(allocation.c.port_id, allocation.c.position)
)
_GROUPS = Statement(
    sa.select(member.c.port_id, member.c.group_id)
    .join(port, port.c.id == member.c.port_id)
    .where(_ON_NETWORK, is_bound())
    .order_by(member.c.group_id)
)
_MEMBERS = Statement(
    sa.select(member.c.group_id, allocation.c.ip)
    .join(port, port.c.id == member.c.port_id)
    .join(allocation, allocation.c.port_id == member.c.port_id)
    .where(member.c.group_id.in_(several("groups")), is_bound())
)
_PAIRS = Statement(
    sa.select(member.c.group_id, port.c.pairs)
    .join(port, port.c.id == member.c.port_id)
    .where(
        member.c.group_id.in_(several("groups")),
        is_bound(),
        sa.cast(port.c.pairs, sa.Text) != "[]",
    )
)


def ports(connection: Connection, network_id: str) -> list[Row]:
    """The servers' ports on a network, with the columns that filters are made of."""
    return _PORTS.mappings(connection, {"network": network_id})


def addresses(connection: Connection, network_id: str) -> dict[str, list[Held]]:
    """The addresses of the ports on a network, in each one's order."""
    found: dict[str, list[Held]] = {}
    for port_id, subnet_id, ip in _ADDRESSES.rows(connection, {"network": network_id}):
        found.setdefault(port_id, []).append(Held(subnet_id, ip))
    return found


def groups(connection: Connection, network_id: str) -> dict[str, list[str]]:
    """The groups of the servers' ports on a network, sorted."""
    found: dict[str, list[str]] = {}
    for port_id, group_id in _GROUPS.rows(connection, {"network": network_id}):
        found.setdefault(port_id, []).append(group_id)
    return found


def members(connection: Connection, group_ids: Iterable[str]) -> dict[str, list[str]]:
    """The addresses, and pairs' addresses, of the servers' ports in some groups, on any network."""
    wanted = sorted(set(group_ids))
    found: dict[str, set[str]] = {key: set() for key in wanted}
    for group_id, ip in _MEMBERS.rows(connection, {"groups": wanted}):
        found[group_id].add(ip)
    for group_id, pairs in _PAIRS.rows(connection, {"groups": wanted}):
        found[group_id].update(pair["ip_address"] for pair in pairs)
    return {key: sorted(values) for key, values in found.items()}
