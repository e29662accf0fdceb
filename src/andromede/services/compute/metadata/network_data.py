"""A guest's interfaces as `network_data.json`: links, networks and services.

Source: nova's metadata schema for network_data.json, and what cloud-init reads of it.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from andromede.services.compute.metadata.guest import Address, Guest, Interface

LINK = "bridge"  # the kind of link: one that guests take for a physical card


def network_data(guest: Guest) -> dict[str, Any]:
    """The document. As upstream, an interface shows one address of each family."""
    links: list[dict[str, Any]] = []
    networks: list[dict[str, Any]] = []
    services: list[dict[str, str]] = []
    for interface in guest.interfaces:
        if not interface.addresses:
            continue
        link = _link(interface)
        links.append(link)
        for address in _shown(interface):
            networks.append(_network(interface, address, f"network{len(networks)}", link["id"]))
            services += [each for each in _dns(address) if each not in services]
    return {"links": links, "networks": networks, "services": services}


def _shown(interface: Interface) -> list[Address]:
    first: dict[int, Address] = {}
    for address in interface.addresses:
        first.setdefault(ipaddress.ip_address(address.ip).version, address)
    return [first[version] for version in sorted(first)]


def _link(interface: Interface) -> dict[str, Any]:
    """The MTU is left to DHCP where there is DHCP."""
    leased = any(address.mode == "dhcp" for address in interface.addresses)
    return {
        "id": f"tap{interface.port_id[:11]}",
        "vif_id": interface.port_id,
        "type": LINK,
        "mtu": None if leased else interface.mtu,
        "ethernet_mac_address": interface.mac,
    }


def _network(interface: Interface, address: Address, name: str, link: str) -> dict[str, Any]:
    subnet = ipaddress.ip_network(address.cidr)
    base = {
        "id": name,
        "type": f"ipv{subnet.version}",
        "link": link,
        "network_id": interface.network_id,
    }
    if address.mode == "dhcp":
        return {**base, "type": f"ipv{subnet.version}_dhcp"}
    if address.mode != "static":
        base["type"] = f"ipv{subnet.version}_{address.mode}"
    return {
        **base,
        "ip_address": address.ip,
        "netmask": str(subnet.netmask),
        "routes": [*_default(address, subnet.version), *map(_route, address.routes)],
        "services": _dns(address),
    }


def _default(address: Address, version: int) -> list[dict[str, str]]:
    if address.gateway is None:
        return []
    anywhere = "0.0.0.0" if version == 4 else "::"  # noqa: S104 (a destination)
    return [{"network": anywhere, "netmask": anywhere, "gateway": address.gateway}]


def _route(route: tuple[str, str]) -> dict[str, str]:
    destination = ipaddress.ip_network(route[0])
    return {
        "network": str(destination.network_address),
        "netmask": str(destination.netmask),
        "gateway": route[1],
    }


def _dns(address: Address) -> list[dict[str, str]]:
    return [{"type": "dns", "address": each} for each in address.dns]
