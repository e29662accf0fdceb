"""Pausing, suspending, rescuing, resizing, copying and rebuilding a server's machine, on real QEMU."""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from andromede.engine.embedded.machine import disks, launch, record
from andromede.engine.embedded.machine.qmp import Monitor
from andromede.engine.protocol import (
    DiskSpec,
    EngineError,
    Power,
    RescueSpec,
    ServerSpec,
)  # fmt: skip
from tests.host.machine_world import HALT, IDLE, MEBIBYTE, SUICIDE, World, says, until

pytestmark = pytest.mark.host

# counts in memory, and writes a byte for each 2 ** 22 steps: what goes on where it was says 0 once
COUNTER = says(b"START\r\n") + bytes.fromhex(
    "66 31 db"  # xor ebx, ebx
    "66 43"  # again: inc ebx
    "66 f7 c3 ff ff 3f 00"  # test ebx, 0x3fffff
    "75 f5"  # jnz again
    "ba f8 03 b0 2e ee eb ed".replace(" ", "")  # write '.', again
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


def power(world: World, spec: ServerSpec) -> Power:
    return world.machines.observe_server(spec.id).power


def dots(world: World, spec: ServerSpec) -> int:
    return world.console(spec.id).count(b".")


def counting(world: World) -> ServerSpec:
    spec = world.spec(COUNTER)
    world.machines.ensure_server(spec)
    world.says(spec.id, b".", times=2)
    return spec


def goes_on(world: World, spec: ServerSpec) -> None:
    """The guest counts on, and did not start again."""
    before = dots(world, spec)
    assert world.machines.ensure_server(spec).power is Power.ON
    until(lambda: dots(world, spec) > before + 1, "the guest goes on")
    assert world.console(spec.id).count(b"START") == 1


def size_of(world: World, spec: ServerSpec) -> int:
    with Monitor.connect(world.paths.servers / spec.id, launch.COMMANDS) as monitor:
        nodes = monitor.execute("query-named-block-nodes", flat=True)
    [size] = [n["image"]["virtual-size"] for n in nodes if n.get("node-name") == "disk"]
    return int(size)


def test_a_paused_machine_halts_and_goes_on(world: World) -> None:
    spec = counting(world)
    pids = world.pids(spec.id)
    world.machines.pause_server(spec.id)
    world.machines.pause_server(spec.id)
    facts = world.fresh().observe_server(spec.id)
    assert (facts.power, facts.reason) == (Power.PAUSED, None)
    goes_on(world, spec)
    assert world.pids(spec.id) == pids
    assert power(world, spec) is Power.ON


def test_a_suspended_machine_ends_and_goes_on_where_it_was(world: World) -> None:
    spec = counting(world)
    world.machines.suspend_server(spec.id)
    world.machines.suspend_server(spec.id)
    assert world.pids(spec.id) == []
    assert power(world, spec) is Power.SUSPENDED
    goes_on(world, spec)
    assert not (world.paths.servers / spec.id / disks.STATE).exists()
    world.machines.suspend_server(spec.id)
    goes_on(world, spec)


def test_a_stop_forgets_what_was_suspended(world: World) -> None:
    spec = counting(world)
    world.machines.suspend_server(spec.id)
    world.machines.stop_server(spec.id)
    assert power(world, spec) is Power.OFF
    world.machines.ensure_server(spec)
    world.says(spec.id, b"START", times=2)


def test_a_machine_killed_while_it_is_suspended_is_suspended_after_all(world: World) -> None:
    spec = counting(world)
    world.machines.suspend_server(spec.id)
    folder = world.paths.servers / spec.id
    held = record.load(folder)
    assert held is not None
    held.wanted = True  # the worker died before it was written down
    record.save(folder, held)
    world.machines.suspend_server(spec.id)
    assert power(world, spec) is Power.SUSPENDED
    goes_on(world, spec)


def test_suspending_goes_on_after_a_worker_that_died(world: World) -> None:
    spec = counting(world)
    folder = world.paths.servers / spec.id
    with Monitor.connect(folder, launch.COMMANDS) as monitor:
        descriptor = os.open("/dev/null", os.O_WRONLY)
        monitor.hand_over(descriptor, "getfd", fdname="memory")
        os.close(descriptor)
        monitor.execute("migrate", uri="fd:memory")
        until(lambda: monitor.execute("query-status")["status"] == "postmigrate", "it is written")
    world.machines.suspend_server(spec.id)
    goes_on(world, spec)


def test_what_is_off_can_neither_be_paused_nor_suspended(world: World) -> None:
    spec = world.spec(SUICIDE)
    with pytest.raises(EngineError, match="its machine is off") as told:
        world.machines.suspend_server(spec.id)
    assert told.value.permanent
    world.machines.ensure_server(spec)
    world.says(spec.id, b"BYE")
    until(lambda: power(world, spec) is Power.OFF, "the guest is off")
    for verb in (world.machines.pause_server, world.machines.suspend_server):
        with pytest.raises(EngineError, match="its machine is off"):
            verb(spec.id)


def test_a_paused_machine_that_died_is_started_anew(world: World) -> None:
    spec = counting(world)
    world.machines.pause_server(spec.id)
    (pid,) = world.pids(spec.id)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not world.pids(spec.id), "it is gone")
    assert power(world, spec) is Power.VANISHED
    world.machines.ensure_server(spec)
    world.says(spec.id, b"START", times=2)


