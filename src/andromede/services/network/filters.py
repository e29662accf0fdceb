"""What filters a network, as the engine's document. Reads stores, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from andromede.db import Connection
from andromede.db.engine import decode_json
from andromede.engine.networks import FirewallSpec, GroupSpec, PortSpec, QosSpec, RuleSpec
from andromede.services.network import specs
from andromede.services.network.addressgroups import store as addressgroups
from andromede.services.network.common.store import Row
from andromede.services.network.firewalls import store as firewalls
from andromede.services.network.firewalls.store import Filtered
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.qos import users
from andromede.services.network.rules import store as rules

NONE = "[]"


def firewall_spec(
    connection: Connection, network_id: str, hosts: Sequence[str]
) -> FirewallSpec | None:
    """All that filters a network on some hosts; None when there is no such row."""
    network = networks.by_id(connection, network_id)
    if network is None:
        return None
    held = firewalls.addresses(connection, network_id, hosts)
    joined = firewalls.groups(connection, network_id, hosts)
    rows_of_ports = firewalls.ports(connection, network_id, hosts)
    limits = users.specs_of(connection, network, (row.qos_policy_id for row in rows_of_ports))
    found = [
        _filtered_spec(
            row,
            network,
            held.get(row.id, ()),
            joined.get(row.id, ()),
            limits.get(row.qos_policy_id),
        )
        for row in rows_of_ports
    ]
    named = {group_id for spec in found for group_id in spec.groups}
    return FirewallSpec(
        network_id=network_id, ports=tuple(found), groups=_group_specs(connection, named)
    )


def _filtered_spec(
    row: Filtered,
    network: Row,
    held: Sequence[str],
    members: Sequence[str],
    qos: QosSpec | None,
) -> PortSpec:
    """As `specs.port_specs`, of one among all of a network: it is built as often as it has ports."""
    options = [] if row.dhcp_options == NONE else decode_json(row.dhcp_options)
    return PortSpec(
        id=row.id,
        number=row.number,
        network_id=network["id"],
        mac=row.mac,
        addresses=tuple(held),
        hostname=ports.hostname(row.dns_name, held),
        enabled=bool(row.up and network["admin_state_up"]),
        port_security=bool(row.secured),
        pairs=() if row.pairs == NONE else specs.pairs_of(decode_json(row.pairs), row.mac),
        groups=tuple(members),
        owner_uid=row.owner_uid,
        dhcp_options=specs.dhcp_options_of(options, 4) if options else (),
        dhcp_options6=specs.dhcp_options_of(options, 6) if options else (),
        qos=qos,
    )


def extended(
    connection: Connection, base: FirewallSpec, port_ids: Sequence[str], hosts: Sequence[str]
) -> FirewallSpec | None:
    """A document with some more of the network's ports, for the price of those alone.

    Whatever else changed since `base` was read is in the whole document that its own change asks
    for. None where only the whole one will do: a port or a group is in `base` otherwise than in
    its rows, or a group is not.
    """
    rows = [
        row
        for row in ports.by_ids(connection, port_ids).values()
        if ports.bound(row) and row["network_id"] == base.network_id and row["host_id"] in hosts
    ]
    held = {each.id: each for each in base.ports}
    joining = [each for each in specs.port_specs(connection, rows) if held.get(each.id) != each]
    known = {each.id: each for each in base.groups}
    named = {group_id for each in joining for group_id in each.groups}
    if any(each.id in held for each in joining) or not _as_ruled(connection, known, named):
        return None
    joined: dict[str, set[str]] = {key: set() for key in named}
    for each in joining:
        for key in each.groups:
            joined[key].update(each.addresses, (pair.ip for pair in each.pairs))
    for key, ips in joined.items():
        members = tuple(sorted(ips.union(known[key].members)))
        known[key] = structs.replace(known[key], members=members)
    return FirewallSpec(
        network_id=base.network_id,
        ports=tuple(sorted([*base.ports, *joining], key=lambda each: each.number)),
        groups=tuple(known.values()),
    )


def _as_ruled(connection: Connection, known: dict[str, GroupSpec], named: set[str]) -> bool:
    """Whether some groups are known, by the rules that they have now."""
    if not named <= known.keys():
        return False
    rows, ruled = groups.by_ids(connection, named), rules.of_groups(connection, named)
    return all(
        rows[key]["stateful"] == known[key].stateful
        and tuple(map(_rule_spec, ruled[key])) == known[key].rules
        for key in named
    )


def _group_specs(connection: Connection, named: set[str]) -> tuple[GroupSpec, ...]:
    """Some groups and those that their rules name; an address group is one without rules."""
    of_groups = rules.of_groups(connection, named)
    every = [rule for many in of_groups.values() for rule in many]
    remote = {rule["remote_group_id"] for rule in every if rule["remote_group_id"]}
    column = "remote_address_group_id"
    listed = addressgroups.addresses_of(
        connection, (rule[column] for rule in every if rule[column])
    )
    rows = groups.by_ids(connection, named | remote)
    members = firewalls.members(connection, rows)
    found = [
        GroupSpec(
            id=key,
            stateful=rows[key]["stateful"],
            rules=tuple(_rule_spec(each) for each in of_groups.get(key, ())),
            members=tuple(members[key]),
        )
        for key in sorted(rows)
    ]
    found += [
        GroupSpec(id=key, stateful=True, rules=(), members=tuple(held))
        for key, held in sorted(listed.items())
    ]
    return tuple(found)


def _rule_spec(row: Row) -> RuleSpec:
    return RuleSpec(
        direction=row["direction"],
        ether=row["ethertype"],
        protocol=row["protocol"],
        port_min=row["port_range_min"],
        port_max=row["port_range_max"],
        remote_cidr=row["remote_ip_prefix"],
        remote_group=row["remote_group_id"] or row["remote_address_group_id"],
    )
