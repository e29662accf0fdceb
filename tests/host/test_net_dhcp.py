"""DHCP, names and the metadata address, as a guest sees them."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
from collections.abc import Callable

import pytest

from andromede.engine.embedded.net import HostNetwork, links, namespaces
from andromede.engine.networks import PortSpec
from andromede.engine.protocol import EngineError
from tests.host import net_documents as doc
from tests.host.net_lab import (
    BROADCAST,
    PATIENCE,
    REFUSAL,
    Guest,
    connect,
    frame,
    mac_bytes,
    udp,
)

pytestmark = pytest.mark.host
NET = doc.network("dhcp", 2)
A = doc.port(NET, 11, dhcp_options=(("ntp-server", "192.0.2.123"), ("66", "boot.test")))
B = doc.port(NET, 12, hostname="database")
COOKIE = b"\x63\x82\x53\x63"


def message(kind: int, mac: str, xid: int, *options: bytes) -> bytes:
    head = struct.pack(">BBBBIHH", 1, 1, 6, 0, xid, 0, 0) + bytes(16)
    body = head + mac_bytes(mac) + bytes(10) + bytes(192) + COOKIE + bytes([53, 1, kind])
    wanted = bytes([55, 9, 1, 3, 6, 12, 15, 26, 42, 66, 121])
    payload = body + wanted + b"".join(options) + b"\xff"
    return frame(BROADCAST, mac, 0x0800, udp("0.0.0.0", "255.255.255.255", 68, 67, payload))


def reply(each: Guest, kind: int, xid: int, seconds: float = PATIENCE) -> dict[int, bytes] | None:
    """The options of the DHCP reply; key 0 holds the address."""

    def wanted(data: bytes) -> bool:
        return data[42 + 4 : 42 + 8] == struct.pack(">I", xid) and options(data)[53][0] == kind

    def options(data: bytes) -> dict[int, bytes]:
        found, rest = {0: data[42 + 16 : 42 + 20]}, data[42 + 240 :]
        while rest and rest[0] != 255:
            found[rest[0]], rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
        return found

    data = each.heard(wanted, seconds)
    return options(data) if data else None


def offered(each: Guest, mac: str, xid: int) -> dict[int, bytes] | None:
    each.send(message(1, mac, xid))
    return reply(each, 2, xid, 0.5)


def lease(each: Guest, mac: str) -> dict[int, bytes]:
    offers = (offered(each, mac, xid) for xid in range(100, 110))  # as clients, ask again
    offer = next(found for found in offers if found is not None)
    each.send(message(3, mac, 2, bytes([50, 4]) + offer[0], bytes([54, 4]) + offer[54]))
    answer = reply(each, 5, 2)
    assert answer is not None
    return answer


@pytest.fixture(scope="module", autouse=True)
def network(lab: HostNetwork) -> None:
    lab.ensure_network(NET)
    for each in (A, B):
        lab.ensure_port(each)


@pytest.fixture(scope="module")
def closed(guest: Callable[..., Guest]) -> Guest:
    """A guest whose port no firewall names: DHCP is all that passes."""
    return guest(A, configured=False)


def test_the_port_gets_its_address_routes_resolver_and_mtu(closed: Guest) -> None:
    given = lease(closed, A.mac)
    assert socket.inet_ntoa(given[0]) == "10.0.0.11"
    assert socket.inet_ntoa(given[3]) == "10.0.0.1"
    assert given[6] == socket.inet_aton("192.0.2.53")
    assert (given[12], given[15]) == (b"host-11", b"cloud.test")
    assert struct.unpack(">H", given[26]) == (1442,)
    assert given[121] == (
        bytes([32, 169, 254, 169, 254, 10, 0, 0, 2])
        + bytes([15, 198, 18, 10, 0, 0, 3])
        + bytes([0, 10, 0, 0, 1])
    )
    assert given[42] == socket.inet_aton("192.0.2.123")
    assert given[66].rstrip(b"\0") == b"boot.test"


def test_a_reply_reaches_only_its_own_port(
    lab: HostNetwork, closed: Guest, guest: Callable[..., Guest]
) -> None:
    other = guest(B, configured=False)
    other.send(message(1, B.mac, 77))
    assert reply(other, 2, 77) is not None
    assert reply(closed, 2, 77, 0) is None


def test_an_unknown_mac_is_offered_nothing(lab: HostNetwork, closed: Guest) -> None:
    lab.remove_port(B.id)
    lab.ensure_port(free := doc.port(NET, 13, port_security=False))
    lab.ensure_firewall(doc.firewall(NET, (A, free), doc.group(*doc.EGRESS)))
    trusted = Guest(lab, free.id, free.mac, "trusted")
    try:
        trusted.send(message(1, "fa:16:3e:99:99:99", 5))
        assert reply(trusted, 2, 5, REFUSAL) is None
        trusted.send(message(1, free.mac, 6))
        assert reply(trusted, 2, 6) is not None
    finally:
        trusted.close()


def test_an_address_passes_at_once_to_the_next_port(lab: HostNetwork) -> None:
    first = doc.port(NET, 21, addresses=("10.0.0.99",))
    second = doc.port(NET, 22, addresses=("10.0.0.99",))
    for each in (first, second):
        lab.ensure_port(each)
        holder = Guest(lab, each.id, each.mac, f"pass-{each.number}")
        given = lease(holder, each.mac)
        holder.close()
        assert socket.inet_ntoa(given[0]) == "10.0.0.99"
        lab.remove_port(each.id)


def test_nothing_is_said_to_dhcp_in_a_neighbours_name(
    lab: HostNetwork, closed: Guest, guest: Callable[..., Guest]
) -> None:
    """A DHCPDECLINE would take the neighbour's address out of use (RFC 2131, section 4.3.3)."""
    port = doc.port(NET, 23)
    lab.ensure_port(port)
    decline = message(4, port.mac, 90, bytes([50, 4, 10, 0, 0, 23]), bytes([54, 4, 10, 0, 0, 2]))
    closed.send(decline[:6] + mac_bytes(A.mac) + decline[12:])
    lab.ensure_firewall(doc.firewall(NET, (A,), doc.group(*doc.EGRESS, members=(A,))))
    closed.send(decline[:6] + mac_bytes(A.mac) + decline[12:])
    body = decline[42:]
    unicast = udp("10.0.0.11", "10.0.0.2", 68, 67, body)
    closed.send(frame(NET.dhcp_mac, A.mac, 0x0800, unicast))
    assert socket.inet_ntoa(lease(guest(port, configured=False), port.mac)[0]) == "10.0.0.23"


