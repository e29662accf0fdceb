"""Security group rules as nftables matches, and the same rules asked of one connection.

Pure: both readings live here so that they cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from msgspec import Struct

from andromede.engine.embedded.net.table import Set
from andromede.engine.networks import RuleSpec
from andromede.engine.protocol import EngineError

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": ICMP,
    "icmpv6": ICMPV6, "igmp": 2, "ip": 4, "ipip": 4, "ipv6-encap": 41, "ipv6-frag": 44,
    "ipv6-icmp": ICMPV6, "ipv6-nonxt": 59, "ipv6-opts": 60, "ipv6-route": 43, "ospf": 89,
    "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": TCP, "udp": UDP, "udplite": 136, "vrrp": 112,
}  # fmt: skip
WITH_PORTS = frozenset({TCP, UDP, 33, 132, 136})
Members = Mapping[str, tuple[str, ...]]  # group id to addresses or CIDRs


class Flow(Struct, frozen=True, kw_only=True):
    """A connection as its first packet: `low` is the destination port or the ICMP type."""

    source: str
    destination: str
    protocol: int
    low: int | None = None
    code: int | None = None  # the ICMP code


def set_name(group_id: str, ether: str) -> str:
    """The name of the set with a group's member addresses of one family."""
    return f"m_{group_id.replace('-', '_')}_{'4' if ether == 'IPv4' else '6'}"


def number_of(rule: RuleSpec) -> int | None:
    """The rule's IP protocol number; None: any.

    Errors: EngineError when the protocol is unknown or does not fit the address family.
    """
    if rule.protocol is None or rule.protocol.lower() == "any":
        return None
    name = rule.protocol.lower()
    number = int(name) if name.isdecimal() else PROTOCOLS.get(name, -1)
    if not 0 <= number <= 255:
        raise _refusal(rule, "protocols are names that the IANA gave, or numbers from 0 to 255")
    if rule.ether == "IPv6" and number == ICMP:
        return ICMPV6
    if rule.ether == "IPv4" and number == ICMPV6:
        raise _refusal(rule, "ICMPv6 goes with IPv6 only")
    return number


def match(rule: RuleSpec, members: Members) -> str | None:
    """The rule as an nftables match; None when nothing can match it (an empty remote group)."""
    if rule.ether not in ("IPv4", "IPv6") or rule.direction not in ("ingress", "egress"):
        raise _refusal(rule, "ether is IPv4 or IPv6, direction ingress or egress")
    family = "ip" if rule.ether == "IPv4" else "ip6"
    side = f"{family} {'saddr' if rule.direction == 'ingress' else 'daddr'}"
    parts = [f"meta protocol {family}"]
    if rule.remote_group is not None:
        if not _of_family(members.get(rule.remote_group, ()), rule.ether):
            return None
        parts.append(f"{side} @{set_name(rule.remote_group, rule.ether)}")
    if rule.remote_cidr is not None:
        remote = ip_network(rule.remote_cidr, strict=False)
        if remote.version != (4 if rule.ether == "IPv4" else 6):
            raise _refusal(rule, "the remote CIDR must be of the rule's family")
        if remote.prefixlen:
            parts.append(f"{side} {remote}")
    return " ".join(parts + _transport(rule))


def _transport(rule: RuleSpec) -> list[str]:
    number = number_of(rule)
    if number is None:
        if rule.port_min is not None or rule.port_max is not None:
            raise _refusal(rule, "ports need a protocol")
        return []
    parts = [f"meta l4proto {number}"]
    if number in (ICMP, ICMPV6):
        family = "icmp" if number == ICMP else "icmpv6"
        _within(rule, 255)
        if rule.port_min is not None:
            parts.append(f"{family} type {rule.port_min}")
        if rule.port_max is not None:
            parts.append(f"{family} code {rule.port_max}")
        return parts
    if rule.port_min is None and rule.port_max is None:
        return parts
    if number not in WITH_PORTS:
        raise _refusal(rule, "only tcp, udp, udplite, sctp and dccp have ports")
    _within(rule, 65_535)
    low, high = _range(rule)
    if low > high:
        raise _refusal(rule, "the lowest port must not be above the highest")
    parts.append(f"th dport {low}" if low == high else f"th dport {low}-{high}")
    return parts


def allows(rule: RuleSpec, flow: Flow, members: Members) -> bool:
    """Whether the rule lets the connection begin, as `match` would."""
    peer = flow.source if rule.direction == "ingress" else flow.destination
    if (ip_address(peer).version == 4) != (rule.ether == "IPv4"):
        return False
    if rule.remote_group is not None and not covers(members.get(rule.remote_group, ()), peer):
        return False
    if rule.remote_cidr is not None and not covers((rule.remote_cidr,), peer):
        return False
    return _carries(rule, flow)


def _carries(rule: RuleSpec, flow: Flow) -> bool:
    """Whether protocol, ports and ICMP type are the rule's."""
    number = number_of(rule)
    if number is None:
        return True
    if number != flow.protocol:
        return False
    if number in (ICMP, ICMPV6):
        return rule.port_min in (None, flow.low) and rule.port_max in (None, flow.code)
    if rule.port_min is None and rule.port_max is None:
        return True
    low, high = _range(rule)
    return flow.low is not None and low <= flow.low <= high


def covers(ranges: tuple[str, ...], address: str) -> bool:
    """Whether the address is one of, or inside one of, the addresses and CIDRs."""
    if address in ranges:
        return True
    wanted = ip_address(address)
    return any("/" in each and wanted in ip_network(each, strict=False) for each in ranges)


def _of_family(addresses: tuple[str, ...], ether: str) -> list[str]:
    return [each for each in addresses if (":" in each) == (ether == "IPv6")]


def sets(group_ids: list[str], members: Members) -> dict[str, Set]:
    """The member sets of the groups, by name; families without a member have none."""
    found: dict[str, Set] = {}
    for group_id in group_ids:
        for ether, kind in (("IPv4", "ipv4_addr"), ("IPv6", "ipv6_addr")):
            elements = sorted(set(_of_family(members.get(group_id, ()), ether)))
            if elements:
                declaration = f"type {kind}; flags interval; auto-merge;"
                found[set_name(group_id, ether)] = Set(
                    declaration=declaration, elements=tuple(elements)
                )
    return found


def _range(rule: RuleSpec) -> tuple[int, int]:
    low = rule.port_min if rule.port_min is not None else rule.port_max
    high = rule.port_max if rule.port_max is not None else rule.port_min
    assert low is not None
    assert high is not None
    return low, high


def _within(rule: RuleSpec, limit: int) -> None:
    for value in (rule.port_min, rule.port_max):
        if value is not None and not 0 <= value <= limit:
            raise _refusal(rule, f"values from 0 to {limit} are accepted")


def _refusal(rule: RuleSpec, accepted: str) -> EngineError:
    return EngineError(f"compiling security group rule {rule}: {accepted}", permanent=True)
