"""Single ports of a floating address, from outside and from inside."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec
import pytest

from andromede.engine.embedded.net import HostNetwork
from andromede.engine.networks import ForwardSpec, RuleSpec
from tests.host import net_documents as doc
from tests.host.net_lab import REFUSAL, Guest, answers_udp, connect, echoes, reaches, serving

pytestmark = pytest.mark.host
NET = doc.network("forwarded", 2)
A, B = doc.port(NET, 11), doc.port(NET, 12)
OUTER = "172.24.4.120"
ANY = RuleSpec(direction="ingress", ether="IPv4")


def forward(protocol: str, port: int, fixed: str, fixed_port: int) -> ForwardSpec:
    return ForwardSpec(id="f", floating=OUTER, protocol=protocol, port=port, fixed=fixed,
                       fixed_port=fixed_port)  # fmt: skip


ROUTER = msgspec.structs.replace(
    doc.router(10, (NET,)),
    forwards=(
        forward("tcp", 2211, "10.0.0.11", 22), forward("tcp", 2212, "10.0.0.12", 22),
        forward("udp", 5300, "10.0.0.11", 53),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def guests(lab: HostNetwork, guest: Callable[..., Guest]) -> dict[str, Guest]:
    lab.ensure_network(doc.EXTERNAL)
    lab.ensure_network(NET)
    for each in (A, B):
        lab.ensure_port(each)
    lab.ensure_firewall(doc.firewall(NET, (A, B), doc.group(*doc.EGRESS, ANY, members=(A, B))))
    lab.ensure_router(ROUTER)
    return {"a": guest(A), "b": guest(B)}


def test_each_port_goes_where_it_should(guests: dict[str, Guest], world: str) -> None:
    with (
        serving(guests["a"].namespace, 22) as a,
        serving(guests["b"].namespace, 22) as b,
        serving(guests["a"].namespace, 53, socket.SOCK_DGRAM) as names,
    ):
        assert reaches(world, OUTER, 2211)
        assert (len(a), len(b)) == (1, 0)
        assert reaches(world, OUTER, 2212)
        assert (len(a), len(b)) == (1, 1)
        assert answers_udp(world, OUTER, 5300)
        assert len(names) == 1
        assert not reaches(world, OUTER, 22, REFUSAL)
        assert not answers_udp(world, OUTER, 2211, REFUSAL)
        assert reaches(guests["a"].namespace, OUTER, 2212), "from inside, too"


def test_one_that_goes_cuts_its_connections(
    lab: HostNetwork, guests: dict[str, Guest], world: str
) -> None:
    with serving(guests["a"].namespace, 22), serving(guests["b"].namespace, 22):
        first, second = connect(world, OUTER, 2211), connect(world, OUTER, 2212)
        assert echoes(first)
        assert echoes(second)
        kept = tuple(each for each in ROUTER.forwards if each.port == 2212)
        lab.ensure_router(msgspec.structs.replace(ROUTER, forwards=kept))
        assert not echoes(first, REFUSAL)
        assert echoes(second)
        first.close()
        second.close()
        lab.ensure_router(ROUTER)
