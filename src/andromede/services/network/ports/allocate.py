"""Which addresses a port gets: the ones that were asked for, or one of each family."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from andromede.db import Connection
from andromede.http.errors import ApiError, BadRequest, Conflict
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.errors import invalid
from andromede.services.network.common.store import Row

AUTOMATIC = ("slaac", "dhcpv6-stateless")


class Seat(Struct, frozen=True, kw_only=True):
    """The port that gets addresses, and its owner's kind. `machine`: one of a machine, which gives
    itself an address in each subnet of automatic addresses, whatever else it is given."""

    network_id: str
    port_id: str
    mac: str
    owner: str = ""
    machine: bool = False


def allocate(
    connection: Connection,
    seat: Seat,
    subnets: Sequence[Row],
    wanted: Sequence[Mapping[str, str]] | None,
    *,
    first: int = 0,
) -> list[Held]:
    """Take the wanted addresses, or when `wanted` is None one of each family that the network has.

    `first` is the position of the first one among the port's addresses.
    Errors: BadRequest when an address or subnet is not of the network, or its subnet's addresses are
    automatic and it is another; Conflict when an address is held (IpAddressInUse) or none is left
    (IpAddressGenerationFailure).
    """
    if wanted is None:
        return _one_of_each(connection, seat, _serving(seat, subnets))
    if seat.machine:
        wanted = with_automatic(seat, subnets, wanted)
    chosen = [(_subnet_for(seat.network_id, subnets, each), each) for each in wanted]
    # exact addresses first: a pool's next free one must not take what was asked for
    order = sorted(range(len(chosen)), key=lambda at: "ip_address" not in chosen[at][1])
    placed: dict[int, Held] = {}
    for at in order:
        subnet, each = chosen[at]
        ip = each.get("ip_address")
        if ip is None and is_automatic(subnet):
            ip = interface_address(subnet["cidr"], seat.mac)
        if ip is not None:
            placed[at] = addresses.take_exact(connection, subnet, ip, seat.port_id, first + at)
            continue
        found = addresses.take_next(connection, subnet, seat.port_id, first + at)
        if found is None:
            raise exhausted(seat.network_id)
        placed[at] = found
    return [placed[at] for at in range(len(chosen))]


def _serving(seat: Seat, subnets: Sequence[Row]) -> list[Row]:
    """The subnets that are for ports of such an owner.

    Errors: Conflict when each of them is for others.
    """
    found = [each for each in subnets if _serves(each["service_types"], seat.owner)]
    if subnets and not found:
        raise Conflict(
            f"No valid service subnet for the given device owner, network {seat.network_id}: "
            f"'{seat.owner}'.",
            type="IpAddressGenerationFailureNoMatchingSubnet",
        )
    return found


def _serves(kinds: Sequence[str], owner: str) -> bool:
    return not kinds or any(owner == kind or _prefixes(kind, owner) for kind in kinds)


def _prefixes(kind: str, owner: str) -> bool:
    return kind.endswith(":") and owner.startswith(kind)


def _one_of_each(connection: Connection, seat: Seat, subnets: Sequence[Row]) -> list[Held]:
    held: list[Held] = []
    for version in (4, 6):
        pooled = [
            each for each in subnets if each["ip_version"] == version and not is_automatic(each)
        ]
        if pooled:
            held.append(_from_any(connection, seat, pooled, len(held)))
    for subnet in subnets:
        if is_automatic(subnet):
            held.append(takes_exact(connection, subnet, seat.mac, seat.port_id, len(held)))
    return held


def is_automatic(subnet: Mapping[str, Any]) -> bool:
    """Whether hosts of the subnet form their addresses from their MACs."""
    return subnet["ipv6_address_mode"] in AUTOMATIC


def takes_exact(
    connection: Connection, subnet: Mapping[str, Any], mac: str, port_id: str, position: int
) -> Held:
    """Give a port the address that its MAC makes in a subnet.

    Errors: Conflict (IpAddressInUse).
    """
    ip = interface_address(subnet["cidr"], mac)
    return addresses.take_exact(connection, subnet, ip, port_id, position)


def with_automatic(
    seat: Seat, subnets: Sequence[Row], wanted: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    """What is wanted, and an address of each subnet of automatic ones; nothing when that is wanted.

    Errors: BadRequest (InvalidInput) for another address of such a subnet than the MAC's.
    """
    asked = set()
    for each in wanted:
        ip = each.get("ip_address")
        subnet = _subnet_for(seat.network_id, subnets, each)
        asked.add(subnet["id"])
        if ip and is_automatic(subnet) and ip != interface_address(subnet["cidr"], seat.mac):
            raise invalid(
                f"IPv6 address {ip} can not be directly assigned to a port on subnet "
                f"{subnet['id']} since the subnet is configured for automatic addresses"
            )
    if not wanted:
        return []
    implied = [each["id"] for each in subnets if is_automatic(each) and each["id"] not in asked]
    return [*wanted, *({"subnet_id": key} for key in implied)]


def _from_any(connection: Connection, seat: Seat, subnets: Sequence[Row], position: int) -> Held:
    for subnet in subnets:
        held = addresses.take_next(connection, subnet, seat.port_id, position)
        if held is not None:
            return held
    raise exhausted(seat.network_id)


def exhausted(network_id: str) -> ApiError:
    return Conflict(
        f"No more IP addresses available on network {network_id}.",
        type="IpAddressGenerationFailure",
    )


def _subnet_for(network_id: str, subnets: Sequence[Row], wanted: Mapping[str, str]) -> Row:
    """The subnet an asked address is of."""
    ip = wanted.get("ip_address")
    if "subnet_id" in wanted:
        subnet = next((each for each in subnets if each["id"] == wanted["subnet_id"]), None)
        if subnet is None:
            raise invalid(
                f"Failed to create port on network {network_id}, because fixed_ips included "
                f"invalid subnet {wanted['subnet_id']}"
            )
        if ip is not None and not usable(subnet, ip):
            raise BadRequest(
                f"IP address {ip} is not a valid IP for the specified subnet.",
                type="InvalidIpForSubnet",
            )
        return subnet
    for subnet in subnets:
        if ip is not None and usable(subnet, ip):
            return subnet
    raise BadRequest(
        f"IP address {ip} is not a valid IP for any of the subnets on the specified network.",
        type="InvalidIpForNetwork",
    )


def usable(subnet: Mapping[str, Any], ip: str) -> bool:
    """Whether a port may hold the address: in the subnet, and not its network or broadcast one."""
    block = ipaddress.ip_network(subnet["cidr"])
    address = ipaddress.ip_address(ip)
    if address.version != block.version or address not in block:
        return False
    if block.num_addresses <= 2:
        return True
    if address == block.network_address:
        return False
    return block.version == 6 or address != block.broadcast_address


def interface_address(cidr: str, mac: str) -> str:
    """The address a host gives itself from its MAC. Source: RFC 4291, appendix A."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    identifier = bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]])
    block = ipaddress.ip_network(cidr)
    return str(ipaddress.IPv6Address(int(block.network_address) + int.from_bytes(identifier)))
