"""Waits for what machines do by themselves: monitor events and the ends of processes.

Touches only the descriptors it is given.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from dataclasses import dataclass

from andromede.engine.embedded.machine.process import Process
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError

TELLING = {"SHUTDOWN", "STOP", "RESUME", "BLOCK_IO_ERROR", "GUEST_PANICKED"}


@dataclass
class _Watched:
    server_id: str
    process: Process
    monitor: Monitor | None  # None once its connection broke: the process alone is watched

    def close(self) -> None:
        self.process.close()
        if self.monitor:
            self.monitor.close()


class Watch:
    """The machines that are watched. Methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._changed: set[str] = set()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def add(self, server_id: str, process: Process, monitor: Monitor | None) -> None:
        """Watch a machine; process and monitor are the watch's from here on."""
        with self._lock:
            known = self._watched.pop(server_id, None)
            if known:
                known.close()
            self._watched[server_id] = _Watched(server_id, process, monitor)
        self._interrupt()

    def drop(self, server_id: str) -> None:
        """Watch a machine no more: what it does next was asked of it."""
        with self._lock:
            known = self._watched.pop(server_id, None)
            self._changed.discard(server_id)
            if known:
                known.close()
        self._interrupt()

    def watches(self, server_id: str, started: int) -> bool:
        with self._lock:
            known = self._watched.get(server_id)
            return known is not None and known.process.started == started

    def tell(self, server_id: str) -> None:
        """Count a machine as changed."""
        with self._lock:
            self._changed.add(server_id)
        self._interrupt()

    def ids(self) -> list[str]:
        with self._lock:
            return list(self._watched)

    def wait(self, seconds: float) -> frozenset[str]:
        """Ids of the machines that changed since the last call; empty when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            poll, owners = self._poll()
            left = deadline - time.monotonic()
            ready = poll.poll(0 if self._changed else max(0, int(left * 1000)))
            with self._lock:
                for descriptor, _ in ready:
                    self._read(descriptor, owners)
                found, self._changed = frozenset(self._changed), set()
            if found or left <= 0:
                return found

    def _poll(self) -> tuple[select.poll, dict[int, _Watched]]:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        owners: dict[int, _Watched] = {}
        with self._lock:
            for one in self._watched.values():
                owners[one.process.pidfd] = one
                if one.monitor:
                    owners[one.monitor.fileno()] = one
        for descriptor in owners:
            poll.register(descriptor, select.POLLIN)
        return poll, owners

    def _read(self, descriptor: int, owners: dict[int, _Watched]) -> None:
        if descriptor == self._wake:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            return
        one = owners[descriptor]
        if self._watched.get(one.server_id) is not one:
            return  # dropped since the poll: the number may be another's by now
        if descriptor == one.process.pidfd:
            self._watched.pop(one.server_id).close()
            self._changed.add(one.server_id)
        elif one.monitor:
            self._events(one, one.monitor)

    def _events(self, one: _Watched, monitor: Monitor) -> None:
        try:
            names = {str(event.get("event")) for event in monitor.events()}
        except MonitorError:
            monitor.close()
            one.monitor = None
        else:
            if names & TELLING:
                self._changed.add(one.server_id)

    def _interrupt(self) -> None:
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        with self._lock:
            for one in self._watched.values():
                one.close()
            self._watched.clear()
