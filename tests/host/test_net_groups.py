"""Security groups: who may begin a connection, and what becomes of it when rules change."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from andromede.engine.embedded.net import HostNetwork
from andromede.engine.networks import GroupSpec, RuleSpec
from tests.host import net_documents as doc
from tests.host.net_lab import (
    BROADCAST,
    REFUSAL,
    Guest,
    answers_udp,
    connect,
    echoes,
    frame,
    pings,
    reaches,
    serving,
    udp,
)

pytestmark = pytest.mark.host
NET = doc.network("groups", 4)
WEB, DB, OUT = "8a6e0804-2bd0-4672-b79d-000000000001", "8a6e0804-2bd0-4672-b79d-000000000002", "x"
A = doc.port(NET, 11, groups=(WEB,))
B = doc.port(NET, 12, groups=(DB,))
C = doc.port(NET, 13, groups=(OUT,))
Make = Callable[..., Guest]


def ingress(**settings: object) -> RuleSpec:
    return RuleSpec(direction="ingress", ether="IPv4", **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def guests(lab: HostNetwork, guest: Make) -> tuple[Guest, Guest, Guest]:
    lab.ensure_network(NET)
    for each in (A, B, C):
        lab.ensure_port(each)
    return guest(A), guest(B), guest(C)


@pytest.fixture(scope="module")
def servers(guests: tuple[Guest, ...]) -> Iterator[str]:
    """Servers on B; its namespace."""
    where = guests[1].namespace
    with serving(where, 22), serving(where, 80), serving(where, 53, socket.SOCK_DGRAM):
        yield where


def rule(lab: HostNetwork, *rules: RuleSpec, **settings: object) -> None:
    """Put the rules on B's group; A's and C's only let out."""
    groups = (
        doc.group(*doc.EGRESS, id=WEB, members=(A,)),
        doc.group(*doc.EGRESS, *rules, id=DB, members=(B,), **settings),
        doc.group(*doc.EGRESS, id=OUT, members=(C,)),
    )
    lab.ensure_firewall(doc.firewall(NET, (A, B, C), *groups))


def test_by_default_nothing_comes_in_and_everything_goes_out(
    lab: HostNetwork, guests: tuple[Guest, ...], servers: str
) -> None:
    rule(lab)
    a, b, _ = guests
    assert not reaches(a.namespace, "10.0.0.12", 22, REFUSAL)
    assert not pings(a.namespace, "10.0.0.12", REFUSAL)
    assert pings(b.namespace, "10.0.0.2")  # its answer returns by the connection's state


def test_a_port_range_and_a_cidr(lab: HostNetwork, guests: tuple[Guest, ...], servers: str) -> None:
    rule(lab, ingress(protocol="tcp", port_min=20, port_max=30, remote_cidr="10.0.0.8/29"))
    a, _, _ = guests
    assert reaches(a.namespace, "10.0.0.12", 22)
    assert not reaches(a.namespace, "10.0.0.12", 80, REFUSAL)
    rule(lab, ingress(protocol="tcp", remote_cidr="10.0.0.128/25"))
    assert not reaches(a.namespace, "10.0.0.12", 22, REFUSAL)


def test_udp_and_icmp_by_type(lab: HostNetwork, guests: tuple[Guest, ...], servers: str) -> None:
    a, _, _ = guests
    rule(lab, ingress(protocol="17", port_min=53, port_max=53))
    assert answers_udp(a.namespace, "10.0.0.12", 53)
    assert not pings(a.namespace, "10.0.0.12", REFUSAL)
    rule(lab, ingress(protocol="icmp", port_min=8, port_max=0))
    assert pings(a.namespace, "10.0.0.12")
    assert not answers_udp(a.namespace, "10.0.0.12", 53, REFUSAL)
    rule(lab, ingress(protocol="icmp", port_min=13))
    assert not pings(a.namespace, "10.0.0.12", REFUSAL)


def test_a_remote_group(lab: HostNetwork, guests: tuple[Guest, ...], servers: str) -> None:
    a, _, c = guests
    rule(lab, ingress(protocol="tcp", remote_group=WEB))
    assert reaches(a.namespace, "10.0.0.12", 80)
    assert not reaches(c.namespace, "10.0.0.12", 80, REFUSAL)


def contains(mark: bytes, data: bytes) -> bool:
    return mark in data


def test_broadcast_does_not_pass_by_the_groups(
    lab: HostNetwork, guests: tuple[Guest, ...], servers: str
) -> None:
    rule(lab, ingress(protocol="udp", port_min=4000, port_max=4000, remote_group=WEB))
    a, b, c = guests
    for sender, port, to, expected in (
        (c, C, "10.0.0.12", False),  # its group is not let in, whatever the frame is addressed to
        (c, C, "255.255.255.255", False),
        (a, A, "255.255.255.255", True),
    ):
        mark = f"{port.id} {to}".encode()
        packet = udp(port.addresses[0], to, 4000, 4000, mark)
        sender.send(frame(BROADCAST, port.mac, 0x0800, packet))
        found = b.heard(partial(contains, mark), REFUSAL)
        assert (found is not None) is expected, mark


