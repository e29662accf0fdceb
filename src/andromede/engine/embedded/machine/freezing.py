"""Pausing a machine, and putting its memory on disk so that it goes on later where it was.

Source: QEMU, docs/devel/migration.rst: a migration into a file that is handed over as a descriptor.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from andromede.engine.embedded.machine import record, tool
from andromede.engine.embedded.machine.holding import STATE, Holding
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError
from andromede.engine.protocol import Power

LOOK = 0.05  # seconds between looks at a machine whose memory is written
FASTEST = 1 << 40  # bytes a second: the disk is the limit
MOVING = ("setup", "active", "device", "pre-switchover", "cancelling", "wait-unplug")


class Freezing(Holding):
    """The verbs that halt a machine. Errors: EngineError, permanent when it does not run."""

    def pause_server(self, server_id: str) -> None:
        with self._running("pausing", server_id) as (folder, held, _):
            if not held.paused:
                held.paused = True
                record.save(folder, held)
            with self._asking("pausing", server_id) as monitor:
                monitor.execute("stop")

    def suspend_server(self, server_id: str) -> None:
        doing = "suspending"
        with self._hold(doing, server_id) as folder:
            held = record.load(folder)
            if held is None:
                raise self._not_running(doing, server_id)
            found = self._find(server_id, held)
            if not (folder / STATE).exists():
                if found is None or not held.wanted:
                    raise self._not_running(doing, server_id)
                with closing(found):
                    if self._status(server_id, found)[0] is Power.OFF:
                        raise self._not_running(doing, server_id)
                    with self._asking(doing, server_id) as monitor:
                        _write(monitor, folder)
                found = self._find(server_id, held)
            self._settle(server_id, held, found, None)

    def interrupt_server(self, server_id: str) -> None:
        doing = "interrupting"
        with self._running(doing, server_id), self._asking(doing, server_id) as monitor:
            monitor.execute("inject-nmi")


def _write(monitor: Monitor, folder: Path) -> None:
    """Write a machine's memory to its file, whole or not at all. Errors: MonitorError, OSError."""
    _recover(monitor)
    monitor.execute("stop")
    monitor.execute("migrate-set-parameters", **{"max-bandwidth": FASTEST})
    draft = folder / f"{STATE}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        monitor.hand_over(descriptor, "getfd", fdname="memory")
        monitor.execute("migrate", uri="fd:memory")
        end = _settled(monitor)
        if end["status"] != "completed":
            draft.unlink()
            why = end.get("error-desc", f"the migration is {end['status']}")
            raise MonitorError(f"writing its memory: {why}")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(folder / STATE)
    tool.sync(folder)


def _recover(monitor: Monitor) -> None:
    """Make a machine whose memory was being written for somebody who is gone ready for it anew."""
    if monitor.execute("query-migrate").get("status") in MOVING:
        monitor.execute("migrate_cancel")
        _settled(monitor)
    if monitor.execute("query-status")["status"] == "postmigrate":
        monitor.execute("cont")


def _settled(monitor: Monitor) -> dict[str, Any]:
    while True:
        end: dict[str, Any] = monitor.execute("query-migrate")
        if end["status"] not in MOVING:
            return end
        time.sleep(LOOK)
