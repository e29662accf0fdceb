"""Waiting for a machine's memory, by a clock that only the wait itself moves on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from andromede.engine.embedded.machine import memory, progress, tool
from andromede.engine.embedded.machine.disks import STATE
from andromede.engine.embedded.machine.progress import Pace
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError
from andromede.engine.protocol import EngineError

Said = dict[str, Any]


class Time:
    """Moves on when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def pace(self, stall: float = 30.0) -> Pace:
        return Pace(now=lambda: self.seconds, sleep=self.sleep, stall=stall)


class Machine(Monitor):
    """A monitor that plays a QEMU whose migration says what `migration` gives."""

    def __init__(self, migration: Callable[[], Said], run_state: str = "running") -> None:
        self.migration = migration
        self.run_state = run_state
        self.asked: list[str] = []

    def execute(self, command: str, **arguments: object) -> Any:
        self.asked.append(command)
        if command == "query-migrate":
            return self.migration()
        if command == "query-status":
            return {"status": self.run_state}
        return {}

    def hand_over(self, descriptor: int, command: str, **arguments: object) -> Any:
        os.write(descriptor, b"memory")
        return self.execute(command)


def moving(transferred: int, status: str = "active") -> Said:
    return {"status": status, "ram": {"transferred": transferred}}


def in_turn(*said: Said) -> Callable[[], Said]:
    """Each thing said once, the last one for ever."""
    left = list(said)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_writing_lasts_as_long_as_something_moves(tmp_path: Path) -> None:
    time = Time()
    slow = [moving(count // 500) for count in range(5_000)]  # a byte moves each 25 seconds
    machine = Machine(in_turn({}, {"status": "setup"}, *slow, {"status": "completed"}))
    memory.write(machine, tmp_path, time.pace())
    assert time.seconds > 200
    assert (tmp_path / STATE).read_bytes() == b"memory"
    assert os.listdir(tmp_path) == [STATE]


def test_who_waits_for_a_stalled_disk_gives_up_and_the_next_call_joins(tmp_path: Path) -> None:
    time = Time()
    machine = Machine(in_turn({}, moving(1), moving(2)))
    with pytest.raises(TimeoutError, match="writing its memory: nothing moved for 30 s"):
        memory.write(machine, tmp_path, time.pace())
    assert 30 <= time.seconds < 31
    assert machine.asked.count("migrate") == 1
    with pytest.raises(TimeoutError, match="nothing moved"):
        memory.write(machine, tmp_path, time.pace())
    machine.migration = in_turn(moving(3), moving(4), {"status": "completed"})
    memory.write(machine, tmp_path, time.pace())
    assert machine.asked.count("migrate") == 1
    assert "migrate_cancel" not in machine.asked
    assert (tmp_path / STATE).read_bytes() == b"memory"


def test_memory_that_was_written_while_nobody_waited_is_taken(tmp_path: Path) -> None:
    (tmp_path / f"{STATE}.new").write_bytes(b"whole")
    machine = Machine(lambda: {"status": "completed"}, "postmigrate")
    memory.write(machine, tmp_path, Time().pace())
    assert (tmp_path / STATE).read_bytes() == b"whole"
    assert "migrate" not in machine.asked


def test_a_draft_of_another_time_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / f"{STATE}.new").write_bytes(b"of another time")
    machine = Machine(lambda: {"status": "completed"}, "paused")
    memory.write(machine, tmp_path, Time().pace())
    assert (tmp_path / STATE).read_bytes() == b"memory"
    assert machine.asked.count("migrate") == 1


def test_memory_that_is_written_to_nowhere_is_cancelled_first(tmp_path: Path) -> None:
    cancelled = [{"status": "cancelling"}, {"status": "cancelled"}]
    machine = Machine(in_turn(moving(1), *cancelled, {"status": "completed"}))
    memory.write(machine, tmp_path, Time().pace())
    assert machine.asked.index("migrate_cancel") < machine.asked.index("migrate")
    assert (tmp_path / STATE).read_bytes() == b"memory"


def test_a_cancellation_that_stalls_ends_too(tmp_path: Path) -> None:
    machine = Machine(in_turn(moving(1), {"status": "cancelling"}))
    with pytest.raises(TimeoutError, match="nothing moved"):
        memory.write(machine, tmp_path, Time().pace())
    assert "migrate" not in machine.asked


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    machine = Machine(in_turn({}, {"status": "failed", "error-desc": "no space"}))
    with pytest.raises(MonitorError, match="writing its memory: no space"):
        memory.write(machine, tmp_path, Time().pace())
    assert os.listdir(tmp_path) == []


def test_a_disk_that_takes_the_bytes_but_does_not_keep_them_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, flushed, real = threading.Event(), [0], os.fsync

    def fsync(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".new"):
            flushed[0] += 1
            answers.wait()
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    machine = Machine(in_turn({}, {"status": "completed"}))
    for _ in range(3):
        with pytest.raises(TimeoutError, match="the disk it is on stalls"):
            memory.write(machine, tmp_path, Time().pace(stall=0))
        machine.run_state = "postmigrate"
    answers.set()
    memory.write(machine, tmp_path)
    assert flushed == [1]
    assert machine.asked.count("migrate") == 1
    assert (tmp_path / STATE).read_bytes() == b"memory"


def test_a_disk_that_loses_the_bytes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(5, "Input/output error")

    machine = Machine(in_turn({}, {"status": "completed"}))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match="Input/output"):
            memory.write(machine, tmp_path)
    assert not (tmp_path / STATE).exists()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What a machine's process has read, look by look; the last one for ever."""
    said: list[int] = [0]
    monkeypatch.setattr(
        progress, "moved_by", lambda _: said.pop(0) if len(said) > 1 else said[0]
    )  # fmt: skip
    return said


