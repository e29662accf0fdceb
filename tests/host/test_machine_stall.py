"""Suspending a machine onto a disk that stalls, on real QEMU: the disk is a pipe that nobody reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.engine.embedded.machine import disks, launch, progress
from andromede.engine.embedded.machine.qmp import Monitor
from andromede.engine.protocol import EngineError, Power, ServerSpec
from tests.host.machine_world import World
from tests.host.test_machine_freeze import counting, goes_on, power

pytestmark = pytest.mark.host


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(progress, "STALL", 0.3)
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


def drafts(world: World, spec: ServerSpec) -> list[Path]:
    return list((world.paths.servers / spec.id).glob(f"{disks.STATE}*"))


def stalled(world: World, spec: ServerSpec) -> int:
    """A machine whose memory is on its way to a disk that takes no more; what it took can be read."""
    folder = world.paths.servers / spec.id
    out, into = os.pipe()
    with Monitor.connect(folder, launch.COMMANDS) as monitor:
        monitor.execute("stop")
        monitor.hand_over(into, "getfd", fdname="memory")
        os.close(into)
        (folder / f"{disks.STATE}.new").touch()
        monitor.execute("migrate", uri="fd:memory")
    return out


def test_who_suspends_holds_nobody_and_what_was_begun_is_joined(world: World) -> None:
    spec = counting(world)
    taken = stalled(world, spec)
    for machines in (world.machines, world.fresh()):
        with pytest.raises(EngineError, match="nothing moved") as told:
            machines.suspend_server(spec.id)
        assert not told.value.permanent
        assert power(world, spec) is Power.PAUSED
    [draft] = drafts(world, spec)
    with open(taken, "rb") as source, draft.open("wb") as target:
        shutil.copyfileobj(source, target)
    world.machines.suspend_server(spec.id)
    assert power(world, spec) is Power.SUSPENDED
    goes_on(world, spec)


def test_a_machine_goes_on_though_its_memory_is_still_written(world: World) -> None:
    spec = counting(world)
    os.close(stalled(world, spec))
    goes_on(world, spec)
    assert drafts(world, spec) == []


@pytest.mark.parametrize("verb", ["stop_server", "remove_server"])
def test_a_machine_is_ended_though_its_memory_is_still_written(world: World, verb: str) -> None:
    spec = counting(world)
    taken = stalled(world, spec)
    with pytest.raises(EngineError, match="nothing moved"):
        world.machines.suspend_server(spec.id)
    getattr(world.machines, verb)(spec.id)
    os.close(taken)
    assert world.pids(spec.id) == []
    assert drafts(world, spec) == []