def test_an_interrupt_reaches_a_running_machine_only(world: World) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    world.machines.interrupt_server(spec.id)
    assert power(world, spec) is Power.ON
    world.machines.stop_server(spec.id)
    with pytest.raises(EngineError, match="its machine is off"):
        world.machines.interrupt_server(spec.id)


def grown(spec: ServerSpec, size: int) -> ServerSpec:
    return msgspec.structs.replace(spec, disk=msgspec.structs.replace(spec.disk, size=size))


def test_a_disk_grows_at_a_start_and_never_shrinks(world: World) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    assert size_of(world, spec) == 64 * MEBIBYTE
    world.machines.stop_server(spec.id)
    world.machines.ensure_server(grown(spec, 96 * MEBIBYTE))
    assert size_of(world, spec) == 96 * MEBIBYTE
    world.says(spec.id, b"READY", times=2)
    world.machines.stop_server(spec.id)
    world.machines.ensure_server(spec)
    assert size_of(world, spec) == 96 * MEBIBYTE


def test_a_disk_that_was_kept_comes_back(world: World) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.machines.stop_server(spec.id)
    for _ in range(2):
        world.machines.keep_disk(spec.id)
    world.machines.ensure_server(grown(spec, 96 * MEBIBYTE))
    world.machines.stop_server(spec.id)
    for _ in range(2):
        world.machines.restore_disk(spec.id)
    world.machines.ensure_server(spec)
    assert size_of(world, spec) == 64 * MEBIBYTE
    world.machines.stop_server(spec.id)
    world.machines.keep_disk(spec.id)
    for _ in range(2):
        world.machines.forget_disk(spec.id)
    folder = world.paths.servers / spec.id
    assert not (folder / disks.KEPT).exists()
    assert (folder / disks.DISK).exists()


def test_a_disk_of_another_generation_replaces_the_one_there_is(world: World) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    world.machines.stop_server(spec.id)
    other = world.image(says(b"OTHER\r\n") + HALT)
    disk = DiskSpec(image_id=other, image_format="raw", size=64 * MEBIBYTE, generation=1)
    spec = msgspec.structs.replace(spec, disk=disk)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"OTHER")
    world.machines.stop_server(spec.id)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"OTHER", times=2)
    assert world.console(spec.id).count(b"READY") == 1


@pytest.mark.parametrize(
    "how",
    [{}, {"last": True}, {"bus": "scsi"}, {"bus": "sata"},
     {"bus": "scsi", "last": True}, {"bus": "usb", "last": True}],
)  # fmt: skip
def test_a_rescue_disk_boots_first_and_the_own_disk_is_there(
    world: World, how: dict[str, object]
) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    world.machines.stop_server(spec.id)
    image = world.image(says(b"RESCUE\r\n") + HALT)
    disk = DiskSpec(image_id=image, image_format="raw", size=64 * MEBIBYTE)
    rescued = msgspec.structs.replace(spec, rescue=RescueSpec(disk=disk, **how))  # type: ignore[arg-type]
    world.machines.ensure_server(rescued)
    world.says(spec.id, b"RESCUE")
    assert size_of(world, spec) == 64 * MEBIBYTE
    world.machines.forget_disk(spec.id)
    world.machines.remove_image(image)
    assert [each.stem for each in world.paths.bases.glob("*.raw")].count(image) == 1
    world.machines.stop_server(spec.id)
    world.machines.ensure_server(rescued)
    world.says(spec.id, b"RESCUE", times=2)
    world.machines.stop_server(spec.id)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY", times=2)
    assert not (world.paths.servers / spec.id / disks.RESCUE).exists()


@pytest.mark.parametrize("bus", ["sata", "scsi"])
def test_a_rescue_cd_that_boots_nothing_leaves_the_turn_to_the_own_disk(
    world: World, bus: str
) -> None:
    spec = world.spec(IDLE)
    image = world.image(says(b"NO CD\r\n") + HALT)
    disk = DiskSpec(image_id=image, image_format="raw", size=64 * MEBIBYTE)
    rescue = RescueSpec(disk=disk, device="cdrom", bus=bus)
    world.machines.ensure_server(msgspec.structs.replace(spec, rescue=rescue))
    world.says(spec.id, b"READY")


