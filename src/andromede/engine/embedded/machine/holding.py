"""Holding one server's machine: its folder, record, process and monitor, for the verbs to move.

What a server's machine is stands in its folder and in the host's process table, never in memory
alone: any instance takes over what another left. Touches the servers folder, QEMU processes of this
cloud and their control groups.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from andromede import clock
from andromede.config import Config, Paths
from andromede.engine.embedded.machine import console, launch, limits, process, record
from andromede.engine.embedded.machine.disks import STATE, Disks
from andromede.engine.embedded.machine.process import Process
from andromede.engine.embedded.machine.qmp import PATIENCE, Monitor, MonitorError
from andromede.engine.embedded.machine.record import Record
from andromede.engine.embedded.machine.watch import Watch
from andromede.engine.protocol import EngineError, Power, ServerFacts

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
RUNNING = ("running", "prelaunch", "inmigrate")
OFF = ("shutdown",)
__all__ = ["OFF", "RUNNING", "STATE", "Holding", "facts_of", "told"]


@contextmanager
def told(doing: str, paths: Paths) -> Iterator[None]:
    """Make of a system's error the engine's, with what was tried and what would help."""
    try:
        yield
    except OSError as error:
        more = f"; free space below {paths.state}" if error.errno in NO_SPACE else ""
        raise EngineError(f"{doing}: {error}{more}") from error


def facts_of(server_id: str, power: Power, held: Record, reason: str | None = None) -> ServerFacts:
    settled = power is Power.OFF or (power is Power.ON and held.wanted)
    return ServerFacts(
        id=server_id,
        power=power,
        accelerator=held.accelerator,
        since=held.since if settled else None,
        reason=reason or (held.reason if power is Power.OFF else None),
    )


class Holding:
    """Servers' machines on this host, and how they are found, asked, ended and watched.

    `open_tap` gives a descriptor of a port's tap, owned by the caller.
    """

    def __init__(self, config: Config, paths: Paths, open_tap: Callable[[str], int]) -> None:
        self._config = config
        self._paths = paths
        self._open_tap = open_tap
        self._disks = Disks(config, paths)
        self._watch = Watch()
        self._locks: dict[str, threading.Lock] = {}
        self._adopting = threading.Lock()
        self._watching = False  # from the first wait_events on: one instance alone may

    def _folder(self, server_id: str) -> Path:
        if not server_id or "/" in server_id or server_id.startswith("."):
            raise EngineError(f"server id {server_id!r} names no folder", permanent=True)
        return self._paths.servers / server_id

    @contextmanager
    def _hold(self, doing: str, server_id: str, patience: float = -1) -> Iterator[Path]:
        """Be the only one to move a server, whose folder this gives; who has only so many seconds
        of patience may be refused.

        Errors: EngineError.
        """
        folder = self._folder(server_id)
        lock = self._locks.setdefault(server_id, threading.Lock())
        if not lock.acquire(timeout=patience):
            raise EngineError(f"{doing} server {server_id}: it is being changed")
        try:
            with told(f"{doing} server {server_id}", self._paths):
                yield folder
        finally:
            lock.release()

    def _mark(self, server_id: str) -> str:
        return process.mark(self._config.short, server_id)

    def _find(self, server_id: str, held: Record) -> Process | None:
        """The server's live process, by its record or, when that is behind, by its mark."""
        found = process.recorded(held)
        if found or not (held.wanted or held.copying):
            return found
        marked = process.held(self._config.short, self._config.uid_base, server_id)
        for other in marked[1:]:
            other.close()
        return marked[0] if marked else None

    def _status(self, server_id: str, found: Process) -> tuple[Power, str | None]:
        """What a live process says its guest does. Errors: EngineError when it does not say."""
        try:
            with self._monitor(server_id) as monitor:
                state = monitor.execute("query-status")["status"]
        except (MonitorError, KeyError, TypeError) as error:
            if found.wait(0.2):
                return Power.OFF, None  # it ended meanwhile
            raise EngineError(f"asking the machine of server {server_id}: {error}") from error
        if state in RUNNING:
            return Power.ON, None
        if state in OFF:
            return Power.OFF, "the guest powered itself off"
        if state == "io-error":
            return Power.PAUSED, "the host could not write the disk: no space is left, or it failed"
        return Power.PAUSED, f"QEMU reports {state}"

    def _monitor(self, server_id: str, patience: float = PATIENCE) -> Monitor:
        return Monitor.connect(self._folder(server_id), launch.COMMANDS, patience)

    @contextmanager
    def _asking(self, doing: str, server_id: str, patience: float = PATIENCE) -> Iterator[Monitor]:
        """A monitor to ask for what is being done. Errors: EngineError."""
        try:
            with self._monitor(server_id, patience) as monitor:
                yield monitor
        except (MonitorError, KeyError, TypeError) as error:
            raise EngineError(f"{doing} server {server_id}: {error}") from error

    @contextmanager
    def _running(self, doing: str, server_id: str) -> Iterator[tuple[Path, Record, Process]]:
        """Hold a machine that runs, or is paused.

        Errors: EngineError, permanent when there is none.
        """
        with self._hold(doing, server_id) as folder:
            held = record.load(folder)
            found = self._find(server_id, held) if held is not None and held.wanted else None
            if held is None or found is None:
                raise self._not_running(doing, server_id)
            with closing(found):
                if self._status(server_id, found)[0] is Power.OFF:
                    raise self._not_running(doing, server_id)
                yield folder, held, found

    def _not_running(self, doing: str, server_id: str) -> EngineError:
        return EngineError(f"{doing} server {server_id}: its machine is off", permanent=True)

    def _press(self, server_id: str, button: str) -> None:
        """Press a button of a machine that runs; on one that does not there is nothing to press."""
        with self._hold(f"sending {button} to", server_id) as folder:
            held = record.load(folder)
            found = self._find(server_id, held) if held else None
            if found is None:
                return
            with closing(found):
                if held and held.wanted and self._status(server_id, found)[0] is not Power.OFF:
                    with self._asking(f"sending {button} to", server_id) as monitor:
                        monitor.execute(button)

    def _last_words(self, folder: Path) -> str:
        try:
            text = (folder / console.QEMU_LOG).read_text(errors="replace")[-2_000:].strip()
        except OSError:
            text = ""
        return f"QEMU ended: {text or 'it said nothing'}"

    def _settle(
        self, server_id: str, held: Record, found: Process | None, reason: str | None
    ) -> None:
        """Write down that a machine is off, then end its process and free what it held."""
        folder = self._folder(server_id)
        if held.wanted:
            held.wanted, held.since, held.reason = False, clock.now(), reason
            if found:
                held.pid, held.started, held.boot = found.pid, found.started, process.boot_id()
            record.save(folder, held)
        self._watch.drop(server_id)
        if found and not found.end():
            raise EngineError(f"ending server {server_id}: process {found.pid} does not go")
        if found:
            found.close()
        if held.pid is not None or held.copying or held.paused:
            held.pid = held.started = held.boot = held.copying = None
            held.paused = False
            record.save(folder, held)
        limits.remove(self._config.short, server_id)

    def _end_all(self, server_id: str) -> None:
        """End every process that is this server's, recorded or only marked."""
        self._watch.drop(server_id)
        held = record.load(self._folder(server_id))
        found = [one] if held and (one := process.recorded(held)) else []
        found += process.held(self._config.short, self._config.uid_base, server_id)
        for one in found:
            with closing(one):
                if not one.end():
                    raise EngineError(f"ending server {server_id}: process {one.pid} does not go")
        limits.remove(self._config.short, server_id)

    def _note(self, server_id: str, held: Record, found: Process) -> None:
        """Write down a process found by its mark, and watch it."""
        if held.pid != found.pid or held.started != found.started or held.boot is None:
            held.pid, held.started, held.boot = found.pid, found.started, process.boot_id()
            record.save(self._folder(server_id), held)
        if not self._watching or self._watch.watches(server_id, found.started):
            return
        own = process.hold(found.pid)
        if own is None:
            return
        try:
            monitor = Monitor.connect(self._folder(server_id), launch.EVENTS, patience=3.0)
        except MonitorError:
            monitor = None  # it does not answer: the process's end is still seen
        self._watch.add(server_id, own, monitor)
