"""The machines of the simulated engine: servers that are entries in dictionaries.

They keep the same rules as real ones: what is paused or suspended goes on where it was, a disk of
another generation is a new one, a card is pulled when its guest lets go.
"""

from __future__ import annotations

import os
import struct
import tempfile
import threading
import time
from collections import Counter

from andromede import clock
from andromede.engine.networks import PortSpec
from andromede.engine.protocol import (
    Copy,
    EngineError,
    NotYet,
    Power,
    ServerFacts,
    ServerSpec,
)
from andromede.engine.simulated_consoles import Consoles
from andromede.figures import CardFigures, DiskFigures, Figures

CLUSTER = 1 << 16
ENTRIES = CLUSTER // 8  # of a table of one cluster


class Faults:
    """What goes wrong: `fail(verb, times)` makes the next calls fail, `delay(verb, s)` slows them."""

    def __init__(self) -> None:
        self._failures: dict[str, list[EngineError]] = {}
        self._delays: dict[str, float] = {}
        self._lock = threading.Lock()

    def fail(self, verb: str, times: int = 1, *, permanent: bool = False) -> None:
        error = EngineError(f"simulated failure of {verb}", permanent=permanent)
        with self._lock:
            self._failures.setdefault(verb, []).extend([error] * times)

    def delay(self, verb: str, seconds: float) -> None:
        self._delays[verb] = seconds

    def clear(self) -> None:
        with self._lock:
            self._failures.clear()
            self._delays.clear()

    def meet(self, verb: str) -> None:
        """Suffer what is planned for a call of this verb."""
        pause = self._delays.get(verb)
        if pause:
            time.sleep(pause)
        with self._lock:
            planned = self._failures.get(verb)
            error = planned.pop(0) if planned else None
        if error is not None:
            raise error


