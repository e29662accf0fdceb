"""The SQL of looking for rows of the network service that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from andromede.db import Connection
from andromede.services.network.addresses.store import allocation
from andromede.services.network.addressgroups.store import group as address_group
from andromede.services.network.common.store import tag
from andromede.services.network.floatingips.store import floating
from andromede.services.network.forwardings.store import forwarding
from andromede.services.network.groups.store import default_group, group, member
from andromede.services.network.networks.store import network
from andromede.services.network.pools.store import pool
from andromede.services.network.ports.schema import ROUTER_GATEWAY, ROUTER_INTERFACE
from andromede.services.network.ports.store import is_bound, port
from andromede.services.network.qos.store import policy as qos_policy
from andromede.services.network.qos.store import rule as qos_rule
from andromede.services.network.qos.users import ON
from andromede.services.network.ranges.store import Range, free_range
from andromede.services.network.removals.store import removal
from andromede.services.network.routers.store import router
from andromede.services.network.rules.store import rule
from andromede.services.network.scopes.store import scope
from andromede.services.network.shares.kinds import KINDS
from andromede.services.network.shares.store import policy
from andromede.services.network.subnets.store import subnet

NUMBERED = {"network": network, "port": port, "router": router}
TAGGED = (qos_policy, network, subnet, pool, port, router, floating, group, rule)


class Reference(NamedTuple):
    """A column that names a row of another table; `only` narrows the rows that must."""

    kind: str
    subject: sa.Column[str]
    names: sa.Column[str]
    target: sa.Table
    only: sa.ColumnElement[bool] | None = None


REFERENCES = (
    Reference("subnet", subnet.c.id, subnet.c.network_id, network),
    Reference("subnet", subnet.c.id, subnet.c.subnetpool_id, pool),
    Reference("subnet pool", pool.c.id, pool.c.address_scope_id, scope),
    Reference("port", port.c.id, port.c.network_id, network),
    Reference(
        "port", port.c.id, port.c.device_id, router,
        port.c.device_owner.in_([ROUTER_INTERFACE, ROUTER_GATEWAY]),
    ),
    Reference("address", allocation.c.ip, allocation.c.port_id, port),
    Reference("address", allocation.c.ip, allocation.c.subnet_id, subnet),
    Reference("router", router.c.id, router.c.gateway_network_id, network),
    Reference("router", router.c.id, router.c.gateway_port_id, port),
    Reference("floating IP", floating.c.id, floating.c.floating_network_id, network),
    Reference("floating IP", floating.c.id, floating.c.floating_port_id, port),
    Reference("floating IP", floating.c.id, floating.c.port_id, port),
    Reference("floating IP", floating.c.id, floating.c.router_id, router),
    *(Reference(kind, t.c.id, t.c.qos_policy_id, qos_policy) for kind, t in ON.items()),
    Reference("QoS rule", qos_rule.c.id, qos_rule.c.policy_id, qos_policy),
    Reference("port forwarding", forwarding.c.id, forwarding.c.floatingip_id, floating),
    Reference("port forwarding", forwarding.c.id, forwarding.c.internal_port_id, port),
    Reference("security group rule", rule.c.id, rule.c.security_group_id, group),
    Reference("security group rule", rule.c.id, rule.c.remote_group_id, group),
    Reference("security group rule", rule.c.id, rule.c.remote_address_group_id, address_group),
    Reference("security group member", member.c.port_id, member.c.port_id, port),
    Reference("security group member", member.c.port_id, member.c.group_id, group),
    Reference("default security group", default_group.c.project_id, default_group.c.group_id, group),
    *(
        Reference("sharing policy", policy.c.id, policy.c.object_id, kind.collection.table,
                  policy.c.object_type == name)
        for name, kind in KINDS.items()
    ),
)  # fmt: skip


def dangling(connection: Connection, reference: Reference) -> list[tuple[str, str]]:
    """(subject, what it names) of every row that names a row which is not there."""
    there = sa.select(sa.literal(1)).where(reference.target.c.id == reference.names)
    statement = sa.select(reference.subject, reference.names).where(
        reference.names.is_not(None), reference.names != "", ~there.exists()
    )
    if reference.only is not None:
        statement = statement.where(reference.only)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def stray_tags(connection: Connection) -> list[str]:
    """Ids that have tags and are nobody's."""
    known = sa.union_all(*(sa.select(each.c.id) for each in TAGGED)).subquery()
    statement = (
        sa.select(tag.c.resource_id).where(tag.c.resource_id.not_in(sa.select(known))).distinct()
    )
    return list(connection.execute(statement).scalars())


def unheld_fixed(connection: Connection) -> list[tuple[str, str]]:
    """(floating IP, fixed address) where the port does not hold that address."""
    held = sa.select(sa.literal(1)).where(
        allocation.c.port_id == floating.c.port_id, allocation.c.ip == floating.c.fixed_ip_address
    )
    statement = sa.select(floating.c.id, floating.c.fixed_ip_address).where(
        floating.c.port_id.is_not(None), ~held.exists()
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]


def numbers(connection: Connection, kind: str) -> list[int]:
    """The numbers in use for a kind of host object, by rows and by tombstones."""
    rows = NUMBERED[kind]
    used = sa.union_all(
        sa.select(rows.c.number), sa.select(removal.c.number).where(removal.c.kind == kind)
    )
    return list(connection.execute(used).scalars())


def free(connection: Connection, scope: str) -> list[Range]:
    """The free ranges of a scope, in order."""
    statement = (
        sa.select(free_range.c.first, free_range.c.last)
        .where(free_range.c.scope == scope)
        .order_by(free_range.c.first)
    )
    return [(int(row.first, 16), int(row.last, 16)) for row in connection.execute(statement)]


def scopes(connection: Connection) -> set[str]:
    """Every scope that has free ranges."""
    return set(connection.execute(sa.select(free_range.c.scope).distinct()).scalars())


def subnets(connection: Connection) -> list[sa.RowMapping]:
    """Id, CIDR and pools of every subnet."""
    columns = sa.select(subnet.c.id, subnet.c.cidr, subnet.c.pools)
    return list(connection.execute(columns).mappings())


def addresses(connection: Connection, subnet_id: str) -> list[int]:
    """The addresses of a subnet that ports hold."""
    statement = sa.select(allocation.c.address).where(allocation.c.subnet_id == subnet_id)
    return [int(each, 16) for each in connection.execute(statement).scalars()]


def statuses(connection: Connection, kind: str) -> dict[str, str]:
    """The status of every network or router."""
    rows = NUMBERED[kind]
    found = connection.execute(sa.select(rows.c.id, rows.c.status))
    return {row.id: row.status for row in found}


def on_host(connection: Connection) -> tuple[set[str], set[str]]:
    """Ports that servers hold, and others that the engine may still hold."""
    bound = set(connection.execute(sa.select(port.c.id).where(is_bound())).scalars())
    rest = connection.execute(sa.select(port.c.id).where(port.c.on_host == sa.true())).scalars()
    return bound, set(rest) - bound


def buried(connection: Connection) -> set[tuple[str, str]]:
    """(kind, id) of every tombstone."""
    rows = connection.execute(sa.select(removal.c.kind, removal.c.id))
    return {(row.kind, row.id) for row in rows}


def held_by_servers(connection: Connection) -> Iterable[tuple[str, str]]:
    """(port, server) of every port that names a server."""
    statement = sa.select(port.c.id, port.c.device_id).where(is_bound())
    return [(row.id, row.device_id) for row in connection.execute(statement)]
