"""The arithmetic of a subnet: is it valid, where do its pools and its gateway lie. Touches nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from andromede.http.errors import ApiError, BadRequest, Conflict
from andromede.services.network.common.checks import Network
from andromede.services.network.common.errors import invalid
from andromede.services.network.subnets.schema import MOST_NAMESERVERS, MOST_ROUTES

Pool = dict[str, str]


def check_block(cidr: str, version: int, dhcp: bool) -> Network:
    """The subnet's block, if it is one that a network can carry.

    Errors: BadRequest (InvalidInput).
    """
    block = ipaddress.ip_network(cidr)
    if block.version != version:
        raise invalid(f"cidr '{cidr}' does not match the ip_version '{version}'")
    if block.prefixlen == 0:
        raise invalid("0 is not allowed as CIDR prefix length")
    if block.is_multicast or block.is_loopback or block.is_link_local:
        raise invalid(f"cidr '{cidr}' is reserved: a unicast block is accepted")
    if block.version == 4 and block.network_address in ipaddress.ip_network("0.0.0.0/8"):
        raise invalid(f"cidr '{cidr}' is reserved: a unicast block is accepted")
    if dhcp:
        check_dhcp(block)
    return block


def check_dhcp(block: Network) -> None:
    """Errors: BadRequest when the block is too small for a gateway, a DHCP server and a port."""
    if block.prefixlen > (30 if block.version == 4 else 126):
        raise invalid("Subnet has a prefix length that is incompatible with DHCP service enabled")


def check_modes(values: Mapping[str, Any]) -> None:
    """How an IPv6 subnet gives addresses.

    Errors: BadRequest when the modes do not fit the subnet or each other.
    """
    ra, address = values["ipv6_ra_mode"], values["ipv6_address_mode"]
    if values["ip_version"] == 4:
        for name in ("ipv6_ra_mode", "ipv6_address_mode"):
            if values[name] is not None:
                raise invalid(f"{name} is not valid when ip_version is 4")
        return
    if ra and address and ra != address:
        raise invalid(
            f"ipv6_ra_mode set to '{ra}' with ipv6_address_mode set to '{address}' is not valid. "
            f"If both attributes are set, they must be the same value"
        )
    if (ra or address) and not values["enable_dhcp"]:
        raise invalid("ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is False")
    automatic = {"slaac", "dhcpv6-stateless"} & {ra, address}
    if automatic and ipaddress.ip_network(values["cidr"]).prefixlen != 64:
        raise invalid(
            f"Invalid CIDR {values['cidr']} for IPv6 address mode. OpenStack uses the EUI-64 "
            f"address format, which requires the prefix to be /64"
        )


def check_overlap(block: Network, others: Iterable[str], network_id: str) -> None:
    """Errors: BadRequest when the block meets another subnet of the network."""
    for cidr in others:
        if block.overlaps(ipaddress.ip_network(cidr)):
            raise invalid(
                f"Requested subnet with cidr: {block} for network: {network_id} overlaps with "
                f"another subnet"
            )


def hosts(block: Network) -> tuple[int, int]:
    """The first and last address that ports may hold."""
    first, last = int(block.network_address), int(block.broadcast_address)
    if block.num_addresses <= 2:
        return first, last
    return first + 1, last - 1 if block.version == 4 else last


def default_gateway(block: Network) -> str:
    """The first address after the block's own."""
    first, _ = hosts(block)
    return str(_address(block, first))


def check_gateway(block: Network, gateway: str) -> None:
    """Errors: BadRequest when a router could not hold the address."""
    address = ipaddress.ip_address(gateway)
    if address.version != block.version:
        raise invalid(f"gateway_ip '{gateway}' does not match the ip_version '{block.version}'")
    if address.version == 6 and address.is_link_local:
        return
    first, last = hosts(block)
    if not first <= int(address) <= last:
        raise invalid(f"Gateway {gateway} is not valid on subnet {block}")


def default_pools(block: Network, gateway: str | None) -> list[Pool]:
    """Every address that ports may hold, but the gateway's."""
    first, last = hosts(block)
    edges = [(first, last)]
    at = int(ipaddress.ip_address(gateway)) if gateway else -1
    if first <= at <= last:
        edges = [(first, at - 1), (at + 1, last)]
    return [
        {"start": str(_address(block, start)), "end": str(_address(block, end))}
        for start, end in edges
        if start <= end
    ]


def check_pools(block: Network, pools: Sequence[Pool], gateway: str | None) -> list[Pool]:
    """The pools in order.

    Errors: BadRequest when one leaves the block; Conflict when two overlap, or one holds the
    gateway.
    """
    first, last = hosts(block)
    edges: list[tuple[int, int, Pool]] = []
    for pool in pools:
        start, end = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
        if start.version != block.version:
            raise BadRequest(
                f"The allocation pool {start}-{end} is not valid.", type="InvalidAllocationPool"
            )
        if int(start) < first or int(end) > last:
            raise BadRequest(
                f"The allocation pool {start}-{end} spans beyond the subnet cidr {block}.",
                type="OutOfBoundsAllocationPool",
            )
        edges.append((int(start), int(end), pool))
    edges.sort(key=lambda edge: edge[0])
    for (_, before, left), (after, _, right) in pairwise(edges):
        if after <= before:
            raise _overlapping(left, right, block)
    ordered = [pool for _, _, pool in edges]
    check_gateway_outside(ordered, gateway)
    return ordered


def check_gateway_outside(pools: Sequence[Pool], gateway: str | None) -> None:
    """Errors: Conflict when a pool would give the gateway's address away."""
    if gateway is None:
        return
    at = ipaddress.ip_address(gateway)
    for pool in pools:
        start, end = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
        if start.version == at.version and int(start) <= int(at) <= int(end):
            raise Conflict(
                f"Gateway ip {gateway} conflicts with allocation pool {start}-{end}.",
                type="GatewayConflictWithAllocationPools",
            )


def check_extras(version: int, nameservers: Sequence[str], routes: Sequence[Pool]) -> None:
    """Name servers and host routes: of the subnet's family, and not too many.

    Errors: BadRequest.
    """
    if len(nameservers) > MOST_NAMESERVERS:
        raise BadRequest(
            f"Unable to complete operation for the subnet. The number of DNS nameservers exceeds "
            f"the limit {MOST_NAMESERVERS}.",
            type="DNSNameServersExhausted",
        )
    if len(routes) > MOST_ROUTES:
        raise BadRequest(
            f"Unable to complete operation for the subnet. The number of host routes exceeds the "
            f"limit {MOST_ROUTES}.",
            type="HostRoutesExhausted",
        )
    for server in nameservers:
        if ipaddress.ip_address(server).version != version:
            raise invalid(f"dns_nameserver '{server}' does not match the ip_version '{version}'")
    for route in routes:
        families = {
            ipaddress.ip_network(route["destination"]).version,
            ipaddress.ip_address(route["nexthop"]).version,
        }
        if families != {version}:
            raise invalid(
                f"host route {route['destination']} via {route['nexthop']} does not match the "
                f"ip_version '{version}'"
            )


def _address(block: Network, value: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(value) if block.version == 4 else ipaddress.IPv6Address(value)


def _overlapping(left: Pool, right: Pool, block: Network) -> ApiError:
    return Conflict(
        f"Found overlapping allocation pools: {left['start']}-{left['end']} "
        f"{right['start']}-{right['end']} for subnet {block}.",
        type="OverlappingAllocationPools",
    )
