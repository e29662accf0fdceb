"""The machine half of the embedded engine: one QEMU per server, found again by whoever looks.

Touches the servers, bases and quarantine folders, QEMU processes of this cloud and their control
groups.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from andromede.config import server_uid
from andromede.engine.embedded.machine import (
    command,
    console,
    facts,
    limits,
    memory,
    process,
    record,
)
from andromede.engine.embedded.machine.cards import Plugging
from andromede.engine.embedded.machine.copying import Copying
from andromede.engine.embedded.machine.disks import DISK
from andromede.engine.embedded.machine.freezing import Freezing
from andromede.engine.embedded.machine.holding import STATE, facts_of, told
from andromede.engine.embedded.machine.measuring import Measuring
from andromede.engine.embedded.machine.record import Record
from andromede.engine.embedded.machine.showing import Showing
from andromede.engine.embedded.machine.starting import Starting
from andromede.engine.embedded.machine.telling import Telling
from andromede.engine.protocol import EngineError, HostFacts, Power, ServerFacts, ServerSpec


class View(Struct, frozen=True, kw_only=True):
    """What this half holds: the servers and disks of `Observation`, and its strays."""

    servers: dict[str, ServerFacts]
    disks: frozenset[str]
    strays: frozenset[str]


class Machines(Starting, Freezing, Copying, Plugging, Measuring, Showing, Telling):
    """Servers' machines on this host. Methods block and may be called from several threads."""

    # --- verbs of the protocol

    def host(self) -> HostFacts:
        return facts.host(self._config, self._paths)

    def ensure_server(self, spec: ServerSpec) -> ServerFacts:
        """Errors: EngineError; permanent when no machine can be what the document asks for."""
        command.check(spec)
        with self._hold("starting", spec.id) as folder:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            held = record.load(folder) or Record(
                number=spec.number,
                uid=server_uid(self._config, spec.number),
                generation=spec.disk.generation,
            )
            if found := self._find(spec.id, held):
                with closing(found):
                    power, reason = self._status(spec.id, found)
                    if power is not Power.OFF and held.wanted:
                        self._go(spec, folder, held, found)
                        self._note(spec.id, held, found)
                        return facts_of(spec.id, Power.ON, held)
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
                return self._vanished(server_id, folder, held)
            if found is None or held.copying:
                if found is not None:
                    found.close()
                suspended = not held.wanted and (folder / STATE).exists()
                return facts_of(server_id, Power.SUSPENDED if suspended else Power.OFF, held)
            with closing(found):
                power, reason = self._status(server_id, found)
                if power is Power.OFF and reason is None and held.wanted:
                    return self._vanished(server_id, folder, held)
                if power is Power.PAUSED and held.paused:
                    reason = None  # it was asked for
                if power is Power.OFF or not held.wanted:  # or: stopping it was cut short
                    self._settle(server_id, held, found, reason)
                    power = Power.OFF
                else:
                    self._note(server_id, held, found)
                return facts_of(server_id, power, held, reason)

    def _vanished(self, server_id: str, folder: Path, held: Record) -> ServerFacts:
        here = held.boot == process.boot_id()
        said = self._last_words(folder) if here else None
        return facts_of(server_id, Power.VANISHED, held, said)

    def ask_shutdown(self, server_id: str) -> None:
        self._press(server_id, "system_powerdown")

    def reset_server(self, server_id: str) -> None:
        self._press(server_id, "system_reset")

    def stop_server(self, server_id: str) -> None:
        """What was saved of its memory is lost too."""
        with self._hold("stopping", server_id) as folder:
            held = record.load(folder)
            if held is not None:
                self._settle(server_id, held, self._find(server_id, held), None)
                memory.forget(folder)

    def remove_server(self, server_id: str) -> None:
        with self._hold("removing", server_id):
            self._end_all(server_id)
            self._disks.remove(server_id)

    def keep_disk(self, server_id: str) -> None:
        with self._hold("keeping the disk of", server_id) as folder:
            self._disks.keep(folder)

    def restore_disk(self, server_id: str) -> None:
        with self._hold("restoring the disk of", server_id) as folder:
            self._disks.restore(folder)

    def forget_disk(self, server_id: str) -> None:
        with self._hold("forgetting the kept disk of", server_id) as folder:
            self._disks.forget(folder)

    def remove_image(self, image_id: str) -> None:
        with told(f"removing the base of image {image_id}", self._paths):
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
        with told("purging the quarantine", self._paths):
            return self._disks.purge_quarantine()

    def remove_strays(self) -> None:
        """Remove the control groups that no machine and no folder has."""
        running = {name for _, name in process.marked(self._config.short, self._config.uid_base)}
        for name in limits.left(self._config.short) - running - self._disks.present():
            limits.remove(self._config.short, name)

    def close(self) -> None:
        """Let go of every machine; they run on."""
        self._watch.close()

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