def test_reading_lasts_as_long_as_something_moves(reads: list[int]) -> None:
    time, machine = Time(), Machine(dict, "inmigrate")
    reads[:] = [count // 500 for count in range(5_000)]
    with pytest.raises(TimeoutError, match="reading its memory: nothing moved for 30 s"):
        memory.read(machine, 1, time.pace())
    assert time.seconds > 250


def test_a_machine_that_reads_nothing_is_waited_for_by_nobody() -> None:
    time, machine = Time(), Machine(dict, "prelaunch")
    assert memory.read(machine, 1, time.pace()) == "prelaunch"
    assert time.seconds == 0


def test_what_a_process_reads_is_movement_from_a_mebibyte_on(tmp_path: Path) -> None:
    """QEMU reads its own wake-ups, of which each question causes some."""
    (tmp_path / "file").write_bytes(bytes(4 * progress.STEP))
    before = progress.moved_by(os.getpid())
    (tmp_path / "file").read_bytes()
    assert before + 4 <= progress.moved_by(os.getpid()) < before + 8


def test_a_machine_that_is_to_go_on_is_written_no_further(tmp_path: Path) -> None:
    for name in (STATE, f"{STATE}.new"):
        (tmp_path / name).touch()
    machine = Machine(in_turn(moving(1), {"status": "cancelled"}))
    memory.abandon(machine, tmp_path, Time().pace())
    assert "migrate_cancel" in machine.asked
    assert os.listdir(tmp_path) == []


def test_a_tool_that_works_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "SLICE", 0.001)
    target = tmp_path / "target"
    tool.write(target, "filling it", lambda draft: ["sh", "-c", f"echo one > {draft}"])
    assert target.read_text() == "one\n"
    with pytest.raises(EngineError, match=r"filling it: no$"):
        tool.write(target, "filling it", lambda draft: ["sh", "-c", "echo no >&2; exit 3"])
    assert os.listdir(tmp_path) == ["target"]
    assert target.read_text() == "one\n"


def test_a_tool_in_which_nothing_moves_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "SLICE", 0.02)
    monkeypatch.setattr(progress, "STALL", 0.05)
    with pytest.raises(EngineError, match=r"making it: sleep: nothing moved for 0\.05 s"):
        tool.write(tmp_path / "target", "making it", lambda _: ["sleep", "1000"])
    assert os.listdir(tmp_path) == []