def test_egress_rules_hold_too(lab: HostNetwork, guests: tuple[Guest, ...], servers: str) -> None:
    a, _, c = guests
    only_web = RuleSpec(direction="egress", ether="IPv4", protocol="tcp", port_min=80, port_max=80)
    groups = (
        doc.group(only_web, id=WEB, members=(A,)),
        doc.group(*doc.EGRESS, ingress(), id=DB, members=(B,)),
    )
    lab.ensure_firewall(doc.firewall(NET, (A, B), *groups))
    assert reaches(a.namespace, "10.0.0.12", 80)
    assert not reaches(a.namespace, "10.0.0.12", 22, REFUSAL)
    assert not reaches(c.namespace, "10.0.0.12", 80, REFUSAL)  # no longer named: closed


def test_a_rule_that_goes_cuts_its_connections_and_no_others(
    lab: HostNetwork, guests: tuple[Guest, ...], servers: str
) -> None:
    a, _, _ = guests
    ssh = ingress(protocol="tcp", port_min=22, port_max=22)
    web = ingress(protocol="tcp", port_min=80, port_max=80)
    rule(lab, ssh, web)
    with (
        connect(a.namespace, "10.0.0.12", 22) as cut,
        connect(a.namespace, "10.0.0.12", 80) as kept,
    ):
        assert echoes(cut)
        assert echoes(kept)
        rule(lab, web)
        assert not echoes(cut, REFUSAL)
        assert echoes(kept)
        rule(lab, ssh, web)
        assert not echoes(cut, REFUSAL)  # a connection that was cut stays cut
        assert echoes(kept)


def test_a_member_that_leaves_a_remote_group_is_cut(
    lab: HostNetwork, guests: tuple[Guest, ...], servers: str
) -> None:
    a, _, _ = guests
    only = ingress(protocol="tcp", remote_group=WEB)

    def groups(members: tuple[str, ...]) -> tuple[GroupSpec, ...]:
        return (
            GroupSpec(id=WEB, stateful=True, rules=doc.EGRESS, members=members),
            doc.group(*doc.EGRESS, only, id=DB, members=(B,)),
        )

    lab.ensure_firewall(doc.firewall(NET, (A, B, C), *groups(("10.0.0.11",))))
    with connect(a.namespace, "10.0.0.12", 80) as link:
        assert echoes(link)
        lab.ensure_firewall(doc.firewall(NET, (A, B, C), *groups(("10.0.0.99",))))
        assert not echoes(link, REFUSAL)


def test_a_stateless_group_needs_both_directions(
    lab: HostNetwork, guests: tuple[Guest, ...], servers: str
) -> None:
    _, b, _ = guests
    rule(lab, stateful=False)
    assert not pings(b.namespace, "10.0.0.11", REFUSAL)
    both = (ingress(protocol="icmp"),)
    groups = (
        doc.group(*doc.EGRESS, *both, id=WEB, members=(A,)),
        doc.group(*doc.EGRESS, *both, id=DB, members=(B,), stateful=False),
    )
    lab.ensure_firewall(doc.firewall(NET, (A, B), *groups))
    assert pings(b.namespace, "10.0.0.11")


@pytest.mark.parametrize(
    ("listed", "passes"),
    [
        (("10.0.0.11/32", "fd00::/64"), {"a"}),
        (("10.0.0.12/30",), {"c"}),  # 10.0.0.12 to 10.0.0.15
        (("0.0.0.0/0", "10.0.0.0/8"), {"a", "c"}),
        (("192.0.2.0/24",), set()),
        ((), set()),
    ],
)
def test_addresses_of_a_list_come_in(
    lab: HostNetwork,
    guests: tuple[Guest, ...],
    servers: str,
    listed: tuple[str, ...],
    passes: set[str],
) -> None:
    """A rule that names an address group, which is a group of addresses without rules."""
    named = ingress(protocol="tcp", port_min=22, port_max=22, remote_group="listed")
    groups = (
        doc.group(*doc.EGRESS, id=WEB, members=(A,)),
        doc.group(*doc.EGRESS, named, id=DB, members=(B,)),
        doc.group(*doc.EGRESS, id=OUT, members=(C,)),
        GroupSpec(id="listed", stateful=True, rules=(), members=listed),
    )
    lab.ensure_firewall(doc.firewall(NET, (A, B, C), *groups))
    a, _, c = guests
    for name, each in (("a", a), ("c", c)):
        wait = 3.0 if name in passes else REFUSAL
        assert reaches(each.namespace, "10.0.0.12", 22, wait) is (name in passes), name


def test_ipv6_rules_and_neighbour_discovery(
    lab: HostNetwork, guests: tuple[Guest, ...], servers: str
) -> None:
    a, b, _ = guests
    six = (
        doc.port(NET, 11, groups=(WEB,), addresses=("10.0.0.11", "2001:db8::11")),
        doc.port(NET, 12, groups=(DB,), addresses=("10.0.0.12", "2001:db8::12")),
    )
    for each, port in zip((a, b), six, strict=True):
        each.configure(f"{port.addresses[1]}/64", None)
    ssh = RuleSpec(
        direction="ingress", ether="IPv6", protocol="tcp", port_min=22, port_max=22,
        remote_group=WEB,
    )  # fmt: skip
    rules = doc.group(*doc.EGRESS, ssh, id=DB, members=six[1:])
    senders = doc.group(*doc.EGRESS, id=WEB, members=six[:1])
    lab.ensure_firewall(doc.firewall(NET, six, senders, rules))
    with serving(b.namespace, 22, family=socket.AF_INET6):
        assert reaches(a.namespace, "2001:db8::12", 22)
        closed = doc.group(*doc.EGRESS, id=DB, members=six[1:])
        lab.ensure_firewall(doc.firewall(NET, six, senders, closed))
        assert not reaches(a.namespace, "2001:db8::12", 22, REFUSAL)
