"""A machine's memory on its way into its file, and out of it.

Whoever waits here holds the server's lock, and a disk may stall for ever: a wait lasts as long as
something moves. What was begun goes on in QEMU, and the next call joins it. Touches the memory's file
and what the monitor that it is given commands.

Source: QEMU, docs/devel/migration.rst: a migration into a file that is handed over as a descriptor.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from andromede.engine.embedded.machine import tool
from andromede.engine.embedded.machine.disks import STATE
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError

LOOK = 0.05  # seconds between looks
STALL = 30.0  # seconds without any movement after which nobody waits on
FASTEST = 1 << 40  # bytes a second: the disk is the limit
MOVING = ("setup", "active", "device", "pre-switchover", "cancelling", "wait-unplug")
STEP = 1 << 20  # bytes read that count as movement: QEMU reads its wake-ups too
T = TypeVar("T")

_flushes: dict[tuple[int, int], Future[None]] = {}  # under way, by the file's device and number


@dataclass(frozen=True)
class Pace:
    """The time a wait goes by, and after how many seconds without movement it ends."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    stall: float = field(default_factory=lambda: STALL)


def write(monitor: Monitor, folder: Path, pace: Pace | None = None) -> None:
    """Write a machine's memory to its file, whole or not at all; one that is written is joined.

    Errors: MonitorError, also when nothing moves; OSError.
    """
    pace = pace or Pace()
    draft = _draft(folder)
    if not _written(monitor, draft):
        _recover(monitor, pace)
        _begin(monitor, draft)
    end = _settled(monitor, pace)
    if end["status"] != "completed":
        draft.unlink(missing_ok=True)
        why = end.get("error-desc", f"the migration is {end['status']}")
        raise MonitorError(f"writing its memory: {why}")
    _flush(draft, pace)
    draft.rename(folder / STATE)
    tool.sync(folder)


def read(monitor: Monitor, pid: int, pace: Pace | None = None) -> str:
    """The machine's run state, once its process has read its memory.

    Errors: MonitorError, also when nothing moves; OSError.
    """

    def look() -> tuple[str | None, object]:
        state = str(monitor.execute("query-status")["status"])
        return (None, _read_by(pid) // STEP) if state == "inmigrate" else (state, None)

    return _await(look, "reading its memory", pace or Pace())


def abandon(monitor: Monitor, folder: Path, pace: Pace | None = None) -> None:
    """Neither write a machine's memory on, nor keep what was written of it.

    Errors: MonitorError, also when nothing moves; OSError.
    """
    _cancel(monitor, pace or Pace())
    forget(folder)
    tool.sync(folder)


def forget(folder: Path) -> None:
    """Remove what was written of a machine's memory. Errors: OSError."""
    _draft(folder).unlink(missing_ok=True)
    (folder / STATE).unlink(missing_ok=True)


def _draft(folder: Path) -> Path:
    return folder / f"{STATE}.new"


def _written(monitor: Monitor, draft: Path) -> bool:
    """Whether the draft is what the machine writes its memory to, or has written it to."""
    if not draft.exists():
        return False
    state = monitor.execute("query-migrate").get("status")
    if state != "completed":
        return state in MOVING
    return bool(monitor.execute("query-status")["status"] == "postmigrate")


def _recover(monitor: Monitor, pace: Pace) -> None:
    """Make a machine whose memory was being written for somebody who is gone ready for it anew."""
    _cancel(monitor, pace)
    if monitor.execute("query-status")["status"] == "postmigrate":
        monitor.execute("cont")


def _cancel(monitor: Monitor, pace: Pace) -> None:
    if monitor.execute("query-migrate").get("status") in MOVING:
        monitor.execute("migrate_cancel")
        _settled(monitor, pace)


def _begin(monitor: Monitor, draft: Path) -> None:
    monitor.execute("stop")
    monitor.execute("migrate-set-parameters", **{"max-bandwidth": FASTEST})
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        monitor.hand_over(descriptor, "getfd", fdname="memory")
    finally:
        os.close(descriptor)
    monitor.execute("migrate", uri="fd:memory")


def _settled(monitor: Monitor, pace: Pace) -> dict[str, Any]:
    """What QEMU says of a migration, once it has ended."""

    def look() -> tuple[dict[str, Any] | None, object]:
        said: dict[str, Any] = monitor.execute("query-migrate")
        moved = said["status"], said.get("ram", {}).get("transferred")
        return (None, moved) if said["status"] in MOVING else (said, moved)

    return _await(look, "writing its memory", pace)


def _await(look: Callable[[], tuple[T | None, object]], doing: str, pace: Pace) -> T:
    """Look until there is an end; beside it, a look gives how far the matter is."""
    since, before = pace.now(), object()
    while True:
        end, moved = look()
        if end is not None:
            return end
        now = pace.now()
        if moved != before:
            since, before = now, moved
        elif now - since >= pace.stall:
            raise MonitorError(_stalled(doing, pace))
        pace.sleep(LOOK)


def _stalled(doing: str, pace: Pace) -> str:
    return f"{doing}: nothing moved for {pace.stall:g} s; the disk it is on stalls"


def _read_by(pid: int) -> int:
    """Bytes that a process has read in its life, from whatever files."""
    fields = Path(f"/proc/{pid}/io").read_text().split()
    return int(fields[fields.index("rchar:") + 1])


def _flush(path: Path, pace: Pace) -> None:
    """Have a file on the disk. A thread waits for the disk: nothing else could stop waiting for it.

    Errors: MonitorError when the disk takes too long; the next call joins. OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    there = os.fstat(descriptor)
    key = there.st_dev, there.st_ino
    under_way = _flushes.get(key)
    if under_way is None:
        under_way = _flushes[key] = Future()
        threading.Thread(target=_fsync, args=(descriptor, under_way), daemon=True).start()
    else:
        os.close(descriptor)
    wait((under_way,), pace.stall)
    if not under_way.done():
        raise MonitorError(_stalled("writing its memory", pace))
    del _flushes[key]
    under_way.result()


def _fsync(descriptor: int, ended: Future[None]) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        ended.set_exception(error)
    else:
        ended.set_result(None)
    finally:
        os.close(descriptor)
