"""Routers: out by SNAT, in by floating addresses, between networks, and what the host lets pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest

from andromede.engine.embedded.net import HostNetwork, links
from andromede.engine.networks import RuleSpec
from tests.host import net_documents as doc
from tests.host.conftest import WORLD, WORLD_HOST_SIDE
from tests.host.net_lab import (
    REFUSAL,
    Guest,
    connect,
    echoes,
    pings,
    reaches,
    serving,
)

pytestmark = pytest.mark.host
ONE, TWO = doc.network("one", 2), doc.network("two", 3)  # both 10.0.0.0/24
THREE = doc.network("three", 4, "10.0.3.0/24")
A, B = doc.port(ONE, 11), doc.port(ONE, 12)
TWIN = doc.port(TWO, 21, addresses=("10.0.0.11",), id="twin")
FAR = doc.port(THREE, 31, addresses=("10.0.3.31",))
FLOATING = (("172.24.4.111", "10.0.0.11"), ("172.24.4.112", "10.0.0.12"))
FIRST = doc.router(10, (ONE, THREE), FLOATING)
SECOND = doc.router(20, (TWO,))
ANY = RuleSpec(direction="ingress", ether="IPv4")
Make = Callable[..., Guest]


@pytest.fixture(scope="module")
def guests(lab: HostNetwork, guest: Make) -> dict[str, Guest]:
    lab.ensure_network(doc.EXTERNAL)
    for net in (ONE, TWO, THREE):
        lab.ensure_network(net)
    for net, ports in ((ONE, (A, B)), (TWO, (TWIN,)), (THREE, (FAR,))):
        for each in ports:
            lab.ensure_port(each)
        lab.ensure_firewall(doc.firewall(net, ports, doc.group(*doc.EGRESS, ANY, members=ports)))
    lab.ensure_router(FIRST)
    lab.ensure_router(SECOND)
    return {
        "a": guest(A),
        "b": guest(B),
        "twin": guest(TWIN),
        "far": guest(FAR, gateway="10.0.3.1"),
    }


@pytest.fixture(scope="module")
def everywhere(guests: dict[str, Guest], world: str) -> Iterator[dict[str, list[str]]]:
    """A server on port 22 of every guest and of the world: the peers each saw."""
    places = {name: each.namespace for name, each in guests.items()} | {"world": world}
    with (
        serving(places["a"], 22) as a,
        serving(places["b"], 22) as b,
        serving(places["twin"], 22) as twin,
        serving(places["far"], 22) as far,
        serving(world, 22) as out,
    ):
        yield {"a": a, "b": b, "twin": twin, "far": far, "world": out}


Peers = dict[str, list[str]]


def test_out_by_snat_and_the_hosts_own_address(guests: dict[str, Guest], everywhere: Peers) -> None:
    assert reaches(guests["twin"].namespace, WORLD, 22)
    assert everywhere["world"][-1] == WORLD_HOST_SIDE
    assert reaches(guests["twin"].namespace, "172.24.4.111", 22)
    assert everywhere["a"][-1] == "172.24.4.20"  # the other router's gateway address


def test_in_by_the_floating_address(
    world: str, guests: dict[str, Guest], everywhere: Peers
) -> None:
    assert reaches(world, "172.24.4.111", 22)
    assert everywhere["a"][-1] == WORLD
    assert pings(world, "172.24.4.112")


def test_out_by_the_own_floating_address(
    lab: HostNetwork, guests: dict[str, Guest], everywhere: Peers
) -> None:
    lab.ensure_router(doc.router(20, (TWO,), (("172.24.4.121", "10.0.0.11"),)))
    assert reaches(guests["a"].namespace, "172.24.4.121", 22)
    assert everywhere["twin"][-1] == "172.24.4.111"
    lab.ensure_router(SECOND)


def test_hairpin_to_another_and_to_oneself(guests: dict[str, Guest], everywhere: Peers) -> None:
    assert reaches(guests["b"].namespace, "172.24.4.111", 22)
    assert everywhere["a"][-1] == "172.24.4.112"
    assert reaches(guests["a"].namespace, "172.24.4.111", 22)
    assert everywhere["a"][-1] == "172.24.4.111"
    assert reaches(guests["far"].namespace, "172.24.4.111", 22)
    assert everywhere["a"][-1] == "172.24.4.10"


def test_between_networks_of_one_router_addresses_stay(
    guests: dict[str, Guest], everywhere: Peers
) -> None:
    assert reaches(guests["a"].namespace, "10.0.3.31", 22)
    assert everywhere["far"][-1] == "10.0.0.11"


def test_equal_ranges_of_two_networks_are_apart(
    guests: dict[str, Guest], everywhere: Peers
) -> None:
    before = len(everywhere["twin"])
    assert reaches(guests["b"].namespace, "10.0.0.11", 22)
    assert everywhere["a"][-1] == "10.0.0.12"
    assert len(everywhere["twin"]) == before
    assert not reaches(guests["twin"].namespace, "10.0.0.12", 22, REFUSAL)


def test_fixed_addresses_are_not_reached_from_outside(world: str, guests: dict[str, Guest]) -> None:
    with links.netlink(world) as ip:
        ip.route("add", dst="10.0.0.0/24", gateway=WORLD_HOST_SIDE)
    with links.netlink(None) as ip:
        ip.route("add", dst="10.0.0.0/24", gateway="172.24.4.10")
    assert not pings(world, "10.0.0.11", REFUSAL)
    with links.netlink(None) as ip:
        ip.route("del", dst="10.0.0.0/24", gateway="172.24.4.10")


def test_guests_reach_of_the_host_the_gateways_echo_and_the_api_alone(
    lab: HostNetwork, guests: dict[str, Guest]
) -> None:
    where = guests["a"].namespace
    with serving(None, 8443), serving(None, 2222):
        assert reaches(where, "172.24.4.1", 8443)
        assert reaches(where, WORLD_HOST_SIDE, 8443)
        assert not reaches(where, "172.24.4.1", 2222, REFUSAL)
        assert not reaches(where, WORLD_HOST_SIDE, 2222, REFUSAL)
    assert pings(where, "172.24.4.1")
    assert pings(where, "10.0.0.1")
    assert not pings(where, WORLD_HOST_SIDE, REFUSAL)
    assert not reaches(where, "169.254.169.254", 8443, REFUSAL)


def test_a_floating_address_that_goes_cuts_its_connections(
    lab: HostNetwork, world: str, guests: dict[str, Guest], everywhere: Peers
) -> None:
    with connect(world, "172.24.4.111", 22) as cut, connect(world, "172.24.4.112", 22) as kept:
        assert echoes(cut)
        assert echoes(kept)
        lab.ensure_router(msgspec.structs.replace(FIRST, floating=FIRST.floating[1:]))
        assert not echoes(cut, REFUSAL)
        assert echoes(kept)
    lab.ensure_router(FIRST)
    assert reaches(world, "172.24.4.111", 22)


def test_a_floating_address_that_moves_is_announced(
    lab: HostNetwork, world: str, guests: dict[str, Guest], everywhere: Peers
) -> None:
    assert reaches(world, "172.24.4.111", 22)  # the host now knows the first router's MAC
    moved = doc.router(20, (TWO,), (("172.24.4.111", "10.0.0.11"),))
    lab.ensure_router(msgspec.structs.replace(FIRST, floating=FIRST.floating[1:]))
    lab.ensure_router(moved)
    assert reaches(world, "172.24.4.111", 22, 1.0)  # well below a stale neighbour's timeout
    assert everywhere["twin"][-1] == WORLD
    lab.ensure_router(SECOND)
    lab.ensure_router(FIRST)


def test_a_router_that_is_down_passes_nothing(
    lab: HostNetwork, world: str, guests: dict[str, Guest], everywhere: Peers
) -> None:
    lab.ensure_router(msgspec.structs.replace(FIRST, enabled=False))
    assert not reaches(guests["a"].namespace, WORLD, 22, REFUSAL)
    assert not reaches(world, "172.24.4.111", 22, REFUSAL)
    lab.ensure_router(FIRST)
    assert reaches(guests["a"].namespace, WORLD, 22)


def test_static_routes_and_no_snat(
    lab: HostNetwork, guests: dict[str, Guest], everywhere: Peers
) -> None:
    plain = msgspec.structs.replace(
        FIRST, snat=False, floating=(), routes=(("192.0.2.0/24", "10.0.0.12"),)
    )
    lab.ensure_router(plain)
    with links.netlink(lab.names.router_namespace(FIRST.id)) as ip:
        (route,) = ip.get_routes(dst="192.0.2.0/24")
        assert route.get_attr("RTA_GATEWAY") == "10.0.0.12"
    assert not reaches(guests["a"].namespace, WORLD, 22, REFUSAL)  # no own address leaves the cloud
    lab.ensure_router(FIRST)
    with links.netlink(lab.names.router_namespace(FIRST.id)) as ip:
        (route,) = ip.get_routes(dst="192.0.2.0/24")
        assert route.get_attr("RTA_GATEWAY") == "172.24.4.1"


def test_verbs_of_many_threads_do_not_mix(lab: HostNetwork, guests: dict[str, Guest]) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        net = doc.network(f"thread-{number}", 100 + number)
        try:
            for _ in range(2):
                lab.ensure_network(net)
                each = doc.port(net, 100 + number, addresses=("10.0.0.50",))
                lab.ensure_port(each)
                group = doc.group(*doc.EGRESS, members=(each,))
                lab.ensure_firewall(doc.firewall(net, (each,), group))
                lab.observe()
                lab.remove_port(each.id)
                lab.remove_network(net.id)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    view = lab.observe()
    assert view.networks == {"external", "one", "two", "three"}
    assert not view.strays