def copied(world: World, spec: ServerSpec, name: str = "c1") -> bytes:
    until(lambda: world.machines.copy_disk(spec.id, name).done, "the disk is copied")
    with os.fdopen(world.machines.open_copy(spec.id, name), "rb") as file:
        return file.read()


def standing(content: bytes, size: int) -> None:
    """The content is a whole qcow2 disk of that size."""
    magic, _, backing, _, _, virtual = struct.unpack(">4sIQIIQ", content[:32])
    assert (magic, backing, virtual) == (b"QFI\xfb", 0, size)


def test_the_disk_of_a_running_machine_is_copied_whole(world: World) -> None:
    spec = counting(world)
    content = copied(world, spec)
    standing(content, 64 * MEBIBYTE)
    assert b"\x55\xaa" in content
    assert power(world, spec) is Power.ON
    standing(copied(world, spec, "c2"), 64 * MEBIBYTE)
    for _ in range(2):
        world.machines.remove_copy(spec.id, "c1")
    with pytest.raises(EngineError, match="reading the copy"):
        world.machines.open_copy(spec.id, "c1")
    goes_on(world, spec)


@pytest.mark.parametrize("suspended", [False, True])
def test_the_disk_of_a_machine_that_is_off_is_copied_too(world: World, suspended: bool) -> None:
    spec = counting(world)
    ended = world.machines.suspend_server if suspended else world.machines.stop_server
    ended(spec.id)
    assert not world.machines.copy_disk(spec.id, "c1").done
    assert power(world, spec) is (Power.SUSPENDED if suspended else Power.OFF)
    standing(copied(world, spec), 64 * MEBIBYTE)
    assert world.pids(spec.id) == []
    if suspended:
        goes_on(world, spec)


def test_a_copy_that_is_given_up_leaves_nothing(world: World) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    folder = world.paths.servers / spec.id
    world.machines.copy_disk(spec.id, "c1")
    until(lambda: _removed(world, spec), "the copy is removed")
    world.machines.stop_server(spec.id)
    world.machines.copy_disk(spec.id, "c2")
    assert len(world.pids(spec.id)) == 1
    world.machines.remove_copy(spec.id, "c2")
    assert world.pids(spec.id) == []
    assert list(folder.glob("copy.*")) == []
    world.machines.copy_disk(spec.id, "c3")
    assert world.machines.ensure_server(spec).power is Power.ON
    world.says(spec.id, b"READY", times=2)


def _removed(world: World, spec: ServerSpec) -> bool:
    world.machines.remove_copy(spec.id, "c1")
    return not list((world.paths.servers / spec.id).glob("copy.*"))


def test_a_worker_that_died_at_any_moment_of_a_copy_harms_none(world: World) -> None:
    spec = world.spec(IDLE)
    world.machines.ensure_server(spec)
    world.machines.stop_server(spec.id)
    world.machines.copy_disk(spec.id, "c1")
    folder = world.paths.servers / spec.id
    held = record.load(folder)
    assert held is not None
    held.pid = held.started = held.boot = None  # it died before the process was written down
    record.save(folder, held)
    later = world.fresh()
    until(lambda: later.copy_disk(spec.id, "c1").done, "the disk is copied")
    held = record.load(folder)
    assert held is not None
    held.copying = "c1"
    record.save(folder, held)
    assert later.copy_disk(spec.id, "c1").done
    assert world.pids(spec.id) == []


def test_what_cannot_be_copied_is_refused(world: World) -> None:
    spec = world.spec(IDLE)
    with pytest.raises(EngineError, match="it has none") as told:
        world.machines.copy_disk(spec.id, "c1")
    assert told.value.permanent
    with pytest.raises(EngineError, match="names no file"):
        world.machines.copy_disk(spec.id, "../c1")


def test_figures_of_a_running_machine(world: World) -> None:
    spec = counting(world)
    measured = world.machines.figures(spec.id)
    assert measured is not None
    found, ports = measured
    assert ports == tuple(nic.port_id for nic in spec.nics)
    assert (found.paused, found.disks[0].errors) == (False, 0)
    assert len(found.cpu_times) == 1
    assert found.cpu_times[0] > 0
    assert found.memory == 64 * MEBIBYTE
    assert found.memory_used is not None
    assert found.disks[0].read_bytes >= 512
    world.machines.stop_server(spec.id)
    assert world.machines.figures(spec.id) is None
