"""Nothing forged leaves a port, and nothing passes a closed one."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pytest

from andromede.engine.embedded.net import HostNetwork
from andromede.engine.embedded.net.firewall import link_local
from andromede.engine.networks import AddressPair, RuleSpec
from tests.host import net_documents as doc
from tests.host.net_lab import (
    BROADCAST,
    PATIENCE,
    REFUSAL,
    Guest,
    answers_udp,
    arp,
    connect,
    frame,
    ipv6,
    pings,
    reaches,
    serving,
    udp,
)

pytestmark = pytest.mark.host
NET = doc.network("guard", 3)
ANY = tuple(RuleSpec(direction="ingress", ether=each) for each in ("IPv4", "IPv6"))
OPEN = doc.group(*doc.EGRESS, *ANY)
A, B = doc.port(NET, 11), doc.port(NET, 12)
PAIRED = doc.port(
    NET, 13, pairs=(AddressPair("10.0.0.64/26", ""), AddressPair("10.0.0.9", "00:00:5e:00:01:01"))
)
TRUSTED = doc.port(NET, 14, port_security=False)
CLOSED = doc.port(NET, 15)
SERVICE = NET.dhcp_mac
Make = Callable[..., Guest]


@pytest.fixture(scope="module", autouse=True)
def network(lab: HostNetwork) -> None:
    lab.ensure_network(NET)
    for each in (A, B, PAIRED, TRUSTED, CLOSED):
        lab.ensure_port(each)
    lab.ensure_firewall(doc.firewall(NET, (A, B, PAIRED, TRUSTED), OPEN))


@pytest.fixture(scope="module")
def a(network: None, guest: Make) -> Guest:
    return guest(A)


@pytest.fixture(scope="module")
def b(network: None, guest: Make) -> Guest:
    return guest(B)


@pytest.fixture(scope="module")
def paired(network: None, guest: Make) -> Guest:
    return guest(PAIRED)


@pytest.fixture(scope="module")
def trusted(network: None, guest: Make) -> Guest:
    return guest(TRUSTED)


@pytest.fixture(scope="module")
def closed(network: None, guest: Make) -> Guest:
    return guest(CLOSED)


_counter = iter(range(1, 1000))


def token() -> bytes:
    return b"andromede-%04d" % next(_counter)


def datagram(source: str, to: str, mac: str, target: str | bytes, body: bytes) -> bytes:
    return frame(target, mac, 0x0800, udp(source, to, 5000, 5000, body))


def passes(sender: Guest, receiver: Guest, data: bytes, mark: bytes) -> bool:
    """Whether the frame arrives; an honest frame sent after it shows when to stop waiting."""
    last = arp(1, sender.mac, sender.address, "10.0.0.250") + token()
    sender.send(data)
    sender.send(frame(BROADCAST, sender.mac, 0x0806, last))
    wait = PATIENCE if "10.0.0.15" not in (sender.address, receiver.address) else REFUSAL
    assert receiver.heard(lambda each: last in each, wait) or wait == REFUSAL
    return receiver.heard(lambda each: mark in each, 0) is not None


def test_an_honest_datagram_passes(a: Guest, b: Guest) -> None:
    mark = token()
    assert passes(a, b, datagram("10.0.0.11", "10.0.0.12", A.mac, B.mac, mark), mark)


@pytest.mark.parametrize(
    ("source", "mac"),
    [
        ("10.0.0.12", A.mac),
        ("10.0.0.1", A.mac),
        ("192.0.2.1", A.mac),
        ("10.0.0.11", B.mac),
        ("10.0.0.11", "fa:16:3e:ee:01:00"),
        ("10.0.0.2", SERVICE),
    ],
)
def test_a_forged_source_does_not_leave(a: Guest, b: Guest, source: str, mac: str) -> None:
    mark = token()
    assert not passes(a, b, datagram(source, "10.0.0.12", mac, B.mac, mark), mark)


def test_arp_passes_only_for_own_addresses(a: Guest, b: Guest) -> None:
    honest = frame(BROADCAST, A.mac, 0x0806, arp(1, A.mac, "10.0.0.11", "10.0.0.12"))
    assert passes(a, b, honest, arp(1, A.mac, "10.0.0.11", "10.0.0.12"))
    for mac, address in ((A.mac, "10.0.0.1"), (A.mac, "10.0.0.12"), (B.mac, "10.0.0.11")):
        for operation in (1, 2):
            body = arp(operation, mac, address, "10.0.0.12")
            assert not passes(a, b, frame(BROADCAST, A.mac, 0x0806, body), body), (mac, address)


def test_dhcp_servers_cannot_be_played(a: Guest, b: Guest) -> None:
    mark = token()
    reply = udp("10.0.0.11", "255.255.255.255", 67, 68, bytes(28) + mark)
    assert not passes(a, b, frame(BROADCAST, A.mac, 0x0800, reply), mark)


def icmp6(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, 0) + body


def test_routers_cannot_be_played(a: Guest, b: Guest) -> None:
    own = link_local(A.mac)
    for kind in (134, 137):
        mark = token()
        data = ipv6(own, "ff02::1", 58, icmp6(kind, bytes(12) + mark))
        assert not passes(a, b, frame("33:33:00:00:00:01", A.mac, 0x86DD, data), mark), kind


def test_neighbours_are_advertised_only_by_their_holder(a: Guest, b: Guest) -> None:
    own = link_local(A.mac)
    for target, expected in ((own, True), (link_local(B.mac), False), ("2001:db8::1", False)):
        mark = token()
        body = struct.pack(">I", 0x20000000) + socket.inet_pton(socket.AF_INET6, target) + mark
        data = ipv6(own, "ff02::1", 58, icmp6(136, body))
        sent = frame("33:33:00:00:00:01", A.mac, 0x86DD, data)
        assert passes(a, b, sent, mark) is expected, target


def test_ipv6_passes_from_the_own_link_local_address_alone(a: Guest, b: Guest) -> None:
    for source, expected in ((link_local(A.mac), True), (link_local(B.mac), False)):
        mark = token()
        body = struct.pack(">HHHH", 5000, 5000, 8 + len(mark), 0) + mark
        data = ipv6(source, link_local(B.mac), 17, body)
        assert passes(a, b, frame(B.mac, A.mac, 0x86DD, data), mark) is expected, source


def test_other_ether_types_do_not_leave(a: Guest, b: Guest) -> None:
    for kind in (0x8100, 0x88A8, 0x8847, 0x88CC, 0x0026):
        mark = token()
        assert not passes(a, b, frame(BROADCAST, A.mac, kind, bytes(30) + mark), mark), hex(kind)


def test_address_pairs_pass_with_their_mac(paired: Guest, b: Guest) -> None:
    cases = [
        ("10.0.0.70", PAIRED.mac, True),
        ("10.0.0.9", "00:00:5e:00:01:01", True),
        ("10.0.0.9", PAIRED.mac, False),
        ("10.0.0.130", PAIRED.mac, False),
        ("10.0.0.70", "00:00:5e:00:01:01", False),
    ]
    for source, mac, expected in cases:
        mark = token()
        sent = datagram(source, "10.0.0.12", mac, B.mac, mark)
        assert passes(paired, b, sent, mark) is expected, (source, mac)


def test_pairs_that_overlap_or_hold_everything_are_taken(
    lab: HostNetwork, guest: Make, b: Guest
) -> None:
    everything = doc.port(
        NET,
        16,
        addresses=("10.0.0.16", "2001:db8::16"),
        pairs=tuple(AddressPair(each, "") for each in ("10.0.0.0/24", "0.0.0.0/0", "::/0")),
    )
    lab.ensure_port(everything)
    lab.ensure_firewall(doc.firewall(NET, (A, B, PAIRED, TRUSTED, everything), OPEN))
    mark = token()
    sent = datagram("192.0.2.77", "10.0.0.12", everything.mac, B.mac, mark)
    assert passes(guest(everything), b, sent, mark)


def test_a_port_without_port_security_is_not_filtered(trusted: Guest, b: Guest) -> None:
    mark = token()
    assert passes(trusted, b, datagram("192.0.2.9", "10.0.0.12", TRUSTED.mac, B.mac, mark), mark)
    assert passes(b, trusted, datagram("10.0.0.12", "192.0.2.9", B.mac, TRUSTED.mac, mark), mark)


def test_a_port_that_no_firewall_names_is_closed(a: Guest, closed: Guest) -> None:
    inward, outward = token(), token()
    sent = datagram("10.0.0.11", "10.0.0.15", A.mac, CLOSED.mac, inward)
    assert not passes(a, closed, sent, inward)
    sent = datagram("10.0.0.15", "10.0.0.11", CLOSED.mac, A.mac, outward)
    assert not passes(closed, a, sent, outward)
    body = arp(1, A.mac, "10.0.0.11", "10.0.0.15")
    assert not passes(a, closed, frame(BROADCAST, A.mac, 0x0806, body), body)
    assert not pings(closed.namespace, "10.0.0.2", REFUSAL)


def test_frames_for_others_are_not_heard(a: Guest, b: Guest, paired: Guest) -> None:
    mark = token()
    assert passes(a, b, datagram("10.0.0.11", "10.0.0.12", A.mac, B.mac, mark), mark)
    stranger = token()
    sent = datagram("10.0.0.11", "10.0.0.77", A.mac, "fa:16:3e:00:00:77", stranger)
    assert not passes(a, b, sent, stranger)


def test_guests_reach_of_the_network_only_its_services(lab: HostNetwork, a: Guest) -> None:
    namespace = lab.names.network_namespace(NET.id)
    assert pings(a.namespace, "10.0.0.2")
    with serving(namespace, 8080), serving(namespace, 9999, socket.SOCK_DGRAM):
        assert not reaches(a.namespace, "10.0.0.2", 8080, REFUSAL)
        assert not answers_udp(a.namespace, "10.0.0.2", 9999, REFUSAL)
    assert reaches_dns(a)


def reaches_dns(each: Guest) -> bool:
    with connect(each.namespace, "10.0.0.2", 53):
        return True


def test_floods_are_limited(a: Guest, b: Guest) -> None:
    mark = token()
    body = arp(1, A.mac, "10.0.0.11", "10.0.0.200") + mark
    for _ in range(6000):
        a.send(frame(BROADCAST, A.mac, 0x0806, body))
    arrived = sum(mark in each for each in b.seen)
    assert 1000 < arrived < 5000