class SimulatedMachines:
    """Verbs on servers. `calls` counts the verbs, `faults` plans their misfortunes;
    `shutdown_ignored`, `cards_held` and `agents_silent` name the servers whose guests do not
    cooperate."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.ports: dict[str, PortSpec] = {}
        self.servers: dict[str, ServerSpec] = {}
        self.power: dict[str, ServerFacts] = {}
        self.disks: set[str] = set()
        self.sizes: dict[str, tuple[int, int]] = {}  # the generation and bytes of each disk
        self.kept: dict[str, tuple[int, int]] = {}  # as `sizes`, of the disks that were kept
        self.cards: dict[str, list[str]] = {}  # the ports on each machine that runs
        self.copies: dict[str, dict[str, int]] = {}  # by server, the copies and their bytes
        self.interrupted: Counter[str] = Counter()
        self.console: dict[str, bytes] = {}
        self.consoles = Consoles(self._said)
        self.shutdown_ignored: set[str] = set()
        self.cards_held: set[str] = set()
        self.agents_silent: set[str] = set()
        self.passwords: dict[str, dict[str, str]] = {}  # by server, those of its guest's users
        self._events: set[str] = set()
        self._changed = threading.Condition()

    def _enter(self, verb: str) -> None:
        self.calls[verb] += 1
        self.faults.meet(verb)

    def ensure_server(self, spec: ServerSpec) -> ServerFacts:
        self._enter("ensure_server")
        for nic in spec.nics:
            if nic.port_id not in self.ports:
                raise NotYet(f"server {spec.id}: its port {nic.port_id} is not on this host")
        held = self.power.get(spec.id)
        if held is not None and held.power is Power.ON:
            return held
        if held is not None and held.power in (Power.PAUSED, Power.SUSPENDED):
            return self._set(spec.id, Power.ON)
        self.servers[spec.id] = spec
        self._make_disk(spec)
        self.cards[spec.id] = [nic.port_id for nic in spec.nics]
        self.console[spec.id] = self.console.get(spec.id, b"") + _boot_log(spec)
        return self._set(spec.id, Power.ON)

    def _make_disk(self, spec: ServerSpec) -> None:
        """A disk of another generation replaces the one there is; one there is only grows."""
        self.disks.add(spec.id)
        generation, size = self.sizes.get(spec.id, (spec.disk.generation, 0))
        if generation != spec.disk.generation:
            self.kept.pop(spec.id, None)
            size = 0
        self.sizes[spec.id] = spec.disk.generation, max(size, spec.disk.size)

    def observe_server(self, server_id: str) -> ServerFacts:
        self._enter("observe_server")
        return self.power.get(server_id) or ServerFacts(id=server_id, power=Power.ABSENT)

    def ask_shutdown(self, server_id: str) -> None:
        self._enter("ask_shutdown")
        if server_id in self.power and server_id not in self.shutdown_ignored:
            self._set(server_id, Power.OFF)

    def stop_server(self, server_id: str) -> None:
        self._enter("stop_server")
        if server_id in self.power:
            self._set(server_id, Power.OFF)

    def reset_server(self, server_id: str) -> None:
        self._enter("reset_server")
        if server_id in self.power:
            self._set(server_id, Power.ON)

    def remove_server(self, server_id: str) -> None:
        self._enter("remove_server")
        self._forget(server_id)

    def _forget(self, server_id: str) -> None:
        for held in (self.power, self.servers, self.console, self.sizes, self.kept, self.cards,
                     self.copies, self.passwords):  # fmt: skip
            held.pop(server_id, None)
        self.disks.discard(server_id)
        self.consoles.hang_up(server_id)

    def _runs(self, server_id: str) -> bool:
        held = self.power.get(server_id)
        return held is not None and held.power in (Power.ON, Power.PAUSED)

    def _require_running(self, server_id: str) -> None:
        if not self._runs(server_id):
            raise EngineError(f"server {server_id}: its machine is off", permanent=True)

    def pause_server(self, server_id: str) -> None:
        self._enter("pause_server")
        self._require_running(server_id)
        self._set(server_id, Power.PAUSED)

    def suspend_server(self, server_id: str) -> None:
        self._enter("suspend_server")
        held = self.power.get(server_id)
        if held is None or held.power is not Power.SUSPENDED:
            self._require_running(server_id)
            self._set(server_id, Power.SUSPENDED)

    def keep_disk(self, server_id: str) -> None:
        self._enter("keep_disk")
        if server_id in self.sizes:
            self.kept.setdefault(server_id, self.sizes[server_id])

    def restore_disk(self, server_id: str) -> None:
        self._enter("restore_disk")
        if server_id in self.kept:
            self.sizes[server_id] = self.kept.pop(server_id)

    def forget_disk(self, server_id: str) -> None:
        self._enter("forget_disk")
        self.kept.pop(server_id, None)

    def ensure_cards(self, spec: ServerSpec) -> frozenset[str]:
        self._enter("ensure_cards")
        if not self._runs(spec.id):
            return frozenset()
        wanted = [nic.port_id for nic in spec.nics]
        for port_id in wanted:
            if port_id not in self.ports:
                raise NotYet(f"server {spec.id}: its port {port_id} is not on this host")
        there = self.cards[spec.id]
        leaving = [port_id for port_id in there if port_id not in wanted]
        held = leaving if spec.id in self.cards_held else []
        self.cards[spec.id] = wanted + held
        self.servers[spec.id] = spec
        return frozenset(held)

    def copy_disk(self, server_id: str, copy_id: str) -> Copy:
        """Done at the second call, as a real one is not done at once."""
        self._enter("copy_disk")
        if server_id not in self.sizes:
            raise EngineError(f"server {server_id} has no disk to copy", permanent=True)
        copies = self.copies.setdefault(server_id, {})
        if copy_id in copies:
            return Copy(done=True, progress=100)
        copies[copy_id] = self.sizes[server_id][1]
        return Copy(done=False)

    def open_copy(self, server_id: str, copy_id: str) -> int:
        """An empty disk of the size of the server's."""
        self._enter("open_copy")
        size = self.copies.get(server_id, {}).get(copy_id)
        if size is None:
            raise EngineError(f"server {server_id} has no copy {copy_id}")
        return _file(_qcow2(size))

    def remove_copy(self, server_id: str, copy_id: str) -> None:
        self._enter("remove_copy")
        self.copies.get(server_id, {}).pop(copy_id, None)

    def interrupt_server(self, server_id: str) -> None:
        self._enter("interrupt_server")
        self._require_running(server_id)
        self.interrupted[server_id] += 1

    def set_password(self, server_id: str, user: str, password: str) -> None:
        self._enter("set_password")
        self._require_running(server_id)
        if not self.servers[server_id].agent:
            raise EngineError(f"server {server_id} has no port for an agent", permanent=True)
        if server_id in self.agents_silent or self.power[server_id].power is Power.PAUSED:
            raise NotYet(f"server {server_id}: no agent answers in its guest")
        self.passwords.setdefault(server_id, {})[user] = password

    def figures(self, server_id: str) -> Figures | None:
        self._enter("figures")
        if not self._runs(server_id):
            return None
        spec, held = self.servers[server_id], self.power[server_id]
        disks = 1 + (spec.rescue is not None) + (spec.config_drive is not None)
        nothing = dict.fromkeys(
            ("rx_bytes", "rx_packets", "rx_errors", "rx_dropped",
             "tx_bytes", "tx_packets", "tx_errors", "tx_dropped"), 0
        )  # fmt: skip
        idle = DiskFigures(read_bytes=0, read_requests=0, write_bytes=0, write_requests=0, errors=0)
        return Figures(
            paused=held.power is Power.PAUSED,
            accelerator="simulated",
            uptime=(clock.now() - (held.since or clock.now())) // clock.SECOND,
            cpu_times=(0,) * spec.vcpus,
            memory=spec.memory,
            memory_used=None,
            disks=(idle,) * disks,
            cards=tuple(
                CardFigures(name=f"tap{nic.port_id[:11]}", mac=nic.mac, **nothing)
                for nic in spec.nics
                if nic.port_id in self.cards[server_id]
            ),
        )

    def console_output(self, server_id: str) -> int | None:
        self._enter("console_output")
        text = self.console.get(server_id)
        if text is None:
            return None
        return _file(text)

    def open_console(self, server_id: str, kind: str) -> int | None:
        self._enter("open_console")
        if not self._runs(server_id):
            return None
        return self.consoles.open(server_id, kind, self.servers[server_id].name)

    def _said(self, server_id: str, text: bytes) -> None:
        self.console[server_id] = self.console.get(server_id, b"") + text

    def wait_events(self, seconds: float) -> frozenset[str]:
        with self._changed:
            if not self._events:
                self._changed.wait(seconds)
            events = frozenset(self._events)
            self._events.clear()
        return events

    def guest_powers_off(self, server_id: str) -> None:
        """A guest ends itself, as `poweroff` inside it does."""
        self._happen(server_id, Power.OFF)

    def machine_vanishes(self, server_id: str, said: str = "it said nothing") -> None:
        """The machine's process dies, as `kill -9` of it does."""
        self._happen(server_id, Power.VANISHED, f"the machine ended: {said}")

    def _set(self, server_id: str, power: Power, reason: str | None = None) -> ServerFacts:
        facts = ServerFacts(
            id=server_id, power=power, accelerator="simulated", since=clock.now(), reason=reason
        )
        self.power[server_id] = facts
        if not self._runs(server_id):
            self.consoles.hang_up(server_id)
        return facts

    def _happen(self, server_id: str, power: Power, reason: str | None = None) -> None:
        with self._changed:
            self._set(server_id, power, reason)
            self._events.add(server_id)
            self._changed.notify_all()


