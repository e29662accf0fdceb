"""Limits and marks, measured: what arrives is no more than the rate lets pass in the time it took."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import msgspec
import pytest

from andromede.engine.embedded.net import HostNetwork, namespaces
from andromede.engine.embedded.net.shaping import LEAST_BURST
from andromede.engine.networks import (
    ForwardSpec,
    LimitSpec,
    QosSpec,
    RuleSpec,
)
from tests.host import net_documents as doc
from tests.host.net_lab import Guest, reaches, serving

pytestmark = pytest.mark.host
NET = doc.network("limited", 2)
KBPS = 8000
RATE = KBPS * 125  # bytes a second
SENT = 4_000_000
SIZE = 1000
SLOW = QosSpec(egress_kbps=KBPS, egress_burst=1)
SLOW_IN = QosSpec(ingress_kbps=KBPS, ingress_burst=1)
MARKED = QosSpec(dscp=46)
ANY = RuleSpec(direction="ingress", ether="IPv4")
A, B = doc.port(NET, 11), doc.port(NET, 12)
FORCED_BUFFER = 33  # SO_RCVBUFFORCE, socket(7)
OUTER, SINGLE = "172.24.4.111", "172.24.4.112"


def carried(sender: str, receiver: str, address: str, port: int = 9000) -> tuple[int, float]:
    """How many bytes arrive of SENT, by UDP over a second, and how long after the first was sent
    the last one did."""
    with namespaces.inside(receiver):
        into = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    into.setsockopt(socket.SOL_SOCKET, FORCED_BUFFER, 2 * SENT)
    into.bind(("", 9000))
    into.settimeout(1.0)
    total, last = 0, 0.0

    def count() -> None:
        nonlocal total, last
        try:
            while True:
                total += len(into.recv(2000))
                last = time.monotonic()
        except TimeoutError:
            return

    counting = threading.Thread(target=count)
    counting.start()
    with namespaces.inside(sender), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect((address, port))
        began = time.monotonic()
        for at in range(SENT // SIZE):
            time.sleep(max(0.0, began + at * SIZE / SENT - time.monotonic()))  # a steady stream
            out.send(bytes(SIZE))
    counting.join()
    into.close()
    return total, last - began


def held(arrived: int, spent: float) -> bool:
    """Whether no more came than the burst, a second's worth and the rate let pass."""
    return 0 < arrived <= LEAST_BURST + RATE * (1 + spent)


def apply(lab: HostNetwork, a: QosSpec | None, b: QosSpec | None) -> None:
    ports = (msgspec.structs.replace(A, qos=a), msgspec.structs.replace(B, qos=b))
    lab.ensure_firewall(doc.firewall(NET, ports, doc.group(*doc.EGRESS, ANY, members=ports)))


@pytest.fixture(scope="module")
def guests(lab: HostNetwork, guest: Callable[..., Guest]) -> dict[str, Guest]:
    lab.ensure_network(doc.EXTERNAL)
    lab.ensure_network(NET)
    for each in (A, B):
        lab.ensure_port(each)
    apply(lab, None, None)
    return {"a": guest(A), "b": guest(B)}


@pytest.mark.parametrize(("a", "b"), [(SLOW, None), (None, SLOW_IN)], ids=["egress", "ingress"])
def test_a_port_is_limited(
    lab: HostNetwork, guests: dict[str, Guest], a: QosSpec | None, b: QosSpec | None
) -> None:
    apply(lab, a, b)
    arrived, spent = carried(guests["a"].namespace, guests["b"].namespace, "10.0.0.12")
    assert held(arrived, spent), (arrived, spent)
    with serving(guests["b"].namespace, 22):
        assert reaches(guests["a"].namespace, "10.0.0.12", 22), "it is slow, not cut"
    back, spent = carried(guests["b"].namespace, guests["a"].namespace, "10.0.0.11")
    apply(lab, None, None)
    free, _ = carried(guests["a"].namespace, guests["b"].namespace, "10.0.0.12")
    assert free > arrived, "without the policy more arrives"
    assert back > arrived, "the other way is not limited"


def test_a_trusted_port_is_limited_too(lab: HostNetwork, guests: dict[str, Guest]) -> None:
    trusted = msgspec.structs.replace(A, port_security=False, groups=(), qos=SLOW)
    group = doc.group(*doc.EGRESS, ANY, members=(A, B))
    lab.ensure_firewall(doc.firewall(NET, (trusted, B), group))
    arrived, spent = carried(guests["a"].namespace, guests["b"].namespace, "10.0.0.12")
    apply(lab, None, None)
    assert held(arrived, spent), (arrived, spent)


def test_packets_are_marked(lab: HostNetwork, guests: dict[str, Guest]) -> None:
    apply(lab, MARKED, None)
    with (
        namespaces.inside(guests["a"].namespace),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        out.sendto(b"marked", ("10.0.0.12", 9001))
    heard = guests["b"].heard(lambda data: data.endswith(b"marked"))
    assert heard is not None
    assert heard[15] >> 2 == 46
    apply(lab, None, None)


def test_a_floating_address_is_limited(
    lab: HostNetwork, guests: dict[str, Guest], world: str
) -> None:
    forwarded = ForwardSpec(id="f", floating=SINGLE, protocol="udp", port=99, fixed="10.0.0.12",
                            fixed_port=9000)  # fmt: skip
    plain = doc.router(10, (NET,), ((OUTER, "10.0.0.11"),))
    both = QosSpec(egress_kbps=KBPS, egress_burst=1, ingress_kbps=KBPS, ingress_burst=1)
    limits = (
        LimitSpec(floating=OUTER, fixed="10.0.0.11", qos=both),
        LimitSpec(floating=SINGLE, fixed=None, qos=both),
    )
    router = msgspec.structs.replace(plain, forwards=(forwarded,), limits=limits)
    lab.ensure_router(router)
    for target, port, guest in ((OUTER, 9000, "a"), (SINGLE, 99, "b")):
        arrived, spent = carried(world, guests[guest].namespace, target, port)
        assert held(arrived, spent), (target, arrived, spent)
    outward, spent = carried(guests["a"].namespace, world, "198.51.100.2")
    assert held(outward, spent), (outward, spent)
    lab.ensure_router(msgspec.structs.replace(router, limits=()))
    free, _ = carried(world, guests["a"].namespace, OUTER)
    assert free > arrived
    lab.remove_router(router.id)
