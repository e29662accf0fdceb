"""A router's rules: who may pass, and whose address is rewritten to which. Pure."""

from __future__ import annotations

from andromede.engine.embedded.net import shaping
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.table import Chain, Set, Table
from andromede.engine.networks import RouterInterface, RouterSpec

OUTSIDE = 1  # the mark of packets that came in from the external network
REWRITES = "type ipv4_addr : ipv4_addr;"


FORWARDS = "type ipv4_addr . inet_service : ipv4_addr . inet_service;"


def floating_addresses(spec: RouterSpec) -> list[str]:
    """The floating addresses that the router holds outside."""
    whole = {each.floating for each in spec.floating}
    return sorted(whole | {each.floating for each in spec.forwards})


def gateway_address(spec: RouterSpec) -> str | None:
    """The IPv4 address that SNAT gives to what leaves."""
    held = spec.gateway.addresses if spec.gateway else ()
    return next((each.partition("/")[0] for each in held if ":" not in each), None)


def table(names: Names, spec: RouterSpec) -> Table:
    """The router's one table.

    A packet between two legs keeps its addresses, unless it was sent to a floating address
    ("hairpin"): then its source is rewritten too, so that the answer comes back this way.
    """
    leg = names.leg(spec.gateway.port_id) if spec.gateway else None
    floating = tuple(f"{each.floating} : {each.fixed}" for each in spec.floating)
    fixed = {each.fixed: each.floating for each in reversed(spec.floating)}
    sets = {
        "floating": Set(kind="map", declaration=REWRITES, elements=floating),
        "fixed": Set(
            kind="map",
            declaration=REWRITES,
            elements=tuple(f"{inner} : {outer}" for inner, outer in fixed.items()),
        ),
    }
    for protocol in ("tcp", "udp"):
        sets[f"forwards_{protocol}"] = Set(
            kind="map",
            declaration=FORWARDS,
            elements=tuple(
                f"{each.floating} . {each.port} : {each.fixed} . {each.fixed_port}"
                for each in spec.forwards
                if each.protocol == protocol
            ),
        )
    chains = {
        "input": Chain(
            hook="type filter hook input priority filter; policy drop;",
            rules=(
                "icmp type echo-request accept",
                "icmpv6 type { echo-request, nd-router-solicit, nd-neighbor-solicit, "
                "nd-neighbor-advert } accept",
                "ct state established,related accept",
            ),
        ),
        "forward": _forward(spec, names, leg),
    }
    if leg is not None and spec.enabled:
        chains |= _rewrites(spec, names, leg)
    return Table(family="inet", name=names.table, sets=sets, chains=chains)


def _forward(spec: RouterSpec, names: Names, leg: str | None) -> Chain:
    hook = "type filter hook forward priority filter; policy drop;"
    if not spec.enabled:
        return Chain(hook=hook, rules=())
    rules = [
        *(shaping.floating(spec, leg) if leg is not None else ()),
        "ip daddr 169.254.0.0/16 drop",
        "ct state established,related accept",
        "ct status dnat accept",
        *_between_scopes(names, spec),
    ]
    if leg is not None and spec.snat:
        rules.append(f'iifname "{leg}" drop')
    return Chain(hook=hook, rules=(*rules, "accept"))


def _between_scopes(names: Names, spec: RouterSpec) -> list[str]:
    """Nothing passes between legs of different address scopes, but what SNAT makes the router's own;
    what stays in the gateway's scope may come in, too."""
    lines = []
    for inner in spec.interfaces:
        one = names.leg(inner.port_id)
        for other in spec.interfaces:
            two = names.leg(other.port_id)
            for family, apart in (
                ("ipv4", inner.scope4 != other.scope4),
                ("ipv6", inner.scope6 != other.scope6),
            ):
                if apart:
                    lines.append(f'iifname "{one}" oifname "{two}" meta nfproto {family} drop')
        if spec.gateway is None:
            continue
        outer = names.leg(spec.gateway.port_id)
        if in_outer_scope(spec, inner):
            lines.append(f'iifname "{outer}" oifname "{one}" meta nfproto ipv4 accept')
        elif not spec.snat and inner.scope4 != spec.gateway.scope4:
            lines.append(f'iifname "{one}" oifname "{outer}" meta nfproto ipv4 drop')
        if inner.scope6 != spec.gateway.scope6:
            lines.append(f'iifname "{one}" oifname "{outer}" meta nfproto ipv6 drop')
    return lines


def in_outer_scope(spec: RouterSpec, leg: RouterInterface) -> bool:
    """Whether IPv4 addresses of a leg are those of one realm with the outside: they are not
    translated."""
    outer = spec.gateway.scope4 if spec.gateway else None
    return outer is not None and leg.scope4 == outer


def _rewrites(spec: RouterSpec, names: Names, leg: str) -> dict[str, Chain]:
    after = [
        f"meta mark {OUTSIDE} accept",
        f'oifname "{leg}" snat ip to ip saddr map @fixed',
        "ct status dnat snat ip to ip saddr map @fixed",
    ]
    after += [
        f'oifname "{leg}" iifname "{names.leg(each.port_id)}" meta nfproto ipv4 accept'
        for each in spec.interfaces
        if in_outer_scope(spec, each)
    ]
    address = gateway_address(spec)
    if address is not None:
        if spec.snat:
            after.append(f'oifname "{leg}" meta protocol ip snat ip to {address}')
        after.append(f"ct status dnat meta protocol ip snat ip to {address}")
    return {
        "arriving": Chain(
            hook="type filter hook prerouting priority mangle; policy accept;",
            rules=(f'iifname "{leg}" meta mark set {OUTSIDE}',),
        ),
        "prerouting": Chain(
            hook="type nat hook prerouting priority dstnat; policy accept;",
            rules=(
                "dnat ip to ip daddr . tcp dport map @forwards_tcp",
                "dnat ip to ip daddr . udp dport map @forwards_udp",
                "dnat ip to ip daddr map @floating",
            ),
        ),
        "postrouting": Chain(
            hook="type nat hook postrouting priority srcnat; policy accept;", rules=tuple(after)
        ),
    }
