"""What filters one network, as nftables tables: a port's guard, security groups, own services.

Pure. A `netdev` table guards each tap: at ingress nothing forged leaves a port and the packet gets
the port's number as its mark; at egress a closed port hears nothing but its DHCP replies, and an
open one hears multicast only as its groups allow (a flooded packet crosses the `inet` hooks
without saying to whom). An `inet` table filters what crosses the bridge: the sender's groups by the
mark, then the receiver's by the destination MAC. Packets without a mark come from infrastructure
(routers, the network's own services) or from ports without port security.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, collapse_addresses, ip_network
from typing import Any

from andromede.engine.embedded.net import rules, shaping
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.table import Chain, Set, Table
from andromede.engine.networks import (
    FirewallSpec,
    GroupSpec,
    NetworkSpec,
    PortSpec,
)

METADATA = "169.254.169.254"
DISCOVERY = (
    "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
    "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept"
)
NEIGHBOURS = "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept"
FORGED_DISCOVERY = "icmpv6 type { nd-router-advert, nd-redirect } drop"
FLOOD = "limit rate over 1000/second burst 2000 packets drop"
UNICAST = "ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00"
ESTABLISHED = "ct state established,related"


def link_local(mac: str) -> str:
    """The address a card gives itself, from its MAC (RFC 4291, appendix A)."""
    octets = [int(each, 16) for each in mac.split(":")]
    octets[0] ^= 2
    tail = bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]])
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + tail))


def is_guest(port: PortSpec) -> bool:
    """Whether a server's card stands behind the port, rather than infrastructure or nothing."""
    return port.owner_uid is not None


def guard_table(
    names: Names, spec: NetworkSpec, taps: Iterable[PortSpec], firewall: FirewallSpec | None
) -> Table:
    """The `netdev` table of a network. `taps`: the ports whose tap exists."""
    named = {port.id for port in firewall.ports} if firewall else set()
    groups = {group.id: group for group in firewall.groups} if firewall else {}
    members = {group.id: group.members for group in groups.values()}
    chains: dict[str, Chain] = {}
    used: set[str] = set()
    for port in taps:
        tap = names.tap(port.number)
        opened = port.id in named and port.enabled
        ingress = _ingress_guard(spec.dhcp_mac, port) if opened else _closed_ingress(port)
        egress = _egress_guard(port, groups) if opened else _closed_egress(port)
        if opened and port.port_security:
            used |= {group for group in port.groups if group in groups}
        at = f'device "{tap}" priority filter; policy '
        chains[f"i_{tap}"] = Chain(hook=f"type filter hook ingress {at}drop;", rules=ingress)
        chains[f"e_{tap}"] = Chain(hook=f"type filter hook egress {at}drop;", rules=egress)
    for group_id in used:
        chains[_group_chain("ingress", group_id)] = _group_rules(
            groups[group_id], "ingress", members, "accept"
        )
    sets = rules.sets(_remotes(groups[each] for each in used), members)
    return Table(family="netdev", name=names.table, sets=sets, chains=chains)


def _closed_ingress(port: PortSpec) -> tuple[str, ...]:
    return (f"ether saddr != {port.mac} drop", _first_request(port))


def _closed_egress(port: PortSpec) -> tuple[str, ...]:
    return (_own_dhcp_reply(port),)


def _client(port: PortSpec) -> str:
    """The client hardware address of a DHCP message (RFC 2131, offset 28) is the port's."""
    return f"@th,288,48 0x{port.mac.replace(':', '')}"


def _own_dhcp_reply(port: PortSpec) -> str:
    return f"ip protocol udp udp sport 67 udp dport 68 {_client(port)} accept"


def _first_request(port: PortSpec) -> str:
    """What a client sends that has no address yet; in its own name, never a neighbour's."""
    ends = "ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67"
    return f"{ends} {_client(port)} accept"


def _mark(port: PortSpec) -> int:
    """What marks the port's packets; never 0, which marks infrastructure's."""
    return port.number + 1


def _holders(pairs: list[tuple[str, str]], version: int) -> list[str]:
    """MACs with the ranges they may send from, as elements that do not overlap."""
    ranges: dict[str, list[Any]] = {}
    for mac, ip in pairs:
        net = ip_network(ip, strict=False)
        if net.version == version:
            ranges.setdefault(mac, []).append(net)
    return [
        f"{mac} . {net.network_address if net.prefixlen == net.max_prefixlen else net}"
        for mac in sorted(ranges)
        for net in collapse_addresses(ranges[mac])
    ]


