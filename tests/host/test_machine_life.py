"""A server's machine from its first start to its removal, under real QEMU."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.engine.embedded.machine import disks, launch, process, record
from andromede.engine.embedded.machine.qmp import Monitor
from andromede.engine.protocol import DiskSpec, EngineError, Power
from tests.host import machine_world
from tests.host.machine_world import BUTTON, IDLE, MEBIBYTE, SUICIDE, World, until

pytestmark = pytest.mark.host


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


def test_a_server_starts_says_what_it_says_stops_and_goes(world: World) -> None:
    spec = world.spec()
    facts = world.machines.ensure_server(spec)
    assert facts.power is Power.ON
    assert facts.accelerator in ("kvm", "tcg")
    world.says(spec.id, b"READY")
    assert world.machines.observe_server(spec.id).power is Power.ON

    world.machines.stop_server(spec.id)
    world.machines.stop_server(spec.id)
    assert world.machines.observe_server(spec.id).power is Power.OFF
    assert world.pids(spec.id) == []

    world.machines.remove_server(spec.id)
    world.machines.remove_server(spec.id)
    assert world.machines.observe_server(spec.id).power is Power.ABSENT
    assert world.machines.console_output(spec.id) is None


def test_a_running_server_is_left_as_it_is(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    pids = world.pids(spec.id)
    world.machines.ensure_server(spec)
    assert world.pids(spec.id) == pids


def test_a_disk_outlives_a_stop(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    disk = world.paths.servers / spec.id / disks.DISK
    made = disk.stat().st_ino
    world.machines.stop_server(spec.id)
    world.machines.ensure_server(spec)
    assert disk.stat().st_ino == made
    world.says(spec.id, b"READY", times=2)


def test_reset_boots_again_in_the_same_process(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    pids = world.pids(spec.id)
    world.machines.reset_server(spec.id)
    world.says(spec.id, b"READY", times=2)
    assert world.pids(spec.id) == pids


def test_the_power_button_reaches_the_guest_which_turns_off(world: World) -> None:
    spec = world.spec(BUTTON)
    assert world.machines.wait_events(0) == frozenset()
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    world.machines.ask_shutdown(spec.id)
    assert world.machines.wait_events(20) == {spec.id}
    facts = world.machines.observe_server(spec.id)
    assert facts.power is Power.OFF
    assert facts.reason is not None
    assert world.pids(spec.id) == []


def test_a_guest_that_turns_off_unwatched_is_told_of_later_and_stays_off(world: World) -> None:
    spec = world.spec(SUICIDE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"BYE")
    until(lambda: status(world, spec.id) == "shutdown", "the guest is off")
    later = world.fresh()
    assert later.wait_events(5) == {spec.id}
    assert later.observe_server(spec.id).power is Power.OFF
    assert later.observe_server(spec.id).power is Power.OFF
    assert world.pids(spec.id) == []


def status(world: World, server_id: str) -> str:
    with Monitor.connect(world.paths.servers / server_id, launch.COMMANDS) as monitor:
        return str(monitor.execute("query-status")["status"])


def test_a_qemu_that_vanished_is_seen_and_started_again(world: World) -> None:
    spec = world.spec()
    world.machines.wait_events(0)
    world.machines.ensure_server(spec)
    (pid,) = world.pids(spec.id)
    os.kill(pid, signal.SIGKILL)
    assert world.machines.wait_events(20) == {spec.id}
    seen = world.machines.observe_server(spec.id)
    assert (seen.power, seen.reason) == (Power.VANISHED, "QEMU ended: it said nothing")
    assert world.machines.wait_events(0) == frozenset()
    assert world.machines.ensure_server(spec).power is Power.ON
    assert world.pids(spec.id) != [pid]


def test_what_is_asked_of_a_machine_is_no_event(world: World) -> None:
    spec = world.spec()
    world.machines.wait_events(0)
    world.machines.ensure_server(spec)
    world.machines.stop_server(spec.id)
    assert world.machines.wait_events(0.3) == frozenset()


def test_a_machine_started_while_another_thread_waits_is_watched(world: World) -> None:
    spec = world.spec(SUICIDE)
    told: list[frozenset[str]] = []
    waiter = threading.Thread(target=lambda: told.append(world.machines.wait_events(20)))
    world.machines.wait_events(0)
    waiter.start()
    world.machines.ensure_server(spec)
    waiter.join()
    assert told == [{spec.id}]


def test_another_instance_adopts_and_moves_what_runs(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.machines.close()
    pids = world.pids(spec.id)
    later = world.fresh()
    assert later.wait_events(0) == frozenset()
    assert later.ensure_server(spec).power is Power.ON
    assert world.pids(spec.id) == pids
    os.kill(pids[0], signal.SIGKILL)
    assert later.wait_events(20) == {spec.id}


def test_after_a_restart_of_the_host_a_server_counts_as_vanished(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    folder = world.paths.servers / spec.id
    held = record.load(folder)
    assert held is not None
    (pid,) = world.pids(spec.id)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not world.pids(spec.id), "it is gone")
    held.pid, held.started, held.boot = os.getpid(), 1, "another boot"
    record.save(folder, held)
    seen = world.fresh().observe_server(spec.id)
    assert (seen.power, seen.reason) == (Power.VANISHED, None)
    assert world.fresh().ensure_server(spec).power is Power.ON


def test_buttons_of_a_machine_that_is_off_do_nothing(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.machines.stop_server(spec.id)
    world.machines.ask_shutdown(spec.id)
    world.machines.reset_server(spec.id)
    assert world.machines.observe_server(spec.id).power is Power.OFF


def test_a_server_without_an_image_gets_an_empty_disk(world: World) -> None:
    disk = DiskSpec(image_id=None, image_format=None, size=8 * MEBIBYTE)
    spec = world.spec(disk=disk)
    assert world.machines.ensure_server(spec).power is Power.ON


def test_a_network_card_has_its_tap_and_mac(world: World) -> None:
    machines = world.fresh(machine_world.tap)
    cards = tuple(machine_world.nic(f"p{n}", f"fa:16:3e:00:00:0{n}") for n in range(3))
    spec = world.spec(IDLE, nics=cards)
    machines.ensure_server(spec)
    with Monitor.connect(world.paths.servers / spec.id, launch.COMMANDS) as monitor:
        found = {each["name"]: each["main-mac"] for each in monitor.execute("query-rx-filter")}
    assert found == {f"nic{n}": card.mac for n, card in enumerate(cards)}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"firmware": "uefi"}, "firmware uefi"),
        ({"disk_bus": "floppy"}, "floppy"),
        ({"nic_model": "ne2k"}, "ne2k"),
        ({"memory": 1000}, "1000 bytes"),
        ({"vcpus": 0}, "0 vcpus"),
    ],
)
def test_what_no_machine_can_be_is_refused(
    world: World, given: dict[str, object], named: str
) -> None:
    with pytest.raises(EngineError, match=named) as told:
        world.machines.ensure_server(world.spec(**given))
    assert told.value.permanent
    assert world.machines.observe().disks == frozenset()


@pytest.mark.parametrize("bus", ["scsi", "sata"])
def test_other_disk_buses_boot(world: World, bus: str) -> None:
    spec = world.spec(disk_bus=bus)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")


@pytest.mark.parametrize("model", ["e1000", "e1000e", "rtl8139"])
def test_other_network_cards_start(world: World, model: str) -> None:
    machines = world.fresh(machine_world.tap)
    spec = world.spec(nic_model=model, nics=(machine_world.nic(),))
    assert machines.ensure_server(spec).power is Power.ON


def test_a_stale_record_ends_no_other_process(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.machines.stop_server(spec.id)
    folder = world.paths.servers / spec.id
    held = record.load(folder)
    assert held is not None
    held.wanted, held.pid, held.boot = True, os.getpid(), process.boot_id()
    held.started = 1
    record.save(folder, held)
    world.machines.stop_server(spec.id)
    world.machines.remove_server(spec.id)


def test_a_host_that_starts_nothing_says_what_qemu_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andromede.engine.embedded.machine.command.MACHINE", "no-such-board")
    spec = world.spec()
    with pytest.raises(EngineError, match="unsupported machine type") as told:
        world.machines.ensure_server(spec)
    assert not told.value.permanent
    assert world.machines.observe_server(spec.id).power is Power.VANISHED
