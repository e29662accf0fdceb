"""Copies of servers' disks, whole and standing on nothing, made by the QEMU that holds the disk.

What a guest wrote is read by nothing outside of its jail. A machine that is off gets a process that
has its disk and no guest. Touches what `holding` does, and the copies in servers' folders.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from andromede.engine.embedded.machine import launch, limits, process, record, tool
from andromede.engine.embedded.machine.disks import DISK, QEMU_IMG
from andromede.engine.embedded.machine.holding import Holding
from andromede.engine.embedded.machine.process import Process
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError
from andromede.engine.embedded.machine.record import Record
from andromede.engine.protocol import Copy, EngineError

JOB = "copy"
SET = 9  # the descriptor set that the target is in
MEMORY = 256 << 20  # bytes that a process without a guest may take


class Copying(Holding):
    """The verbs on copies. Errors: EngineError."""

    def copy_disk(self, server_id: str, copy_id: str) -> Copy:
        """The copy is of the moment at which this was first called."""
        with self._hold("copying the disk of", server_id) as folder:
            whole, part = _whole(folder, copy_id), _part(folder, copy_id)
            held = record.load(folder)
            if whole.exists():
                if held is not None and held.copying == copy_id:
                    self._settle(server_id, held, self._find(server_id, held), None)
                return Copy(done=True, progress=100)
            if held is None or not (folder / DISK).exists():
                raise EngineError(
                    f"copying the disk of server {server_id}: it has none", permanent=True
                )
            found = self._find(server_id, held) or self._copier(server_id, folder, held, copy_id)
            with closing(found), self._asking("copying the disk of", server_id) as monitor:
                seen = _advance(monitor, part)
            if seen.done:
                part.rename(whole)
                tool.sync(folder)
                if held.copying:
                    self._settle(server_id, held, self._find(server_id, held), None)
            return seen

    def open_copy(self, server_id: str, copy_id: str) -> int:
        path = _whole(self._folder(server_id), copy_id)
        try:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise EngineError(f"reading the copy of server {server_id}'s disk: {error}") from error

    def remove_copy(self, server_id: str, copy_id: str) -> None:
        with self._hold("removing a copy of", server_id) as folder:
            held = record.load(folder)
            if held is not None and held.copying == copy_id:
                self._settle(server_id, held, self._find(server_id, held), None)
            elif _part(folder, copy_id).exists() and held is not None and held.wanted:
                self._cancel(server_id, held)
            for path in (_part(folder, copy_id), _whole(folder, copy_id)):
                path.unlink(missing_ok=True)

    def _cancel(self, server_id: str, held: Record) -> None:
        found = self._find(server_id, held)
        if found is not None:
            with closing(found), suppress(MonitorError), self._monitor(server_id) as monitor:
                _forget(monitor)

    def _copier(self, server_id: str, folder: Path, held: Record, copy_id: str) -> Process:
        """Start a process that has the disk of a machine that is off."""
        held.copying = copy_id
        held.pid = held.started = held.boot = None
        record.save(folder, held)
        plan = launch.Start(
            server_id=server_id,
            spec=None,
            folder=folder,
            mark=self._mark(server_id),
            uid=held.uid,
            accelerator="tcg",
            base=self._paths.bases / held.base if held.base else None,
            cgroups=limits.ensure(self._config.short, server_id, 1, MEMORY),
            root=self._paths.servers,
        )
        pid, started = launch.start(plan, self._open_tap)
        found = process.hold(pid)
        if found is None or found.started != started:
            raise EngineError(f"reading the disk of server {server_id}: {self._last_words(folder)}")
        held.pid, held.started, held.boot = pid, started, process.boot_id()
        record.save(folder, held)
        return found


def _whole(folder: Path, copy_id: str) -> Path:
    if not copy_id or "/" in copy_id or copy_id.startswith("."):
        raise EngineError(f"copy id {copy_id!r} names no file", permanent=True)
    return folder / f"copy.{copy_id}.qcow2"


def _part(folder: Path, copy_id: str) -> Path:
    return _whole(folder, copy_id).with_suffix(".part")


def _advance(monitor: Monitor, part: Path) -> Copy:
    """Begin the job, or see how far it is. Errors: MonitorError, OSError, EngineError."""
    jobs: list[dict[str, Any]] = monitor.execute("query-jobs")
    job = next((each for each in jobs if each["id"] == JOB), None)
    if job is None or not part.exists():
        _forget(monitor)
        _begin(monitor, part)
        return Copy(done=False)
    if job["status"] != "concluded":
        total = int(job["total-progress"])
        return Copy(
            done=False, progress=int(job["current-progress"]) * 100 // total if total else 0
        )
    _forget(monitor)
    if "error" in job:
        part.unlink()
        raise MonitorError(str(job["error"]))
    tool.sync(part)
    return Copy(done=True, progress=100)


def _begin(monitor: Monitor, part: Path) -> None:
    nodes = monitor.execute("query-named-block-nodes", flat=True)
    [size] = [int(n["image"]["virtual-size"]) for n in nodes if n.get("node-name") == "disk"]
    words = [QEMU_IMG, "create", "-q", "-f", "qcow2", "--"]
    tool.write(part, f"making {part}", lambda draft: [*words, draft, str(size)], durable=False)
    descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW)
    try:
        monitor.hand_over(descriptor, "add-fd", **{"fdset-id": SET})
    finally:
        os.close(descriptor)
    file = {"driver": "file", "filename": f"/dev/fdset/{SET}"}
    monitor.execute("blockdev-add", **{"driver": "qcow2", "node-name": JOB, "file": file})
    monitor.execute(
        "blockdev-backup",
        **{"job-id": JOB, "device": "disk", "target": JOB, "sync": "full", "auto-dismiss": False},
    )


def _forget(monitor: Monitor) -> None:
    """Have QEMU let go of a copy, whatever became of it. Errors: MonitorError."""
    jobs = {each["id"]: each["status"] for each in monitor.execute("query-jobs")}
    if jobs.get(JOB) == "concluded":
        monitor.execute("job-dismiss", id=JOB)
    elif JOB in jobs:
        monitor.execute("job-cancel", id=JOB)
        raise MonitorError("an earlier copy is being cancelled")
    for command, arguments in (
        ("blockdev-del", {"node-name": JOB}),
        ("remove-fd", {"fdset-id": SET}),
    ):
        with suppress(MonitorError):  # it never came that far
            monitor.execute(command, **arguments)
