"""Starting a server's machine, from cold or from its saved memory, and letting its guest go on.

Touches what `holding` does, and the server's disks.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from andromede import clock
from andromede.engine.embedded import accel
from andromede.engine.embedded.machine import (
    console,
    drive,
    launch,
    limits,
    memory,
    process,
    record,
)
from andromede.engine.embedded.machine.command import SPARE_PORTS
from andromede.engine.embedded.machine.holding import STATE, Holding, facts_of
from andromede.engine.embedded.machine.process import Process
from andromede.engine.embedded.machine.qmp import Monitor
from andromede.engine.embedded.machine.record import Record
from andromede.engine.protocol import EngineError, Power, ServerFacts, ServerSpec


class Starting(Holding):
    """How a machine comes to run. Errors: EngineError."""

    def _start(self, spec: ServerSpec, folder: Path, held: Record) -> ServerFacts:
        self._disks.replace(folder, spec.disk, held)
        base = self._disks.ensure(folder, spec.disk, held)
        rescue_base = self._disks.ensure_rescue(folder, spec.rescue, held)
        state = folder / STATE
        resumed = state.exists()
        made = None if spec.config_drive is None else drive.make(folder, spec.config_drive)
        (folder / console.QEMU_LOG).unlink(missing_ok=True)
        if not resumed:
            held.accelerator = accel.accelerator(self._paths).name
            held.cards = {nic.port_id: slot for slot, nic in enumerate(spec.nics)}
            held.ports = len(spec.nics) + SPARE_PORTS
        held.wanted, held.reason, held.copying, held.paused = True, None, None, False
        held.pid = held.started = held.boot = None
        held.since = clock.now()
        record.save(folder, held)
        plan = launch.Start(
            server_id=spec.id,
            spec=spec,
            folder=folder,
            mark=self._mark(spec.id),
            uid=held.uid,
            accelerator=held.accelerator or "tcg",
            base=base,
            rescue_base=rescue_base,
            drive=made,
            state=state if resumed else None,
            slots=tuple(held.cards[nic.port_id] for nic in spec.nics if nic.port_id in held.cards),
            ports=held.ports,
            cgroups=limits.ensure(self._config.short, spec.id, spec.vcpus, spec.memory),
            root=self._paths.servers,
        )
        return self._launch(plan, spec, folder, held)

    def _launch(
        self, plan: launch.Start, spec: ServerSpec, folder: Path, held: Record
    ) -> ServerFacts:
        pid, started = launch.start(plan, self._open_tap)
        found = process.hold(pid)
        if found is None or found.started != started:
            raise EngineError(f"starting server {spec.id}: {self._last_words(folder)}")
        with closing(found):
            held.pid, held.started, held.boot = pid, started, process.boot_id()
            record.save(folder, held)
            self._await(spec.id, folder, found)
            self._go(spec, folder, held, found)
            self._note(spec.id, held, found)
        return facts_of(spec.id, Power.ON, held)

    def _await(self, server_id: str, folder: Path, found: Process) -> None:
        """Wait until QEMU has made its machine. Errors: EngineError with what it said, if it died."""
        try:
            power, reason = self._status(server_id, found)
        except EngineError as error:
            found.end(1.0)
            raise EngineError(f"{error}; it said: {self._last_words(folder)}") from error
        if power is Power.OFF and not reason:
            raise EngineError(f"starting server {server_id}: {self._last_words(folder)}")

    def _go(self, spec: ServerSpec, folder: Path, held: Record, found: Process) -> None:
        """Have the guest run: at its start, or where it was paused or suspended."""
        try:
            with self._asking("starting", spec.id) as monitor:
                state = memory.read(monitor, found.pid)
                if state == "running":
                    return
                if state == "prelaunch":
                    _grow(monitor, spec.disk.size)
                # before it writes to its disk: what is in the file is then of the past
                memory.abandon(monitor, folder)
                if held.paused:
                    held.paused = False
                    record.save(folder, held)
                monitor.execute("cont")
        except EngineError as error:
            raise EngineError(f"{error}; {self._last_words(folder)}") from error


def _grow(monitor: Monitor, size: int) -> None:
    """Make the disk as large as it is to be, before the guest sees it."""
    nodes = monitor.execute("query-named-block-nodes", flat=True)
    [there] = [int(n["image"]["virtual-size"]) for n in nodes if n.get("node-name") == "disk"]
    if there < size:
        monitor.execute("block_resize", **{"node-name": "disk", "size": size})
