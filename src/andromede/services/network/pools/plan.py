"""The arithmetic of subnet pools: bounds of prefixes, and what is free of them. Touches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from andromede.http.errors import BadRequest, Conflict
from andromede.services.network.common.checks import Network
from andromede.services.network.common.store import Row

LEAST = {4: 8, 6: 64}  # the shortest prefix of a subnet, when a pool does not say
BITS = {4: 32, 6: 128}
UNIT = {4: 32, 6: 64}  # the prefix that a quota counts


def compact(prefixes: Iterable[str]) -> list[str]:
    """The ranges without overlap, in order.

    Errors: BadRequest (PrefixVersionMismatch) when they are of two families.
    """
    found: list[Any] = [ip_network(each) for each in prefixes]
    if len({each.version for each in found}) > 1:
        raise BadRequest(
            "Cannot mix IPv4 and IPv6 prefixes in a subnet pool.", type="PrefixVersionMismatch"
        )
    return [str(each) for each in collapse_addresses(found)]


def bounds(row: Row) -> Row:
    """The prefix lengths of a pool, with what it did not say.

    Errors: BadRequest when they contradict.
    """
    version = row["ip_version"]
    least = _or(row.get("min_prefixlen"), LEAST[version])
    most = _or(row.get("max_prefixlen"), BITS[version])
    usual = _or(row.get("default_prefixlen"), least)
    if most > BITS[version]:
        raise BadRequest(
            f"Illegal prefix bounds: max_prefixlen={most}, ip_version_max={BITS[version]}.",
            type="IllegalSubnetPoolPrefixBounds",
        )
    for wrong, name, value, other, base in (
        (least > most, "min_prefixlen", least, "max_prefixlen", most),
        (usual < least, "default_prefixlen", usual, "min_prefixlen", least),
        (usual > most, "default_prefixlen", usual, "max_prefixlen", most),
    ):
        if wrong:
            raise BadRequest(
                f"Illegal prefix bounds: {name}={value}, {other}={base}.",
                type="IllegalSubnetPoolPrefixBounds",
            )
    return {"min_prefixlen": least, "max_prefixlen": most, "default_prefixlen": usual}


def _or(value: Any, default: int) -> int:
    return value if isinstance(value, int) else default


def check_length(pool: Row, length: int) -> None:
    """Errors: BadRequest when the pool gives no subnets of that size."""
    for name, wrong, word in (
        ("MaxPrefixSubnetAllocationError", length > pool["max_prefixlen"], "maximum"),
        ("MinPrefixSubnetAllocationError", length < pool["min_prefixlen"], "minimum"),
    ):
        if wrong:
            bound = pool["max_prefixlen" if word == "maximum" else "min_prefixlen"]
            raise BadRequest(
                f"Unable to allocate subnet with prefix length {length}, {word} allowed prefix is "
                f"{bound}.",
                type=name,
            )


def units(version: int, cidrs: Iterable[str]) -> int:
    """What subnets count for a pool's quota: addresses of IPv4, networks of /64 of IPv6."""
    lengths = (ip_network(each).prefixlen for each in cidrs)
    return sum(2 ** max(0, UNIT[version] - length) for length in lengths)


def first_free(prefixes: Sequence[str], taken: Iterable[str], length: int) -> Network:
    """The lowest block of that prefix length that no subnet has.

    Errors: Conflict (SubnetAllocationError).
    """
    held = sorted(_edges(ip_network(each)) for each in taken)
    for prefix in (ip_network(each) for each in prefixes):
        size = 2 ** (prefix.max_prefixlen - length)
        at, last = _edges(prefix)
        for low, high in held:
            if low > last or at + size - 1 < low:
                break
            if high >= at:
                at = -(-(high + 1) // size) * size
        if at + size - 1 <= last:
            family = IPv4Network if prefix.version == 4 else IPv6Network
            return family((at, length))
    raise _none_left(f"Insufficient prefix space to allocate subnet size /{length}")


def require_free(prefixes: Iterable[str], taken: Iterable[str], block: Network) -> None:
    """Errors: Conflict (SubnetAllocationError) when the block is not the pool's to give."""
    inside = any(_within(block, ip_network(each)) for each in prefixes)
    if not inside or any(block.overlaps(ip_network(each)) for each in taken):
        raise _none_left("Cannot allocate requested subnet from the available set of prefixes")


def covers(prefixes: Iterable[str], others: Iterable[str]) -> bool:
    """Whether each of the others lies in one of the prefixes."""
    held = [ip_network(each) for each in prefixes]
    return all(any(_within(ip_network(each), prefix) for prefix in held) for each in others)


def meets(left: Iterable[str], right: Sequence[str]) -> bool:
    """Whether two lists of ranges share an address."""
    blocks = [ip_network(each) for each in right]
    return any(ip_network(each).overlaps(block) for each in left for block in blocks)


def without(prefixes: Iterable[str], gone: Iterable[str]) -> list[str]:
    """The ranges without some parts of them."""
    left: list[Any] = [ip_network(each) for each in prefixes]
    for each in map(ip_network, gone):
        kept: list[Any] = []
        for block in left:
            if not block.overlaps(each):
                kept.append(block)
            elif block.prefixlen < each.prefixlen:
                kept += block.address_exclude(each)
        left = kept
    return [str(each) for each in collapse_addresses(left)]


def _edges(block: Network) -> tuple[int, int]:
    return int(block.network_address), int(block.broadcast_address)


def _within(block: Network, prefix: Network) -> bool:
    return (
        block.version == prefix.version
        and block.overlaps(prefix)
        and (block.prefixlen >= prefix.prefixlen)
    )


def _none_left(reason: str) -> Conflict:
    return Conflict(f"Failed to allocate subnet: {reason}.", type="SubnetAllocationError")
