"""Security group rules: their nftables text and their verdict on a connection agree."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.engine.embedded.net import rules
from andromede.engine.embedded.net.rules import Flow
from andromede.engine.networks import RuleSpec
from andromede.engine.protocol import EngineError

PORTS = st.integers(0, 65_535)
L4 = "meta protocol ip meta l4proto "
FOURS = st.ip_addresses(v=4).map(str)
SIXES = st.ip_addresses(v=6).map(str)


@st.composite
def cidrs(draw: st.DrawFn, ether: str) -> str:
    """Networks around addresses that flows use often enough to match."""
    address = draw(FOURS if ether == "IPv4" else SIXES)
    prefix = draw(st.integers(0, 32 if ether == "IPv4" else 128))
    return str(ip_network(f"{address}/{prefix}", strict=False))


@st.composite
def rule_specs(draw: st.DrawFn) -> RuleSpec:
    ether = draw(st.sampled_from(["IPv4", "IPv6"]))
    protocol = draw(st.sampled_from([None, "tcp", "udp", "icmp", "sctp", "6", "17", "50", "gre"]))
    low = high = None
    if protocol in ("tcp", "udp", "sctp", "6", "17") and draw(st.booleans()):
        low, high = sorted((draw(PORTS), draw(PORTS)))
    if protocol == "icmp":
        low = draw(st.none() | st.integers(0, 255))
        high = draw(st.none() | st.integers(0, 255)) if low is not None else None
    return RuleSpec(
        direction=draw(st.sampled_from(["ingress", "egress"])),
        ether=ether,
        protocol=protocol,
        port_min=low,
        port_max=high,
        remote_cidr=draw(st.none() | cidrs(ether)),
        remote_group=draw(st.none() | st.just("peers")),
    )


@st.composite
def flows(draw: st.DrawFn, rule: RuleSpec) -> Flow:
    """Connections that match the rule more often than chance."""
    near = _near(rule.remote_cidr)
    addresses = (FOURS if rule.ether == "IPv4" else SIXES) | st.just(near or "10.0.0.5")
    number = draw(st.sampled_from([rules.number_of(rule) or 6, 6, 17, 1, 58, 50]))
    icmp = number in (1, 58)
    edges = st.sampled_from([each for each in (rule.port_min, rule.port_max) if each is not None])
    known = rule.port_min is not None
    low = draw((PORTS | edges if known else PORTS) if not icmp else st.integers(0, 255))
    return Flow(
        source=draw(addresses),
        destination=draw(addresses),
        protocol=number,
        low=low if number in (1, 58, 6, 17, 132) else None,
        code=draw(st.integers(0, 255)) if icmp else None,
    )


def _near(cidr: str | None) -> str | None:
    return str(ip_network(cidr).network_address) if cidr else None


def reading(text: str, rule: RuleSpec, flow: Flow, members: dict[str, tuple[str, ...]]) -> bool:
    """The match as nftables would read it: every part must hold. Written apart from `rules`."""
    words = text.split()
    peer = ip_address(flow.source if rule.direction == "ingress" else flow.destination)
    while words:
        match words:
            case ["meta", "protocol", family, *rest]:
                holds = peer.version == (4 if family == "ip" else 6)
            case ["meta", "l4proto", number, *rest]:
                holds = flow.protocol == int(number)
            case [("ip" | "ip6"), side, remote, *rest]:
                assert side == ("saddr" if rule.direction == "ingress" else "daddr")
                holds = _in_remote(peer, remote, members)
            case ["th", "dport", ports, *rest]:
                low, _, high = ports.partition("-")
                holds = flow.low is not None and int(low) <= flow.low <= int(high or low)
            case [("icmp" | "icmpv6"), ("type" | "code") as what, number, *rest]:
                holds = (flow.low if what == "type" else flow.code) == int(number)
            case _:
                raise AssertionError(words)
        if not holds:
            return False
        words = rest
    return True


def _in_remote(peer: object, remote: str, members: dict[str, tuple[str, ...]]) -> bool:
    if remote.startswith("@"):
        assert re.fullmatch(r"@m_peers_[46]", remote)
        return str(peer) in members["peers"]
    net: IPv4Network | IPv6Network = ip_network(remote)
    return peer in net


@given(st.data())
def test_both_readings_of_a_rule_agree(data: st.DataObject) -> None:
    rule = data.draw(rule_specs())
    flow = data.draw(flows(rule))
    members = {"peers": tuple(data.draw(st.lists(FOURS | SIXES | st.just(flow.source))))}
    text = rules.match(rule, members)
    expected = text is not None and reading(text, rule, flow, members)
    if text is None:
        assert rule.remote_group is not None
    assert rules.allows(rule, flow, members) is expected


@given(rule_specs())
def test_a_match_is_one_harmless_line(rule: RuleSpec) -> None:
    text = rules.match(rule, {"peers": ("10.0.0.5", "2001:db8::5")})
    assert text is not None
    assert re.fullmatch(r"[0-9a-z_ .:/@-]+", text)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "meta protocol ip"),
        ({"protocol": "any"}, "meta protocol ip"),
        ({"remote_cidr": "0.0.0.0/0"}, "meta protocol ip"),
        ({"remote_cidr": "10.0.0.9/24"}, "meta protocol ip ip saddr 10.0.0.0/24"),
        ({"protocol": "tcp", "port_min": 22, "port_max": 22}, L4 + "6 th dport 22"),
        ({"protocol": "TCP", "port_min": 1, "port_max": 9}, L4 + "6 th dport 1-9"),
        ({"protocol": "icmp", "port_min": 8, "port_max": 0}, L4 + "1 icmp type 8 icmp code 0"),
        ({"protocol": "58", "ether": "IPv6", "port_min": 128},
         "meta protocol ip6 meta l4proto 58 icmpv6 type 128"),
        ({"protocol": "0"}, L4 + "0"),
        ({"direction": "egress", "remote_cidr": "10.0.0.0/8"}, "meta protocol ip ip daddr 10.0.0.0/8"),
    ],
)  # fmt: skip
def test_the_text_of_a_rule(fields: dict[str, object], expected: str) -> None:
    settings = {"direction": "ingress", "ether": "IPv4", **fields}
    assert rules.match(RuleSpec(**settings), {}) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"protocol": "nonsense"}, "names that the IANA gave"),
        ({"protocol": "256"}, "0 to 255"),
        ({"protocol": "-1"}, "names that the IANA gave"),
        ({"protocol": "ipv6-icmp"}, "IPv6 only"),
        ({"protocol": "tcp", "port_min": 9, "port_max": 1}, "lowest port"),
        ({"protocol": "tcp", "port_min": 0, "port_max": 65_536}, "0 to 65535"),
        ({"protocol": "icmp", "port_min": 256}, "0 to 255"),
        ({"protocol": "gre", "port_min": 1, "port_max": 1}, "have ports"),
        ({"port_min": 1, "port_max": 1}, "need a protocol"),
        ({"remote_cidr": "2001:db8::/32"}, "rule's family"),
        ({"ether": "ARP"}, "IPv4 or IPv6"),
        ({"direction": "sideways"}, "ingress or egress"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_for_good(fields: dict[str, object], why: str) -> None:
    settings = {"direction": "ingress", "ether": "IPv4", **fields}
    with pytest.raises(EngineError, match=why) as caught:
        rules.match(RuleSpec(**settings), {})  # type: ignore[arg-type]
    assert caught.value.permanent


def test_an_empty_remote_group_matches_nothing() -> None:
    rule = RuleSpec(direction="ingress", ether="IPv4", remote_group="peers")
    assert rules.match(rule, {}) is None
    assert rules.match(rule, {"peers": ("2001:db8::1",)}) is None
    flow = Flow(source="10.0.0.1", destination="10.0.0.2", protocol=6, low=22)
    assert not rules.allows(rule, flow, {"peers": ("2001:db8::1",)})


def test_sets_hold_each_family_once() -> None:
    found = rules.sets(["a-b"], {"a-b": ("10.0.0.2", "10.0.0.2", "10.0.0.1", "2001:db8::1")})
    assert {name: each.elements for name, each in found.items()} == {
        "m_a_b_4": ("10.0.0.1", "10.0.0.2"),
        "m_a_b_6": ("2001:db8::1",),
    }