@lru_cache(maxsize=4096)
def _ingress_guard(service_mac: str, port: PortSpec) -> tuple[str, ...]:
    to_metadata = f"ip daddr {METADATA} ether daddr set {service_mac}"
    if not port.port_security:
        return (*shaping.leaving(port.qos), to_metadata, "accept")
    pairs = [(port.mac, each) for each in port.addresses]
    pairs += [(pair.mac.lower() or port.mac, pair.ip) for pair in port.pairs]
    macs = sorted({mac for mac, _ in pairs} | {port.mac})
    pairs += [(mac, link_local(mac)) for mac in macs]
    four, six = _holders(pairs, 4), _holders(pairs, 6)
    lines = [
        *shaping.leaving(port.qos),
        f"meta mark set {_mark(port)}",
        f"ether saddr != {{ {', '.join(macs)} }} drop",
        f"meta pkttype {{ broadcast, multicast }} {FLOOD}",
        f"ether type arp arp saddr ip 0.0.0.0 arp saddr ether {{ {', '.join(macs)} }} accept",
        _first_request(port),
        "ip protocol udp udp sport 67 drop",
        FORGED_DISCOVERY,
        "meta protocol ip6 udp sport 547 drop",
        "ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, "
        "mld-listener-report, mld2-listener-report } accept",
    ]
    held = [each.rpartition(" ")[2] for each in six]
    targets = [f"@th,64,128 & {_mask(ip)} == {_value(ip)}" for ip in held]
    lines += _advertisements(targets, six)
    if four:
        lines.append(f"arp saddr ether . arp saddr ip {{ {', '.join(four)} }} accept")
        lines.append(to_metadata)
        own = f"ether saddr . ip saddr {{ {', '.join(four)} }}"
        lines.append(f"{own} udp sport 68 udp dport 67 {_client(port)} accept")
        lines.append("ip protocol udp udp dport 67 drop")
        lines.append(f"{own} accept")
    lines.append(f"ether saddr . ip6 saddr {{ {', '.join(six)} }} accept")
    return tuple(lines)


def _advertisements(targets: list[str], sources: list[str]) -> list[str]:
    """Neighbor advertisements: only of addresses the port holds (RFC 4861, section 4.4)."""
    from_own = f"ether saddr . ip6 saddr {{ {', '.join(sources)} }}"
    lines = [f"icmpv6 type nd-neighbor-advert {each} {from_own} accept" for each in targets]
    return [*lines, "icmpv6 type nd-neighbor-advert drop"]


def _mask(address: str) -> str:
    return f"{int(ip_network(address, strict=False).netmask):#x}"


def _value(address: str) -> str:
    return f"{int(ip_network(address, strict=False).network_address):#x}"


def _egress_guard(port: PortSpec, groups: dict[str, GroupSpec]) -> tuple[str, ...]:
    if not port.port_security:
        return (*shaping.arriving(port.qos), "accept")
    return (
        *shaping.arriving(port.qos),
        "ether type arp accept",
        _own_dhcp_reply(port),
        "ip protocol udp udp sport 67 udp dport 68 drop",
        DISCOVERY,
        f"{UNICAST} accept",
        *(f"jump {_group_chain('ingress', each)}" for each in port.groups if each in groups),
    )


def filter_table(names: Names, spec: NetworkSpec, firewall: FirewallSpec | None) -> Table:
    """The `inet` table of a network: security groups, and what its own services answer."""
    ports = [p for p in firewall.ports if is_guest(p) and p.port_security] if firewall else []
    groups = {group.id: group for group in firewall.groups} if firewall else {}
    members = {group.id: group.members for group in groups.values()}
    chains = {
        "input": _services(spec),
        "forward": Chain(
            hook="type filter hook forward priority filter; policy drop;",
            rules=(
                f"meta mark != 0 {FORGED_DISCOVERY}",
                DISCOVERY,
                "meta mark vmap @sources",
                "meta mark != 0 drop",
                "goto ingress",
            ),
        ),
        "ingress": Chain(rules=("ether daddr vmap @destinations", "accept")),
    }
    bundles = _bundles(ports, groups)
    used = {group for bundle in bundles.values() for group in bundle}
    for name, bundle in bundles.items():
        stateless = bool(bundle) and all(not groups[each].stateful for each in bundle)
        for side, allowed in (("egress", "goto ingress"), ("ingress", "accept")):
            known = () if stateless else (f"{ESTABLISHED} {allowed}", "ct state invalid drop")
            jumps = tuple(f"jump {_group_chain(side, each)}" for each in bundle)
            chains[f"{side}_{name}"] = Chain(rules=(*known, *jumps, "drop"))
    for group_id in used:
        for side, allowed in (("egress", "goto ingress"), ("ingress", "accept")):
            chains[_group_chain(side, group_id)] = _group_rules(
                groups[group_id], side, members, allowed
            )
    sets = rules.sets(_remotes(groups[each] for each in used), members)
    sets["sources"] = _sources(ports, groups)
    sets["destinations"] = _destinations(ports, groups)
    return Table(family="inet", name=names.table, sets=sets, chains=chains)


