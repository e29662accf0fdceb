"""Address scopes: nothing is routed between two, and in the outer one nothing is translated."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from andromede.engine.embedded.net import HostNetwork
from andromede.engine.networks import RouterSpec, RuleSpec
from tests.host import net_documents as doc
from tests.host.net_lab import REFUSAL, Guest, reaches, serving

pytestmark = pytest.mark.host
ONE, TWO = doc.network("one", 2), doc.network("two", 3, "10.0.3.0/24")
A, B = doc.port(ONE, 11), doc.port(TWO, 31, addresses=("10.0.3.31",))
ANY = RuleSpec(direction="ingress", ether="IPv4")
THREE = doc.network("three", 4, "10.0.5.0/24")
C = doc.port(THREE, 51, addresses=("10.0.5.51",))
BESIDE = doc.router(
    20, (THREE,), routes=(("10.0.0.0/24", "172.24.4.10"), ("10.0.3.0/24", "172.24.4.10"))
)
ROUTER = doc.router(10, (ONE, TWO))


def scoped(*scopes: str | None, outer: str | None = None, **more: bool) -> RouterSpec:
    """The router with its legs in some scopes."""
    assert ROUTER.gateway is not None
    return msgspec.structs.replace(
        ROUTER,
        interfaces=tuple(
            msgspec.structs.replace(leg, scope4=each, scope6=each)
            for leg, each in zip(ROUTER.interfaces, scopes, strict=True)
        ),
        gateway=msgspec.structs.replace(ROUTER.gateway, scope4=outer, scope6=outer),
        **more,
    )


@pytest.fixture(scope="module")
def guests(lab: HostNetwork, guest: Callable[..., Guest]) -> dict[str, Guest]:
    lab.ensure_network(doc.EXTERNAL)
    for net, port in ((ONE, A), (TWO, B), (THREE, C)):
        lab.ensure_network(net)
        lab.ensure_port(port)
        lab.ensure_firewall(
            doc.firewall(net, (port,), doc.group(*doc.EGRESS, ANY, members=(port,)))
        )
    return {
        "a": guest(A), "b": guest(B, gateway="10.0.3.1"), "c": guest(C, gateway="10.0.5.1"),
    }  # fmt: skip


def test_what_is_routed_between_scopes(
    lab: HostNetwork, guests: dict[str, Guest], world: str
) -> None:
    with serving(guests["b"].namespace, 22), serving(world, 22):
        for scopes, passes in (
            (("s", "s"), True), (("s", "t"), False), (("s", None), False), ((None, None), True),
        ):  # fmt: skip
            lab.ensure_router(scoped(*scopes))
            wait = 3.0 if passes else REFUSAL
            assert reaches(guests["a"].namespace, "10.0.3.31", 22, wait) is passes, scopes
            assert reaches(guests["a"].namespace, "198.51.100.2", 22), "out by SNAT in any"
        lab.ensure_router(scoped("s", "t", outer="o", snat=False))
        assert not reaches(guests["a"].namespace, "198.51.100.2", 22, REFUSAL)


def test_the_outer_scope_comes_in_to_its_own(lab: HostNetwork, guests: dict[str, Guest]) -> None:
    """From behind another router of the external network, which knows the way."""
    lab.ensure_router(scoped("o", None, outer="o"))
    lab.ensure_router(BESIDE)
    with serving(guests["a"].namespace, 22) as peers, serving(guests["b"].namespace, 22):
        assert reaches(guests["c"].namespace, "10.0.0.11", 22)
        assert peers == ["172.24.4.20"]
        assert not reaches(guests["c"].namespace, "10.0.3.31", 22, REFUSAL), "of another scope"
    with serving(guests["c"].namespace, 22) as peers:
        floating = doc.router(20, (THREE,), (("172.24.4.121", "10.0.5.51"),))
        lab.ensure_router(msgspec.structs.replace(floating, routes=BESIDE.routes))
        for name, seen in (("a", "10.0.0.11"), ("b", "172.24.4.10")):
            assert reaches(guests[name].namespace, "172.24.4.121", 22)
            assert peers[-1] == seen, "translated only between scopes"
    for each in (ROUTER, BESIDE):
        lab.remove_router(each.id)