def test_an_address_that_changes_is_handed_out_at_once(
    lab: HostNetwork, guest: Callable[..., Guest]
) -> None:
    port = doc.port(NET, 24)
    lab.ensure_port(port)
    holder = guest(port, configured=False)
    assert socket.inet_ntoa(lease(holder, port.mac)[0]) == "10.0.0.24"
    lab.ensure_port(doc.port(NET, 24, addresses=("10.0.0.124",)))
    holder.seen.clear()
    assert socket.inet_ntoa(lease(holder, port.mac)[0]) == "10.0.0.124"


def ask(namespace: str, name: str, server: str = "10.0.0.2") -> tuple[int, list[str]]:
    """The code and the IPv4 addresses that the network's resolver answers."""
    labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
    query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + b"\0\x01\0\x01"
    with namespaces.inside(namespace), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(PATIENCE)
        link.sendto(query, (server, 53))
        answer = link.recv(1500)
    count = struct.unpack_from(">H", answer, 6)[0]
    tail = answer[-16 * count :] if count else b""
    found = [socket.inet_ntoa(tail[i + 12 : i + 16]) for i in range(0, len(tail), 16)]
    return answer[3] & 15, found


@pytest.fixture
def opened(lab: HostNetwork, closed: Guest) -> tuple[Guest, PortSpec]:
    lab.ensure_port(B)
    lab.ensure_firewall(doc.firewall(NET, (A, B), doc.group(*doc.EGRESS, members=(A, B))))
    closed.configure("10.0.0.11/24", "10.0.0.1")
    return closed, A


def test_names_of_the_networks_ports_resolve(opened: tuple[Guest, PortSpec]) -> None:
    where = opened[0].namespace
    assert ask(where, "database.cloud.test") == (0, ["10.0.0.12"])
    assert ask(where, "database") == (0, ["10.0.0.12"])
    assert ask(where, "nobody.cloud.test")[0] == 3  # NXDOMAIN: this server knows the domain
    assert ask(where, "example.com")[0] == 5  # REFUSED: the guest asks its next server


def test_a_new_name_resolves_without_a_restart(
    lab: HostNetwork, opened: tuple[Guest, PortSpec]
) -> None:
    before = lab.network(NET.id).dnsmasq.pid()
    lab.ensure_port(doc.port(NET, 31, hostname="latecomer", owner_uid=None))
    attempts = (ask(opened[0].namespace, "latecomer.cloud.test") for _ in range(1000))
    assert next(each for each in attempts if each[0] == 0) == (0, ["10.0.0.31"])
    assert lab.network(NET.id).dnsmasq.pid() == before
    lab.remove_port("port-31")


def test_the_metadata_socket_sees_the_guests_address(
    lab: HostNetwork, opened: tuple[Guest, PortSpec]
) -> None:
    handle = lab.metadata_socket(NET.id)
    assert handle is not None
    with socket.socket(fileno=handle) as listener:
        listener.settimeout(PATIENCE)
        # The guest has no route for it but its default one, to a router that is not there yet:
        # whatever it sends to the metadata address goes to the network's own service.
        opened[0].configure("10.0.0.11/24", "10.0.0.12")
        neighbour(opened[0], "10.0.0.12", B.mac)
        with connect(opened[0].namespace, "169.254.169.254", 80):
            connection, peer = listener.accept()
            connection.close()
        assert peer[0] == "10.0.0.11"
        with pytest.raises(EngineError, match="in use"):
            lab.metadata_socket(NET.id)


def neighbour(each: Guest, address: str, mac: str) -> None:
    with links.netlink(each.namespace) as ip:
        ip.neigh("replace", dst=address, lladdr=mac, ifindex=links.index("eth0"))


def test_no_network_has_no_metadata_socket(lab: HostNetwork) -> None:
    assert lab.metadata_socket("absent") is None


def test_a_killed_dnsmasq_comes_back(lab: HostNetwork) -> None:
    pid = lab.network(NET.id).dnsmasq.pid()
    assert pid is not None
    handle = os.pidfd_open(pid)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    assert select.select([handle], [], [], PATIENCE)[0]
    os.close(handle)
    assert lab.network(NET.id).dnsmasq.pid() is None
    lab.ensure_network(NET)
    assert lab.network(NET.id).dnsmasq.pid() not in (None, pid)
