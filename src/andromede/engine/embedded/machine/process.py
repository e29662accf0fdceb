"""Finding and ending the processes of servers, never another's.

A process is taken for a server's only by pid with start time and boot, or by the mark on its command
line under a user id of this cloud's block. Reads /proc and sends signals through pidfds.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from andromede import jail
from andromede.config import SERVER_UID_OFFSET, UID_BLOCK
from andromede.engine.embedded.machine.record import Record

GRACE = 10.0  # seconds a QEMU has to flush and leave


@dataclass
class Process:
    """A live process held by a descriptor, so that its number cannot come to mean another."""

    pid: int
    started: int
    pidfd: int

    def alive(self) -> bool:
        return not self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; True when it came."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(max(0, int(seconds * 1000))))

    def end(self, grace: float = GRACE) -> bool:
        """Ask it to flush and leave, then make it; True when it is gone."""
        self._send(signal.SIGTERM)
        if self.wait(grace):
            return True
        self._send(signal.SIGKILL)
        return self.wait(grace)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def close(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


@cache
def boot_id() -> str:
    """What the kernel calls this boot of the host."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def hold(pid: int) -> Process | None:
    """Take hold of a live process by its number; None when there is none."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    try:
        process = Process(pid, jail.started(pid), pidfd)
    except OSError:
        os.close(pidfd)
        return None
    if process.alive():
        return process
    process.close()
    return None


def recorded(record: Record) -> Process | None:
    """The process a record names, if it still is that process."""
    if record.pid is None or record.boot != boot_id():
        return None
    process = hold(record.pid)
    if process and process.started == record.started:
        return process
    if process:
        process.close()
    return None


def mark(short: str, server_id: str) -> str:
    """What a server's process bears on its command line."""
    return f"guest={short}-{server_id}"


def marked(short: str, uid_base: int) -> list[tuple[int, str]]:
    """Every process on this host that bears this cloud's mark: (pid, server id).

    A process under a user id outside the cloud's block counts only while root starts it in the jail.
    """
    found: list[tuple[int, str]] = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            with contextlib.suppress(OSError):  # it ended while it was read
                server_id = _server_id(pid, short, uid_base)
                if server_id:
                    found.append((int(pid), server_id))
    return found


def held(short: str, uid_base: int, server_id: str) -> list[Process]:
    """Every live process that bears a server's mark, taken hold of."""
    found = []
    for pid, name in marked(short, uid_base):
        process = hold(pid) if name == server_id else None
        if process is None:
            continue
        try:  # its number may have come to mean another before it was held
            same = _server_id(str(pid), short, uid_base) == server_id
        except OSError:
            same = False
        if same:
            found.append(process)
        else:
            process.close()
    return found


def _server_id(pid: str, short: str, uid_base: int) -> str | None:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    prefix = mark(short, "").encode()
    for word in words:
        if word.startswith(prefix):
            uid = int(_status(pid, "Uid").split()[1])
            ours = uid_base + SERVER_UID_OFFSET <= uid < uid_base + UID_BLOCK
            starting = uid == 0 and any(w.endswith(b"/jail.py") for w in words)
            if ours or starting:
                return word[len(prefix) :].decode(errors="replace").partition(",")[0]
    return None


def _status(pid: str, field: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value
    raise OSError(f"/proc/{pid}/status has no {field}")
