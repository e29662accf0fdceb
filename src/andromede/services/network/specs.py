"""Rows to the engine's documents. Reads stores, writes nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from andromede.db import Connection
from andromede.db.engine import decode_json
from andromede.engine.networks import (
    AddressPair,
    FirewallSpec,
    GroupSpec,
    NetworkSpec,
    PortSpec,
    QosSpec,
    RuleSpec,
    SubnetSpec,
)
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.addressgroups import store as addressgroups
from andromede.services.network.common.store import Row
from andromede.services.network.firewalls import store as firewalls
from andromede.services.network.firewalls.store import Filtered
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.schema import DHCP
from andromede.services.network.qos import users
from andromede.services.network.rules import store as rules
from andromede.services.network.subnets import store as subnets

NONE = "[]"
DOMAIN = "openstacklocal"  # of networks that name none, as upstream


def domain(network: Mapping[str, Any]) -> str:
    """The domain of a network's names, without a final dot."""
    return str(network["dns_domain"].rstrip(".") or DOMAIN)


def network_spec(connection: Connection, network_id: str) -> NetworkSpec | None:
    """The document of a network; None when there is no such row."""
    row = networks.by_id(connection, network_id)
    if row is None:
        return None
    dhcp = ports.owned(connection, network_id, DHCP)
    held = addresses.of_ports(connection, (each["id"] for each in dhcp))
    by_subnet = {each.subnet_id: each.ip for many in held.values() for each in many}
    return NetworkSpec(
        id=row["id"],
        number=row["number"],
        project_id=row["project_id"],
        mtu=row["mtu"],
        external=row["external"],
        subnets=tuple(
            _subnet_spec(each, by_subnet.get(each["id"]))
            for each in subnets.of_network(connection, network_id)
        ),
        dns_domain=domain(row),
        dhcp_mac=dhcp[0]["mac_address"] if dhcp else row["dhcp_mac"],
    )


def _subnet_spec(row: Row, dhcp_address: str | None) -> SubnetSpec:
    return SubnetSpec(
        id=row["id"],
        cidr=row["cidr"],
        gateway=row["gateway_ip"],
        dhcp=row["enable_dhcp"],
        dhcp_address=dhcp_address,
        dns_servers=tuple(row["dns_nameservers"]),
        routes=tuple((each["destination"], each["nexthop"]) for each in row["host_routes"]),
        ra_mode=row["ipv6_ra_mode"],
        address_mode=row["ipv6_address_mode"],
    )


def port_specs(connection: Connection, rows: Sequence[Row]) -> list[PortSpec]:
    """The documents of some ports, in the order given."""
    ids = [row["id"] for row in rows]
    held = addresses.of_ports(connection, ids)
    members = groups.of_ports(connection, ids)
    nets = networks.by_ids(connection, (row["network_id"] for row in rows))
    limits = {
        key: users.specs_of(
            connection,
            network,
            (row["qos_policy_id"] for row in rows if row["network_id"] == key),
        )
        for key, network in nets.items()
    }
    return [
        _port_spec(
            row,
            nets[row["network_id"]],
            held[row["id"]],
            members[row["id"]],
            limits[row["network_id"]].get(row["qos_policy_id"]),
        )
        for row in rows
    ]


def _port_spec(
    row: Row, network: Row, held: Sequence[Held], members: Sequence[str], qos: QosSpec | None
) -> PortSpec:
    return PortSpec(
        id=row["id"],
        number=row["number"],
        network_id=row["network_id"],
        mac=row["mac_address"],
        addresses=tuple(each.ip for each in held),
        hostname=ports.hostname(row["dns_name"], [each.ip for each in held]),
        enabled=row["admin_state_up"] and network["admin_state_up"],
        port_security=row["port_security_enabled"],
        pairs=_pairs(row["pairs"], row["mac_address"]),
        groups=tuple(members),
        owner_uid=row["owner_uid"],
        dhcp_options=_dhcp_options(row["dhcp_options"], 4),
        dhcp_options6=_dhcp_options(row["dhcp_options"], 6),
        qos=qos,
    )


def _filtered_spec(
    row: Filtered,
    network: Row,
    held: Sequence[str],
    members: Sequence[str],
    qos: QosSpec | None,
) -> PortSpec:
    """As `_port_spec`, of one among all of a network: it is built as often as it has ports."""
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
        pairs=() if row.pairs == NONE else _pairs(decode_json(row.pairs), row.mac),
        groups=tuple(members),
        owner_uid=row.owner_uid,
        dhcp_options=_dhcp_options(options, 4) if options else (),
        dhcp_options6=_dhcp_options(options, 6) if options else (),
        qos=qos,
    )


def _pairs(pairs: Iterable[Mapping[str, str]], mac: str) -> tuple[AddressPair, ...]:
    return tuple(AddressPair(each["ip_address"], each.get("mac_address", mac)) for each in pairs)


def _dhcp_options(
    options: Iterable[Mapping[str, Any]], version: int
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each["opt_name"], each["opt_value"])
        for each in options
        if each["opt_value"] is not None and each["ip_version"] == version
    )


def firewall_spec(connection: Connection, network_id: str) -> FirewallSpec | None:
    """All that filters a network; None when there is no such row."""
    network = networks.by_id(connection, network_id)
    if network is None:
        return None
    held = firewalls.addresses(connection, network_id)
    joined = firewalls.groups(connection, network_id)
    rows_of_ports = firewalls.ports(connection, network_id)
    limits = users.specs_of(connection, network, (row.qos_policy_id for row in rows_of_ports))
    specs = [
        _filtered_spec(
            row,
            network,
            held.get(row.id, ()),
            joined.get(row.id, ()),
            limits.get(row.qos_policy_id),
        )
        for row in rows_of_ports
    ]
    named = {group_id for spec in specs for group_id in spec.groups}
    return FirewallSpec(
        network_id=network_id, ports=tuple(specs), groups=_group_specs(connection, named)
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


def with_prefix(ip: str, cidr: str) -> str:
    """`10.0.0.1` of `10.0.0.0/24` as `10.0.0.1/24`."""
    return f"{ip}/{ipaddress.ip_network(cidr).prefixlen}"