def _services(spec: NetworkSpec) -> Chain:
    """What the network's namespace itself answers: DHCP, DNS, metadata, echo."""
    addresses = [each.dhcp_address for each in spec.subnets if each.dhcp and each.dhcp_address]
    lines = [
        'iifname "lo" accept',
        f"{ESTABLISHED} accept",
        "udp sport 68 udp dport 67 accept",
        f"ip daddr {METADATA} tcp dport 80 accept",
        f"ip daddr {METADATA} icmp type echo-request accept",
    ]
    if any(":" in address for address in addresses):
        lines += ["udp sport 546 udp dport 547 accept", NEIGHBOURS]
    for address in addresses:
        family, echo = ("ip6", "icmpv6") if ":" in address else ("ip", "icmp")
        lines.append(f"{family} daddr {address} meta l4proto {{ tcp, udp }} th dport 53 accept")
        lines.append(f"{family} daddr {address} {echo} type echo-request accept")
    hook = "type filter hook input priority filter; policy drop;"
    return Chain(hook=hook, rules=tuple(lines))


def _bundle(port: PortSpec, groups: dict[str, GroupSpec]) -> tuple[str, ...]:
    return tuple(sorted({each for each in port.groups if each in groups}))


def _bundles(ports: list[PortSpec], groups: dict[str, GroupSpec]) -> dict[str, tuple[str, ...]]:
    """The distinct sets of groups that ports bear, by chain name: ports share their chains."""
    found = {_bundle(port, groups) for port in ports}
    found |= set(_by_mac(ports, groups).values())
    return {_bundle_name(bundle): bundle for bundle in found}


def _bundle_name(bundle: tuple[str, ...]) -> str:
    return hashlib.sha256(" ".join(bundle).encode()).hexdigest()[:24] if bundle else "none"


def _by_mac(ports: list[PortSpec], groups: dict[str, GroupSpec]) -> dict[str, tuple[str, ...]]:
    """The groups that protect each MAC; ports that share one by address pairs share groups too."""
    found: dict[str, set[str]] = {}
    for port in ports:
        for mac in {port.mac, *(pair.mac.lower() for pair in port.pairs if pair.mac)}:
            found.setdefault(mac, set()).update(_bundle(port, groups))
    return {mac: tuple(sorted(each)) for mac, each in found.items()}


def _sources(ports: list[PortSpec], groups: dict[str, GroupSpec]) -> Set:
    elements = sorted(
        f"{_mark(port)} : goto egress_{_bundle_name(_bundle(port, groups))}" for port in ports
    )
    return Set(kind="map", declaration="type mark : verdict;", elements=tuple(elements))


def _destinations(ports: list[PortSpec], groups: dict[str, GroupSpec]) -> Set:
    elements = sorted(
        f"{mac} : goto ingress_{_bundle_name(bundle)}"
        for mac, bundle in _by_mac(ports, groups).items()
    )
    return Set(kind="map", declaration="type ether_addr : verdict;", elements=tuple(elements))


def _group_chain(side: str, group_id: str) -> str:
    return f"group_{side}_{group_id.replace('-', '_')}"


def _group_rules(group: GroupSpec, side: str, members: rules.Members, verdict: str) -> Chain:
    matches = (rules.match(each, members) for each in group.rules if each.direction == side)
    return Chain(rules=tuple(sorted({f"{each} {verdict}" for each in matches if each})))


def _remotes(groups: Iterable[GroupSpec]) -> list[str]:
    found = {rule.remote_group for group in groups for rule in group.rules}
    return sorted(each for each in found if each is not None)
