"""IPv6 as guests have it: addresses from announcements and by DHCPv6, names, the way out."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from andromede.engine.embedded.net import HostNetwork, links, namespaces
from andromede.engine.networks import (
    Advertised,
    NetworkSpec,
    PortSpec,
    RouterInterface,
    RouterSpec,
    RuleSpec,
    SubnetSpec,
)
from tests.host import net_documents as doc
from tests.host.net_lab import PATIENCE, REFUSAL, Guest, frame, ipv6, reaches, serving

pytestmark = pytest.mark.host
ANY = RuleSpec(direction="ingress", ether="IPv6")
WAIT = 10.0
SERVERS = b"\x33\x33\x00\x01\x00\x02"  # ff02::1:2, all DHCPv6 relays and servers
Make = Callable[..., Guest]


def subnet(prefix: str, mode: str, *, announced: bool = True) -> SubnetSpec:
    return SubnetSpec(
        id=prefix, cidr=f"{prefix}/64", gateway=f"{prefix}1", dhcp=True,
        dhcp_address=f"{prefix}2", ra_mode=mode if announced else None, address_mode=mode,
    )  # fmt: skip


def network(name: str, number: int, prefix: str, mode: str, **more: Any) -> NetworkSpec:
    return msgspec.structs.replace(
        doc.network(name, number, f"10.{number}.0.0/24"),
        subnets=(*doc.network(name, number, f"10.{number}.0.0/24").subnets,
                 subnet(prefix, mode, **more)),
    )  # fmt: skip


def eui(prefix: str, number: int) -> str:
    return f"{prefix}f816:3eff:fe00:{number:x}"


SLAAC = network("slaac", 2, "fd00:2::", "slaac")
STATEFUL = network("stateful", 3, "fd00:3::", "dhcpv6-stateful")
A = doc.port(SLAAC, 11, addresses=("10.2.0.11", eui("fd00:2::", 0x11)), mac="fa:16:3e:00:00:11")
B = doc.port(
    STATEFUL, 12, addresses=("10.3.0.12", "fd00:3::beef"), mac="fa:16:3e:00:00:12",
    dhcp_options6=(("ntp-server", "fd00:9::1"),),
)  # fmt: skip


def leg(net: NetworkSpec, prefix: str, mode: str, place: int) -> RouterInterface:
    return RouterInterface(
        port_id=f"leg6-{place}", network_id=net.id, mac=f"fa:16:3e:ee:06:{place:02x}",
        addresses=(f"{prefix}1/64",),
        advertised=(Advertised(prefix=f"{prefix}/64", mode=mode, dns_servers=("fd00:9::53",)),),
    )  # fmt: skip


ROUTER = RouterSpec(
    id="six", number=6, enabled=True, gateway=None, gateway_next_hop=None, snat=False, floating=(),
    interfaces=(
        leg(SLAAC, "fd00:2::", "slaac", 1), leg(STATEFUL, "fd00:3::", "dhcpv6-stateful", 2),
    ),
)  # fmt: skip


def until(holds: Callable[[], Any], seconds: float = WAIT) -> Any:
    """What the condition gives, once it holds."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)
    return found


def addresses(each: Guest) -> list[str]:
    with links.netlink(each.namespace) as ip:
        found = ip.get_addr(family=socket.AF_INET6, index=links.index("eth0"))
        return [message.get_attr("IFA_ADDRESS") for message in found]


def way_out(each: Guest) -> str | None:
    """Where the guest's IPv6 default route goes."""
    with links.netlink(each.namespace) as ip:
        for route in ip.get_default_routes(family=socket.AF_INET6):
            if route.get_attr("RTA_GATEWAY"):
                return str(route.get_attr("RTA_GATEWAY"))
    return None


@pytest.fixture(scope="module")
def guests(lab: HostNetwork, guest: Make) -> dict[str, Guest]:
    for net, port in ((SLAAC, A), (STATEFUL, B)):
        lab.ensure_network(net)
        lab.ensure_port(port)
        lab.ensure_firewall(
            doc.firewall(net, (port,), doc.group(*doc.EGRESS, ANY, members=(port,)))
        )
    return {"a": guest(A, configured=False), "b": guest(B, configured=False)}


