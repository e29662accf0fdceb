"""The machine half of the embedded engine: one QEMU per server, found again by whoever looks.

What a server's machine is stands in its folder and in the host's process table, never in memory
alone: any instance takes over what another left. Touches the servers, bases and quarantine folders,
QEMU processes of this cloud and their control groups.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from andromede import clock
from andromede.config import Config, Paths, server_uid
from andromede.engine.embedded import accel
from andromede.engine.embedded.machine import (
    command,
    console,
    drive,
    facts,
    launch,
    limits,
    process,
    record,
)
from andromede.engine.embedded.machine.disks import DISK, Disks
from andromede.engine.embedded.machine.process import Process
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError
from andromede.engine.embedded.machine.record import Record
from andromede.engine.embedded.machine.watch import Watch
from andromede.engine.protocol import EngineError, HostFacts, Power, ServerFacts, ServerSpec

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
RUNNING = ("running", "prelaunch", "inmigrate")
OFF = ("shutdown",)


@contextmanager
def _told(doing: str, paths: Paths) -> Iterator[None]:
    """Make of a system's error the engine's, with what was tried and what would help."""
    try:
        yield
    except OSError as error:
        more = f"; free space below {paths.state}" if error.errno in NO_SPACE else ""
        raise EngineError(f"{doing}: {error}{more}") from error


def _facts(server_id: str, power: Power, held: Record, reason: str | None = None) -> ServerFacts:
    settled = power is Power.OFF or (power is Power.ON and held.wanted)
    return ServerFacts(
        id=server_id,
        power=power,
        accelerator=held.accelerator,
        since=held.since if settled else None,
        reason=reason or (held.reason if power is Power.OFF else None),
    )


class View(Struct, frozen=True, kw_only=True):
    """What this half holds: the servers and disks of `Observation`, and its strays."""

    servers: dict[str, ServerFacts]
    disks: frozenset[str]
    strays: frozenset[str]


class Machines:
    """Servers' machines on this host. Methods block and may be called from several threads.

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

    # --- verbs of the protocol

    def host(self) -> HostFacts:
        return facts.host(self._config, self._paths)

    def ensure_server(self, spec: ServerSpec) -> ServerFacts:
        """Errors: EngineError; permanent when no machine can be what the document asks for."""
        command.check(spec)
        with self._hold("starting", spec.id) as folder:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = record.load(folder) or Record(
                number=spec.number, uid=server_uid(self._config, spec.number)
            )
            if found := self._find(spec.id, held):
                with closing(found):
                    power, reason = self._status(spec.id, found)
                    if power is not Power.OFF and held.wanted:
                        if power is Power.PAUSED:
                            self._ask(spec.id, "cont")
                        self._note(spec.id, held, found)
                        return _facts(spec.id, Power.ON, held)
                    self._settle(spec.id, held, found, reason)
            return self._start(spec, folder, held)

    def observe_server(self, server_id: str) -> ServerFacts:
        """A machine that powered itself off is ended here and its resources are freed."""
        with self._hold("observing", server_id) as folder:
            held = record.load(folder)
            if held is None:
                present = (folder / DISK).exists()
                return ServerFacts(id=server_id, power=Power.OFF if present else Power.ABSENT)
            found = self._find(server_id, held)
            if found is None and held.wanted:
                here = held.boot == process.boot_id()
                said = self._last_words(folder) if here else None
                return _facts(server_id, Power.VANISHED, held, said)
            if found is None:
                return _facts(server_id, Power.OFF, held)
            with closing(found):
                power, reason = self._status(server_id, found)
                if power is Power.OFF or not held.wanted:  # or: stopping it was cut short
                    self._settle(server_id, held, found, reason)
                    power = Power.OFF
                else:
                    self._note(server_id, held, found)
                return _facts(server_id, power, held, reason)

    def ask_shutdown(self, server_id: str) -> None:
        self._press(server_id, "system_powerdown")

    def reset_server(self, server_id: str) -> None:
        self._press(server_id, "system_reset")

    def stop_server(self, server_id: str) -> None:
        with self._hold("stopping", server_id) as folder:
            held = record.load(folder)
            if held is not None:
                self._settle(server_id, held, self._find(server_id, held), None)

    def remove_server(self, server_id: str) -> None:
        with self._hold("removing", server_id):
            self._end_all(server_id)
            self._disks.remove(server_id)

    def remove_image(self, image_id: str) -> None:
        with _told(f"removing the base of image {image_id}", self._paths):
            self._disks.forget_base(image_id)

    def console_output(self, server_id: str) -> int | None:
        try:
            return os.open(self._folder(server_id) / console.LOG, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None

    def wait_events(self, seconds: float) -> frozenset[str]:
        """Also keeps the console logs short, so it is to be called all the while."""
        self._adopt()
        for server_id in self._watch.ids():
            folder = self._folder(server_id)
            with suppress(OSError):  # tried again at the next call
                console.trim(folder / console.LOG)
                console.trim(folder / console.QEMU_LOG)
        return self._watch.wait(seconds)

    def observe(self) -> View:
        """Machines whose folder is gone are in it too: `remove_server` ends them."""
        present = self._disks.present()
        running = {name for _, name in process.marked(self._config.short, self._config.uid_base)}
        servers = {name: self._observe_surely(name) for name in present}
        for name in running - present:
            servers[name] = ServerFacts(id=name, power=Power.ON, reason="it has no files here")
        groups = limits.left(self._config.short) - running - present
        strays = frozenset(f"control group of server {name}" for name in groups)
        return View(servers=servers, disks=present, strays=strays)

    def _observe_surely(self, server_id: str) -> ServerFacts:
        """One machine that does not answer hides no other."""
        try:
            return self.observe_server(server_id)
        except EngineError as error:
            return ServerFacts(id=server_id, power=Power.ON, reason=str(error))

    # --- beyond the protocol

    def stop_all(self) -> None:
        """Take every machine's power away; the disks stay."""
        view = self.observe()
        for server_id in view.disks:
            self.stop_server(server_id)
        for server_id in view.servers.keys() - view.disks:
            self.remove_server(server_id)
        self.remove_strays()
        limits.remove_all(self._config.short)

    def quarantine_disk(self, server_id: str) -> None:
        """End what runs on a disk nobody owns, and put it aside for seven days."""
        with self._hold("putting into quarantine", server_id):
            self._end_all(server_id)
            self._disks.quarantine(server_id)

    def purge_quarantine(self) -> frozenset[str]:
        """Remove the disks that were put aside seven days ago; their server ids."""
        with _told("purging the quarantine", self._paths):
            return self._disks.purge_quarantine()

    def remove_strays(self) -> None:
        """Remove the control groups that no machine and no folder has."""
        running = {name for _, name in process.marked(self._config.short, self._config.uid_base)}
        for name in limits.left(self._config.short) - running - self._disks.present():
            limits.remove(self._config.short, name)

    def close(self) -> None:
        """Let go of every machine; they run on."""
        self._watch.close()

    # --- how

    def _folder(self, server_id: str) -> Path:
        if not server_id or "/" in server_id or server_id.startswith("."):
            raise EngineError(f"server id {server_id!r} names no folder", permanent=True)
        return self._paths.servers / server_id

    @contextmanager
    def _hold(self, doing: str, server_id: str) -> Iterator[Path]:
        """Be the only one to move a server, whose folder this gives. Errors: EngineError."""
        folder = self._folder(server_id)
        lock = self._locks.setdefault(server_id, threading.Lock())
        with _told(f"{doing} server {server_id}", self._paths), lock:
            yield folder

    def _mark(self, server_id: str) -> str:
        return process.mark(self._config.short, server_id)

    def _find(self, server_id: str, held: Record) -> Process | None:
        """The server's live process, by its record or, when that is behind, by its mark."""
        found = process.recorded(held)
        if found or not held.wanted:
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

    def _monitor(self, server_id: str) -> Monitor:
        return Monitor.connect(self._folder(server_id), launch.COMMANDS)

    def _ask(self, server_id: str, what: str) -> None:
        try:
            with self._monitor(server_id) as monitor:
                monitor.execute(what)
        except MonitorError as error:
            raise EngineError(f"{what} of server {server_id}: {error}") from error

    def _press(self, server_id: str, button: str) -> None:
        """Press a button of a machine that runs; on one that does not there is nothing to press."""
        with self._hold(f"sending {button} to", server_id) as folder:
            held = record.load(folder)
            found = self._find(server_id, held) if held else None
            if found is None:
                return
            with closing(found):
                if self._status(server_id, found)[0] is not Power.OFF:
                    self._ask(server_id, button)

    def _start(self, spec: ServerSpec, folder: Path, held: Record) -> ServerFacts:
        base = self._disks.ensure(folder, spec.disk, held)
        made = None if spec.config_drive is None else drive.make(folder, spec.config_drive)
        verdict = accel.accelerator(self._paths)
        (folder / console.QEMU_LOG).unlink(missing_ok=True)
        held.wanted, held.reason, held.accelerator = True, None, verdict.name
        held.pid = held.started = held.boot = None
        held.since = clock.now()
        record.save(folder, held)
        plan = launch.Start(
            spec=spec,
            folder=folder,
            mark=self._mark(spec.id),
            uid=held.uid,
            accelerator=verdict.name,
            base=base,
            drive=made,
            cgroups=limits.ensure(self._config.short, spec.id, spec.vcpus, spec.memory),
            root=self._paths.servers,
        )
        pid, started = launch.start(plan, self._open_tap)
        found = process.hold(pid)
        if found is None or found.started != started:
            raise EngineError(f"starting server {spec.id}: {self._last_words(folder)}")
        with closing(found):
            held.pid, held.started, held.boot = pid, started, process.boot_id()
            record.save(folder, held)
            self._await(spec.id, folder, found)
            self._note(spec.id, held, found)
        return _facts(spec.id, Power.ON, held)

    def _await(self, server_id: str, folder: Path, found: Process) -> None:
        """Wait until QEMU has made its machine. Errors: EngineError with what it said, if it died."""
        try:
            power, reason = self._status(server_id, found)
        except EngineError as error:
            found.end(1.0)
            raise EngineError(f"{error}; it said: {self._last_words(folder)}") from error
        if power is Power.OFF and not reason:
            raise EngineError(f"starting server {server_id}: {self._last_words(folder)}")

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
        if held.pid is not None:
            held.pid = held.started = held.boot = None
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

    def _adopt(self) -> None:
        """Once in an instance's life: watch what runs, and tell of what changed unwatched."""
        with self._adopting:
            if self._watching:
                return
            self._watching = True
            for server_id in self._disks.present():
                held = record.load(self._folder(server_id))
                if held is None or not held.wanted:
                    continue
                facts_ = self._observe_surely(server_id)
                if facts_.power is not Power.ON or facts_.reason:
                    self._watch.tell(server_id)
