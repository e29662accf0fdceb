"""Rows to the engine's documents. Reads stores, writes nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from andromede.db import Connection
from andromede.engine.networks import (
    AddressPair,
    NetworkSpec,
    PortSpec,
    QosSpec,
    SubnetSpec,
)
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.schema import DHCP
from andromede.services.network.qos import users
from andromede.services.network.subnets import store as subnets

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
        pairs=pairs_of(row["pairs"], row["mac_address"]),
        groups=tuple(members),
        owner_uid=row["owner_uid"],
        dhcp_options=dhcp_options_of(row["dhcp_options"], 4),
        dhcp_options6=dhcp_options_of(row["dhcp_options"], 6),
        qos=qos,
    )


def pairs_of(pairs: Iterable[Mapping[str, str]], mac: str) -> tuple[AddressPair, ...]:
    """The allowed address pairs of a port, whose MAC is that of pairs that name none."""
    return tuple(AddressPair(each["ip_address"], each.get("mac_address", mac)) for each in pairs)


def dhcp_options_of(
    options: Iterable[Mapping[str, Any]], version: int
) -> tuple[tuple[str, str], ...]:
    """The extra DHCP options of a port, for one version of IP."""
    return tuple(
        (each["opt_name"], each["opt_value"])
        for each in options
        if each["opt_value"] is not None and each["ip_version"] == version
    )


def with_prefix(ip: str, cidr: str) -> str:
    """`10.0.0.1` of `10.0.0.0/24` as `10.0.0.1/24`."""
    return f"{ip}/{ipaddress.ip_network(cidr).prefixlen}"