def solicit(each: Guest) -> None:
    """Ask for announcements, as a guest that comes up does."""
    source = eui("fe80::", int(each.mac[-2:], 16))
    asked = ipv6(source, "ff02::2", 58, struct.pack(">BBHI", 133, 0, 0, 0))
    each.send(frame(b"\x33\x33\x00\x00\x00\x02", each.mac, 0x86DD, asked))


def is_announcement(data: bytes) -> bool:
    return data[12:14] == b"\x86\xdd" and data[54] == 134


def told(each: Guest) -> str | None:
    """The way out, once it is told; asked for again and again, as guests do."""
    solicit(each)
    return way_out(each)


def test_a_guest_forms_its_address_and_has_no_way_out_without_a_router(
    guests: dict[str, Guest],
) -> None:
    until(lambda: told(guests["a"]) is None and A.addresses[1] in addresses(guests["a"]))
    assert way_out(guests["a"]) is None


def test_where_dhcpv6_gives_addresses_none_is_formed(guests: dict[str, Guest]) -> None:

    def announced() -> bytes | None:
        solicit(guests["b"])
        return guests["b"].heard(is_announcement, 0.2)

    heard = until(announced)
    assert heard[54 + 5] & 0x80, "managed: addresses are to be had by DHCPv6"
    assert struct.unpack(">H", heard[54 + 6 : 54 + 8]) == (0,), "no router"
    assert eui("fd00:3::", 0x12) not in addresses(guests["b"])


