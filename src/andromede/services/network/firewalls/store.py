"""All that a network's filters on some hosts are made of, by a few statements however many ports it
has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import NamedTuple

import sqlalchemy as sa

from andromede.db import Connection
from andromede.db.plain import Statement, several
from andromede.services.network.addresses.store import allocation
from andromede.services.network.groups.store import member
from andromede.services.network.ports.store import is_bound, port

_HERE = (
    port.c.network_id == sa.bindparam("network"),
    is_bound(),
    port.c.host_id.in_(several("hosts")),
)
_PORTS = Statement(
    sa.select(
        port.c.id, port.c.number, port.c.mac_address, port.c.dns_name, port.c.owner_uid,
        sa.cast(port.c.admin_state_up, sa.Integer),
        sa.cast(port.c.port_security_enabled, sa.Integer),
        sa.cast(port.c.pairs, sa.Text),
        sa.cast(port.c.dhcp_options, sa.Text),
        port.c.qos_policy_id,
    )
    .where(*_HERE)
    .order_by(port.c.number)
)  # fmt: skip
_ADDRESSES = Statement(
    sa.select(allocation.c.port_id, allocation.c.ip)
    .join(port, port.c.id == allocation.c.port_id)
    .where(*_HERE)
    .order_by(allocation.c.port_id, allocation.c.position)
)
_GROUPS = Statement(
    sa.select(member.c.port_id, member.c.group_id)
    .join(port, port.c.id == member.c.port_id)
    .where(*_HERE)
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


class Filtered(NamedTuple):
    """A server's port, as far as filters and the names in DNS go. What is JSON is text still: of
    thousands of ports nearly all have none."""

    id: str
    number: int
    mac: str
    dns_name: str
    owner_uid: int | None
    up: int
    secured: int
    pairs: str
    dhcp_options: str
    qos_policy_id: str | None


def ports(connection: Connection, network_id: str, hosts: Sequence[str]) -> list[Filtered]:
    """The servers' ports on a network and some hosts."""
    here = {"network": network_id, "hosts": hosts}
    return list(starmap(Filtered, _PORTS.rows(connection, here)))


def addresses(
    connection: Connection, network_id: str, hosts: Sequence[str]
) -> dict[str, list[str]]:
    """The addresses of these ports, in each one's order."""
    found: dict[str, list[str]] = {}
    for port_id, ip in _ADDRESSES.rows(connection, {"network": network_id, "hosts": hosts}):
        found.setdefault(port_id, []).append(ip)
    return found


def groups(connection: Connection, network_id: str, hosts: Sequence[str]) -> dict[str, list[str]]:
    """The groups of these ports, sorted."""
    found: dict[str, list[str]] = {}
    for port_id, group_id in _GROUPS.rows(connection, {"network": network_id, "hosts": hosts}):
        found.setdefault(port_id, []).append(group_id)
    for many in found.values():
        many.sort()
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
