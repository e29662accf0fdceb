"""A worker that is killed at any instant of a start: the next one finds or makes exactly one QEMU."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from andromede.engine.embedded.machine import disks, launch, process, record
from andromede.engine.protocol import Power, ServerSpec
from tests.host.machine_world import World, until

pytestmark = pytest.mark.host


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.end()


def in_child(work: Callable[[], object], kill_after: float | None = None) -> None:
    """Do something in a process that dies without any clean-up."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)  # the instant of the kill is what is tested, not waited for
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def dies(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def one_runs(world: World, spec: ServerSpec) -> None:
    """A later instance converges to one QEMU, which its record names."""
    assert world.fresh().ensure_server(spec).power is Power.ON
    until(lambda: len(world.pids(spec.id)) == 1, "one process is left")
    later = world.fresh()
    assert later.observe_server(spec.id).power is Power.ON
    held = record.load(world.paths.servers / spec.id)
    assert held is not None
    assert held.pid == world.pids(spec.id)[0]
    world.says(spec.id, b"READY")
    folder = world.paths.servers / spec.id
    assert not [*folder.glob("*.new"), *folder.glob("drive.*")]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (record, "save"),
        (disks, "_make_overlay"),
        (disks, "_adopt_file"),
        (launch, "start"),
        (launch, "_run"),
        (process, "hold"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__.rpartition(".")[2],
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_around_a_step(
    world: World, monkeypatch: pytest.MonkeyPatch, module: object, name: str, after: bool
) -> None:
    spec = world.spec()
    step = getattr(module, name)

    def step_and_die(*given: object, **named: object) -> None:
        if after:
            step(*given, **named)
        dies()

    with monkeypatch.context() as patched:
        patched.setattr(module, name, step_and_die)
        in_child(lambda: world.machines.ensure_server(spec))
    one_runs(world, spec)


@pytest.mark.parametrize("count", range(2, 5))
def test_killed_at_the_nth_record(
    world: World, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    spec = world.spec()
    save, seen = record.save, []

    def counting(folder: Path, held: record.Record) -> None:
        seen.append(held)
        if len(seen) == count:
            dies()
        save(folder, held)

    with monkeypatch.context() as patched:
        patched.setattr(record, "save", counting)
        in_child(lambda: world.machines.ensure_server(spec))
    one_runs(world, spec)


@pytest.mark.parametrize("delay", [0.01, 0.04, 0.08, 0.12, 0.16, 0.2, 0.3])
def test_killed_at_any_instant(world: World, delay: float) -> None:
    spec = world.spec(config_drive={"a": b"b"})
    in_child(lambda: world.machines.ensure_server(spec), kill_after=delay)
    one_runs(world, spec)


def test_killed_while_stopping_ends_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    with monkeypatch.context() as patched:
        patched.setattr(process.Process, "end", dies)
        in_child(lambda: world.fresh().stop_server(spec.id))
    assert world.pids(spec.id)
    assert world.fresh().observe_server(spec.id).power is Power.OFF
    assert world.pids(spec.id) == []


def test_killed_while_removing_ends_absent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    with monkeypatch.context() as patched:
        patched.setattr(process.Process, "end", dies)
        in_child(lambda: world.fresh().remove_server(spec.id))
    later = world.fresh()
    later.remove_server(spec.id)
    assert later.observe_server(spec.id).power is Power.ABSENT
    assert world.pids(spec.id) == []


def test_a_machine_whose_files_are_gone_is_reported_and_removed(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.machines._disks.remove(spec.id)
    view = world.fresh().observe()
    assert view.disks == frozenset()
    assert view.servers.keys() == {spec.id}
    world.fresh().remove_server(spec.id)
    assert world.pids(spec.id) == []