def udp6(source: str, mac: str, sport: int, dport: int, body: bytes) -> bytes:
    """A DHCPv6 message to all servers, with its checksum (RFC 8200, section 8.1)."""
    length = 8 + len(body)
    ends = socket.inet_pton(socket.AF_INET6, source)
    ends += socket.inet_pton(socket.AF_INET6, "ff02::1:2")
    head = struct.pack(">HHHH", sport, dport, length, 0)
    whole = ends + struct.pack(">II", length, 17) + head + body
    whole += b"\0" * (len(whole) % 2)
    total = sum(struct.unpack(f">{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    head = struct.pack(">HHHH", sport, dport, length, ~total & 0xFFFF)
    return frame(SERVERS, mac, 0x86DD, ipv6(source, "ff02::1:2", 17, head + body))


def options6(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= 4:
        code, length = struct.unpack(">HH", data[:4])
        found[code], data = data[4 : 4 + length], data[4 + length :]
    return found


def asked6(each: Guest, kind: int, wanted: int, seconds: float, *more: bytes) -> dict[int, bytes]:
    """The options of the answer to a message of this kind; empty when none came."""
    duid = struct.pack(">HHHH", 1, 10, 3, 1) + bytes.fromhex(each.mac.replace(":", ""))
    ask = struct.pack(">HHHHH", 6, 6, 23, 24, 56) + struct.pack(">HHIII", 3, 12, 1, 0, 0)
    body = struct.pack(">I", kind << 24 | 0x123456 + kind) + duid + ask + b"".join(more)
    source = eui("fe80::", int(each.mac[-2:], 16))
    each.send(udp6(source, each.mac, 546, 547, body))
    answer = each.heard(
        lambda data: (
            data[54:58] == b"\x02\x23\x02\x22"
            and data[62:66] == struct.pack(">I", wanted << 24 | 0x123456 + kind)
        ),
        seconds,
    )
    return options6(answer[66:]) if answer else {}


def leased(each: Guest) -> str | None:
    """The address that DHCPv6 offers; the server first has to learn the guest's MAC."""
    for _ in range(20):
        found = asked6(each, 1, 2, 0.5).get(3, b"")
        inside = options6(found[12:]) if found else {}
        if 5 in inside:
            return socket.inet_ntop(socket.AF_INET6, inside[5][:16])
    return None


def test_dhcpv6_gives_the_ports_address_and_options(guests: dict[str, Guest]) -> None:
    assert leased(guests["b"]) == "fd00:3::beef"
    given = asked6(guests["b"], 1, 2, PATIENCE)
    assert given[23] == socket.inet_pton(socket.AF_INET6, "fd00:3::2")
    assert socket.inet_pton(socket.AF_INET6, "fd00:9::1") in given[56]


def test_nobody_else_is_a_server_or_a_router(
    lab: HostNetwork, guests: dict[str, Guest], guest: Make
) -> None:
    port = doc.port(SLAAC, 13, addresses=("10.2.0.13", eui("fd00:2::", 0x13)),
                    mac="fa:16:3e:00:00:13")  # fmt: skip
    lab.ensure_port(port)
    both = (A, port)
    lab.ensure_firewall(doc.firewall(SLAAC, both, doc.group(*doc.EGRESS, ANY, members=both)))
    rogue = guest(port, configured=False)
    source = eui("fe80::", 0x13)
    forged = ipv6(source, "ff02::1", 58, struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0))
    rogue.send(frame(b"\x33\x33\x00\x00\x00\x01", port.mac, 0x86DD, forged))
    assert (
        guests["a"].heard(lambda d: d[6:12] == forged_mac(port) and d[54] == 134, REFUSAL) is None
    )
    rogue.send(udp6(source, port.mac, 547, 546, b"\x02\x00\x00\x01"))
    assert guests["a"].heard(lambda d: d[54:56] == b"\x02\x23" and d[6:12] == forged_mac(port),
                             REFUSAL) is None  # fmt: skip


def forged_mac(port: PortSpec) -> bytes:
    return bytes.fromhex(port.mac.replace(":", ""))


def test_routers_announce_the_way_out_and_carry(lab: HostNetwork, guests: dict[str, Guest]) -> None:
    lab.ensure_router(ROUTER)
    for name, place in (("a", 1), ("b", 2)):
        assert until(lambda name=name: told(guests[name])) == f"fe80::f816:3eff:feee:60{place}"
    with links.netlink(guests["b"].namespace) as ip:
        links.set_addresses(ip, links.index("eth0") or 0, ["fd00:3::beef/64"])
    with serving(guests["b"].namespace, 8080, family=socket.AF_INET6) as peers:
        assert reaches(guests["a"].namespace, "fd00:3::beef", 8080, WAIT)
        assert peers[0] == A.addresses[1]


def test_a_router_that_is_down_announces_nothing(lab: HostNetwork) -> None:
    folder = lab.store.advertiser_folder(ROUTER.id)
    assert (folder / "dnsmasq.conf").exists()
    lab.ensure_router(msgspec.structs.replace(ROUTER, enabled=False))
    assert not folder.exists()
    lab.ensure_router(ROUTER)
    lab.remove_router(ROUTER.id)
    assert not folder.exists()
    assert lab.observe().strays == frozenset()


def test_an_advertiser_of_no_router_is_a_stray(lab: HostNetwork) -> None:
    lab.ensure_router(ROUTER)
    lab.store.forget_router(ROUTER.id)
    found = [each for each in lab.observe().strays if "of no router" in each]
    assert len(found) == 1
    lab.remove_strays()
    assert not [each for each in lab.observe().strays if "of no router" in each]
    lab.remove_router(ROUTER.id)


def test_names_have_their_ipv6_addresses(lab: HostNetwork, guests: dict[str, Guest]) -> None:
    question = b"\x07host-12\x05cloud\x04test\x00" + struct.pack(">HH", 28, 1)
    with links.netlink(guests["b"].namespace) as ip:
        links.set_addresses(ip, links.index("eth0") or 0, ["fd00:3::beef/64"])
    with (
        namespaces.inside(guests["b"].namespace),
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as out,
    ):
        out.settimeout(PATIENCE)
        out.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + question, ("fd00:3::2", 53))
        answer = out.recv(1000)
    assert answer.endswith(socket.inet_pton(socket.AF_INET6, "fd00:3::beef"))


def test_an_address_passes_at_once_to_the_next_port(
    lab: HostNetwork, guests: dict[str, Guest], guest: Make
) -> None:
    lab.remove_port(B.id)
    heir = doc.port(STATEFUL, 14, addresses=("10.3.0.14", "fd00:3::beef"), mac="fa:16:3e:00:00:14")
    lab.ensure_port(heir)
    lab.ensure_firewall(doc.firewall(STATEFUL, (heir,), doc.group(*doc.EGRESS, ANY)))
    assert leased(guest(heir, configured=False)) == "fd00:3::beef"
