"""A machine's memory on its way into its file, and out of it.

What was begun and stalls goes on in QEMU, and the next call joins it. Touches the memory's file and
what the monitor that it is given commands.

Source: QEMU, docs/devel/migration.rst: a migration into a file that is handed over as a descriptor.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from andromede.engine.embedded.machine import progress, tool
from andromede.engine.embedded.machine.disks import STATE
from andromede.engine.embedded.machine.progress import Pace
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError

FASTEST = 1 << 40  # bytes a second: the disk is the limit
MOVING = ("setup", "active", "device", "pre-switchover", "cancelling", "wait-unplug")
DOING = "writing its memory"


def write(monitor: Monitor, folder: Path, pace: Pace | None = None) -> None:
    """Write a machine's memory to its file, whole or not at all; one that is written is joined.

    Errors: MonitorError; TimeoutError when nothing moves; OSError.
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
        raise MonitorError(f"{DOING}: {why}")
    descriptor = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        progress.flush(descriptor, DOING, pace)
    finally:
        os.close(descriptor)
    draft.rename(folder / STATE)
    tool.sync(folder)


def read(monitor: Monitor, pid: int, pace: Pace | None = None) -> str:
    """The machine's run state, once its process has read its memory.

    Errors: MonitorError; TimeoutError when nothing moves; OSError.
    """

    def look() -> tuple[str | None, object]:
        state = str(monitor.execute("query-status")["status"])
        return (None, progress.moved_by(pid)) if state == "inmigrate" else (state, None)

    return progress.wait(look, "reading its memory", pace or Pace())


def abandon(monitor: Monitor, folder: Path, pace: Pace | None = None) -> None:
    """Neither write a machine's memory on, nor keep what was written of it.

    Errors: MonitorError; TimeoutError when nothing moves; OSError.
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

    return progress.wait(look, DOING, pace)
