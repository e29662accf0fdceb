"""The level check: a host that lost everything has it again, and what nobody owns goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from andromede.services.network import reconcilers, steps
from tests.contract.network.kit import Net, wired


@pytest.fixture
def running(net: Net) -> Any:
    """A wired network with a server's port and a floating IP, on the host."""
    external, router, network, _ = wired(net)
    net.cloud.settle()
    [port] = net.boot("s1", network)
    net.floating(external, port_id=port.id)
    steps.realise(net.cloud.database, net.cloud.engine, [port.id])
    net.cloud.settle()
    return SimpleNamespace(external=external, router=router, network=network, port=port)


def check(net: Net) -> Any:
    world = SimpleNamespace(cloud=net.cloud.cloud, engine=net.cloud.engine)
    [reconciler] = reconcilers(world)
    assert reconciler.every == 30
    return reconciler.run


def held(net: Net) -> tuple[Any, ...]:
    """What the engine holds; a filter of no port is as none."""
    engine = net.cloud.engine
    filters = {key: each for key, each in engine.firewalls.items() if each.ports}
    return (dict(engine.networks), dict(engine.ports), filters, dict(engine.routers))


@pytest.mark.parametrize("first", [True, False])
def test_a_restarted_host_is_made_again(net: Net, running: Any, first: bool) -> None:
    before, run = held(net), check(net)
    if not first:
        run()
        net.cloud.settle()
    net.cloud.engine.host_restarts()
    run()
    net.cloud.settle()
    assert held(net) == before


def test_when_nothing_changed_nothing_is_written(net: Net, running: Any) -> None:
    from andromede.work import store

    run = check(net)
    run()
    net.cloud.settle()
    run()
    with net.cloud.database.read() as connection:
        assert store.next_due(connection) is None


def test_what_was_altered_is_put_right(net: Net, running: Any) -> None:
    before, run, engine = held(net), check(net), net.cloud.engine
    run()
    net.cloud.settle()
    engine.firewalls.clear()
    del engine.ports[running.port.id]
    del engine.routers[running.router["id"]]
    run()
    net.cloud.settle()
    assert held(net) == before


def test_what_fails_is_asked_for(net: Net, running: Any) -> None:
    before, run, engine = held(net), check(net), net.cloud.engine
    run()
    net.cloud.settle()
    for verb in ("ensure_network", "ensure_firewall", "ensure_router"):
        engine.faults.fail(verb)
    engine.firewalls.clear()
    run()
    net.cloud.settle()
    assert held(net) == before


def test_what_nobody_owns_goes(net: Net, running: Any) -> None:
    from msgspec.structs import replace

    before, engine = held(net), net.cloud.engine
    engine.networks["n"] = replace(engine.networks[running.network["id"]], id="n")
    engine.ports["p"] = replace(engine.ports[running.port.id], id="p")
    engine.routers["r"] = replace(engine.routers[running.router["id"]], id="r")
    check(net)()
    net.cloud.settle()
    assert held(net) == before


def test_a_removal_that_was_given_up_is_asked_again(net: Net, running: Any) -> None:
    network = net.network()
    net.cloud.settle()
    net.cloud.engine.faults.fail("remove_network", permanent=True)
    net.delete(f"networks/{network['id']}")
    net.cloud.settle()
    assert network["id"] in net.cloud.engine.networks
    check(net)()
    net.cloud.settle()
    assert network["id"] not in net.cloud.engine.networks
