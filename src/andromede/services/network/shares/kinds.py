"""What can be shared, and who of others makes use of it: the SQL that keeps what is used shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from andromede.db import Connection
from andromede.services.network.addressgroups.store import GROUPS as ADDRESS_GROUPS
from andromede.services.network.common.store import Collection, Where
from andromede.services.network.floatingips.store import floating
from andromede.services.network.groups.store import GROUPS, member
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.pools.store import POOLS, pool
from andromede.services.network.ports.store import port
from andromede.services.network.qos.store import POLICIES
from andromede.services.network.qos.users import ON
from andromede.services.network.routers.store import router
from andromede.services.network.rules.store import rule
from andromede.services.network.scopes.store import SCOPES
from andromede.services.network.shares.store import EVERYONE, EXTERNAL, SHARED, policy
from andromede.services.network.subnets.store import subnet

Users = Callable[[str], sa.Select[tuple[str]]]  # the projects that use an object


@dataclass(frozen=True)
class Kind:
    """A type of object that policies are about. `users` gives by action the projects that use an
    object of it, as a select of their ids."""

    collection: Collection
    users: dict[str, Users]


def _owners(rows: sa.Table, column: sa.ColumnElement[str]) -> Users:
    return lambda key: sa.select(rows.c.project_id).where(column == key)


def _of_ports(key: str) -> sa.Select[tuple[str]]:
    return sa.select(port.c.project_id).where(port.c.network_id == key)


def _through(key: str) -> sa.Select[tuple[str]]:
    outside = sa.select(router.c.project_id).where(router.c.gateway_network_id == key)
    floats = sa.select(floating.c.project_id).where(floating.c.floating_network_id == key)
    both = sa.union_all(outside, floats).subquery()
    return sa.select(both.c.project_id)


def _members(key: str) -> sa.Select[tuple[str]]:
    ports = sa.select(port.c.project_id).join(member, member.c.port_id == port.c.id)
    naming = sa.select(rule.c.project_id).where(rule.c.remote_group_id == key)
    both = sa.union_all(ports.where(member.c.group_id == key), naming).subquery()
    return sa.select(both.c.project_id)


def _limited(key: str) -> sa.Select[tuple[str]]:
    both = sa.union_all(
        *(sa.select(t.c.project_id).where(t.c.qos_policy_id == key) for t in ON.values())
    ).subquery()
    return sa.select(both.c.project_id)


KINDS = {
    "network": Kind(NETWORKS, {SHARED: _of_ports, EXTERNAL: _through}),
    "security_group": Kind(GROUPS, {SHARED: _members}),
    "address_group": Kind(ADDRESS_GROUPS, {SHARED: _owners(rule, rule.c.remote_address_group_id)}),
    "address_scope": Kind(SCOPES, {SHARED: _owners(pool, pool.c.address_scope_id)}),
    "qos_policy": Kind(POLICIES, {SHARED: _limited}),
    "subnetpool": Kind(POOLS, {SHARED: _owners(subnet, subnet.c.subnetpool_id)}),
}


def in_use(
    connection: Connection, kind: str, object_id: str, owner: str, action: str, target: str
) -> bool:
    """Whether a project that the policy lets, and no other policy does, uses the object."""
    users = KINDS[kind].users[action](object_id).subquery()
    others = sa.select(policy.c.target_tenant).where(
        policy.c.object_id == object_id,
        policy.c.action == action,
        policy.c.target_tenant != target,
    )
    named = users.c.project_id
    conditions: list[Where] = [
        named.not_in([owner, ""]),
        named.not_in(others),
        ~sa.select(others.subquery()).where(sa.literal(EVERYONE).in_(others)).exists(),
    ]
    if target != EVERYONE:
        conditions.append(named == target)
    return connection.execute(sa.select(named).where(*conditions).limit(1)).first() is not None
