"""What a guest is told of its network. Source: OpenStack's `network_data.json`, as its schema in
nova's documentation has it."""

from __future__ import annotations

import ipaddress
from typing import Any

from andromede.db import Connection
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.store import Row
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import store as ports
from andromede.services.network.subnets import store as subnets

METADATA = "169.254.169.254"


def network_data(connection: Connection, server_id: str) -> dict[str, Any]:
    """Links, networks and services of a server's cards, in the guest's order."""
    rows = ports.of_servers(connection, [server_id])
    held = addresses.of_ports(connection, (row["id"] for row in rows))
    nets = networks.by_ids(connection, (row["network_id"] for row in rows))
    blocks = subnets.by_ids(connection, (each.subnet_id for many in held.values() for each in many))
    links: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    services: list[dict[str, Any]] = []
    for row in rows:
        link = f"tap{row['id'][:11]}"
        links.append(
            {
                "id": link,
                "vif_id": row["id"],
                "type": "bridge",
                "mtu": nets[row["network_id"]]["mtu"],
                "ethernet_mac_address": row["mac_address"],
            }
        )
        for each in held[row["id"]]:
            block = blocks[each.subnet_id]
            entries.append(_entry(f"network{len(entries)}", link, row, each, block))
            services += [{"type": "dns", "address": server} for server in block["dns_nameservers"]]
    unique = [each for at, each in enumerate(services) if each not in services[:at]]
    return {"links": links, "networks": entries, "services": unique}


def _entry(key: str, link: str, row: Row, held: Held, block: Row) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": key, "link": link, "network_id": row["network_id"]}
    kind = f"ipv{block['ip_version']}"
    if block["enable_dhcp"]:
        kind_dhcp = {"slaac": "ipv6_slaac", "dhcpv6-stateless": "ipv6_dhcpv6-stateless",
                     "dhcpv6-stateful": "ipv6_dhcpv6-stateful"}  # fmt: skip
        mode = kind_dhcp.get(block["ipv6_address_mode"] or "")
        return {**entry, "type": mode or f"{kind}_dhcp"}
    network = ipaddress.ip_network(block["cidr"])
    routes = [_route(each["destination"], each["nexthop"]) for each in block["host_routes"]]
    if block["gateway_ip"]:
        everywhere = "0.0.0.0/0" if block["ip_version"] == 4 else "::/0"
        routes.insert(0, _route(everywhere, block["gateway_ip"]))
    return {
        **entry,
        "type": kind,
        "ip_address": held.ip,
        "netmask": str(network.netmask),
        "routes": routes,
        "services": [{"type": "dns", "address": each} for each in block["dns_nameservers"]],
    }


def _route(destination: str, gateway: str) -> dict[str, str]:
    network = ipaddress.ip_network(destination)
    return {
        "network": str(network.network_address),
        "netmask": str(network.netmask),
        "gateway": gateway,
    }