def _boot_log(spec: ServerSpec) -> bytes:
    """What a guest of this machine says while it boots."""
    said = (
        f"[simulated] {spec.name} booted with {spec.vcpus} vcpus",
        f"[simulated] {spec.memory >> 20} MiB of memory",
        *(f"[simulated] card {nic.mac}" for nic in spec.nics),
        "[simulated] cloud-init finished",
        "login: ",
    )
    return "".join(f"{line}\n" for line in said).encode()


def _file(content: bytes) -> int:
    """A readable descriptor on some content, at its beginning."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        file.seek(0)
        return os.dup(file.fileno())


def _qcow2(size: int) -> bytes:
    """A qcow2 disk of `size` bytes with nothing in it. Source: QEMU, docs/interop/qcow2.txt."""
    spans = -(-size // (CLUSTER * ENTRIES))  # entries of the L1 table, one for each L2 table
    table = -(-spans * 8 // CLUSTER)  # clusters of it
    head = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 0, 0, 16, size, 0, spans, 3 * CLUSTER, CLUSTER, 1, 0, 0
    )
    more = struct.pack(">QQQII", 0, 0, 0, 4, 104)
    refcounts = struct.pack(">Q", 2 * CLUSTER).ljust(CLUSTER, b"\0")
    counted = struct.pack(">H", 1) * (3 + table)
    return b"".join((
        (head + more).ljust(CLUSTER, b"\0"),
        refcounts,
        counted.ljust(CLUSTER, b"\0"),
        bytes(table * CLUSTER),
    ))  # fmt: skip
