"""Cards plugged into a real QEMU that runs, and asked back from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from andromede.engine.embedded.machine import Machines, launch, record
from andromede.engine.embedded.machine.command import SPARE_PORTS
from andromede.engine.embedded.machine.qmp import Monitor
from andromede.engine.protocol import EngineError, Power, ServerSpec
from tests.host import machine_world
from tests.host.machine_world import IDLE, World, nic, until

pytestmark = pytest.mark.host
CARDS = tuple(nic(f"p{n}", f"fa:16:3e:00:00:0{n}") for n in range(6))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def machines(world: World) -> Machines:
    return world.fresh(machine_world.tap)


def having(spec: ServerSpec, *cards: int) -> ServerSpec:
    return msgspec.structs.replace(spec, nics=tuple(CARDS[n] for n in cards))


def seen(world: World, spec: ServerSpec) -> dict[str, str]:
    """The cards of the machine, by their devices' names."""
    with Monitor.connect(world.paths.servers / spec.id, launch.COMMANDS) as monitor:
        found = monitor.execute("query-rx-filter")
    return {each["name"]: each["main-mac"] for each in found}


def macs(*cards: int) -> dict[str, str]:
    return {f"nic{at}": CARDS[n].mac for at, n in enumerate(cards)}


def test_cards_are_plugged_once_and_kept_over_a_suspension(
    world: World, machines: Machines
) -> None:
    spec = having(world.spec(IDLE), 0)
    machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    both = having(spec, 0, 1)
    for _ in range(2):
        assert machines.ensure_cards(both) == frozenset()
    assert seen(world, spec) == macs(0, 1)
    machines.suspend_server(spec.id)
    machines.ensure_server(both)
    assert seen(world, spec) == macs(0, 1)
    assert world.console(spec.id).count(b"READY") == 1
    assert world.fresh(machine_world.tap).ensure_cards(having(spec, 0, 1, 2)) == frozenset()
    assert seen(world, spec) == macs(0, 1, 2)


def test_a_card_that_was_half_plugged_is_plugged(world: World, machines: Machines) -> None:
    spec = having(world.spec(IDLE), 0)
    machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    with Monitor.connect(world.paths.servers / spec.id, launch.COMMANDS) as monitor:
        monitor.execute("netdev_add", type="user", id="net1")  # the worker died here
    assert machines.ensure_cards(having(spec, 0, 1)) == frozenset()
    assert seen(world, spec) == macs(0, 1)
    folder = world.paths.servers / spec.id
    held = record.load(folder)
    assert held is not None
    held.cards = {"p0": 0}  # or here
    record.save(folder, held)
    assert machines.ensure_cards(having(spec, 0, 1)) == frozenset()
    assert seen(world, spec) == macs(0, 1)


def test_a_guest_that_does_not_answer_keeps_its_card(world: World, machines: Machines) -> None:
    spec = having(world.spec(IDLE), 0, 1)
    machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    for _ in range(2):
        assert machines.ensure_cards(having(spec, 0)) == {"p1"}
    machines.stop_server(spec.id)
    assert machines.ensure_cards(having(spec, 0)) == frozenset()
    machines.ensure_server(having(spec, 0))
    assert seen(world, spec) == macs(0)


def test_a_card_that_went_is_forgotten(world: World, machines: Machines) -> None:
    """A machine that has not begun lets go of a device by itself at its next reset."""
    spec = having(world.spec(IDLE), 0, 1)
    machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    machines.ensure_cards(having(spec, 0))
    machines.reset_server(spec.id)
    until(lambda: not machines.ensure_cards(having(spec, 0)), "the card is gone")
    assert seen(world, spec) == macs(0)
    assert machines.ensure_cards(having(spec, 0, 2)) == frozenset()
    assert seen(world, spec) == macs(0, 2)


def test_slots_and_models_bound_what_can_be_plugged(world: World, machines: Machines) -> None:
    spec = having(world.spec(IDLE), 0)
    machines.ensure_server(spec)
    machines.ensure_cards(having(spec, *range(1 + SPARE_PORTS)))
    with pytest.raises(EngineError, match="slots of its machine are taken") as told:
        machines.ensure_cards(having(spec, *range(2 + SPARE_PORTS)))
    assert told.value.permanent
    old = having(world.spec(IDLE, nic_model="rtl8139"), 0)
    machines.ensure_server(old)
    with pytest.raises(EngineError, match="rtl8139 cannot be plugged"):
        machines.ensure_cards(having(old, 0, 1))


def test_what_is_off_needs_none(world: World, machines: Machines) -> None:
    spec = having(world.spec(machine_world.SUICIDE), 0)
    assert machines.ensure_cards(spec) == frozenset()
    machines.ensure_server(spec)
    world.says(spec.id, b"BYE")
    until(lambda: not machines.ensure_cards(having(spec, 0, 1)), "the guest is off")
    machines.stop_server(spec.id)
    assert machines.observe_server(spec.id).power is Power.OFF
