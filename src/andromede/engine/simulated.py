"""The simulated engine: the same verbs, in memory, with latencies and failures on demand.

It serves the whole API without root and without QEMU, and it is what the lifecycle tests break.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable

from andromede import clock
from andromede.engine.changes import Changes
from andromede.engine.protocol import (
    EngineError,
    FirewallSpec,
    HostFacts,
    NetworkSpec,
    NotYet,
    Observation,
    PortSpec,
    Power,
    RouterSpec,
    ServerFacts,
    ServerSpec,
)

HOST_MEMORY = 1 << 46
HOST_VCPUS = 1 << 20
QUARANTINE = 7 * 86_400 * clock.SECOND


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


class SimulatedEngine:
    """An engine of dictionaries. `calls` counts the verbs, `faults` plans their misfortunes."""

    def __init__(self, host: str = "simulated") -> None:
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.networks: dict[str, NetworkSpec] = {}
        self.ports: dict[str, PortSpec] = {}
        self.firewalls: dict[str, FirewallSpec] = {}
        self.routers: dict[str, RouterSpec] = {}
        self.servers: dict[str, ServerSpec] = {}
        self.power: dict[str, ServerFacts] = {}
        self.disks: set[str] = set()
        self.quarantine: dict[str, int] = {}  # when each disk was put aside
        self.console: dict[str, bytes] = {}
        self.shutdown_ignored: set[str] = set()
        self._host = host
        self._others: tuple[str, ...] = ()
        self._events: set[str] = set()
        self._metadata = Changes()
        self._changed = threading.Condition()

    def _enter(self, verb: str) -> None:
        self.calls[verb] += 1
        self.faults.meet(verb)

    def offer(self, hosts: Iterable[str]) -> None:
        """Have hosts of these names besides the one it was made with."""
        self._others = tuple(sorted(set(hosts) - {self._host}))

    def hosts(self) -> tuple[HostFacts, ...]:
        return tuple(self._facts(name) for name in (self._host, *self._others))

    def _facts(self, name: str) -> HostFacts:
        return HostFacts(
            name=name,
            vcpus=HOST_VCPUS,
            memory=HOST_MEMORY,
            disk=HOST_MEMORY,
            accelerator="simulated",
            hypervisor="simulated",
            hypervisor_version=1,
        )

    def ensure_network(self, spec: NetworkSpec) -> None:
        self._enter("ensure_network")
        if spec.id not in self.networks:
            self._metadata.note(spec.id)
        self.networks[spec.id] = spec

    def remove_network(self, network_id: str) -> None:
        self._enter("remove_network")
        if self.networks.pop(network_id, None) is not None:
            self._metadata.note(network_id)
        self.firewalls.pop(network_id, None)

    def ensure_port(self, spec: PortSpec) -> None:
        self._enter("ensure_port")
        self._need(spec.network_id, f"port {spec.id}")
        self.ports[spec.id] = spec

    def remove_port(self, port_id: str) -> None:
        self._enter("remove_port")
        self.ports.pop(port_id, None)

    def ensure_firewall(self, spec: FirewallSpec) -> None:
        self._enter("ensure_firewall")
        self._need(spec.network_id, "firewall")
        self.firewalls[spec.network_id] = spec

    def ensure_router(self, spec: RouterSpec) -> None:
        self._enter("ensure_router")
        legs = [*spec.interfaces, *([spec.gateway] if spec.gateway else [])]
        for leg in legs:
            self._need(leg.network_id, f"router {spec.id}")
        self.routers[spec.id] = spec

    def remove_router(self, router_id: str) -> None:
        self._enter("remove_router")
        self.routers.pop(router_id, None)

    def _need(self, network_id: str, who: str) -> None:
        if network_id not in self.networks:
            raise NotYet(f"{who}: its network {network_id} is not on this host yet")

    def ensure_server(self, spec: ServerSpec) -> ServerFacts:
        self._enter("ensure_server")
        for nic in spec.nics:
            if nic.port_id not in self.ports:
                raise NotYet(f"server {spec.id}: its port {nic.port_id} is not on this host")
        self.servers[spec.id] = spec
        self.disks.add(spec.id)
        held = self.power.get(spec.id)
        if held is not None and held.power in (Power.ON, Power.PAUSED):
            return held
        line = f"[simulated] {spec.name} booted with {spec.vcpus} vcpus\nlogin: \n"
        self.console[spec.id] = self.console.get(spec.id, b"") + line.encode()
        return self._set(spec.id, Power.ON)

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
        self.power.pop(server_id, None)
        self.servers.pop(server_id, None)
        self.console.pop(server_id, None)
        self.disks.discard(server_id)

    def quarantine_disk(self, server_id: str) -> None:
        self._enter("quarantine_disk")
        if server_id in self.disks:
            self.quarantine[server_id] = clock.now()
        self.power.pop(server_id, None)
        self.servers.pop(server_id, None)
        self.console.pop(server_id, None)
        self.disks.discard(server_id)

    def purge_quarantine(self) -> frozenset[str]:
        self._enter("purge_quarantine")
        old = clock.now() - QUARANTINE
        gone = frozenset(key for key, since in self.quarantine.items() if since < old)
        for server_id in gone:
            del self.quarantine[server_id]
        return gone

    def remove_strays(self) -> None:
        self._enter("remove_strays")

    def remove_image(self, image_id: str) -> None:
        self._enter("remove_image")

    def console_output(self, server_id: str) -> int | None:
        self._enter("console_output")
        text = self.console.get(server_id)
        if text is None:
            return None
        with tempfile.TemporaryFile() as file:
            file.write(text)
            file.flush()
            return os.dup(file.fileno())

    def metadata_socket(self, network_id: str) -> int | None:
        self._enter("metadata_socket")
        return None

    def metadata_changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        return self._metadata.since(since)

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

    def host_restarts(self) -> None:
        """Everything but disks is gone, as after a power cut."""
        self.networks.clear()
        self.ports.clear()
        self.firewalls.clear()
        self.routers.clear()
        self.power.clear()

    def observe(self) -> Observation:
        self._enter("observe")
        return Observation(
            servers=dict(self.power),
            networks=frozenset(self.networks),
            ports=frozenset(self.ports),
            routers=frozenset(self.routers),
            disks=frozenset(self.disks),
            strays=frozenset(),
        )

    def _set(self, server_id: str, power: Power, reason: str | None = None) -> ServerFacts:
        facts = ServerFacts(
            id=server_id, power=power, accelerator="simulated", since=clock.now(), reason=reason
        )
        self.power[server_id] = facts
        return facts

    def _happen(self, server_id: str, power: Power, reason: str | None = None) -> None:
        with self._changed:
            self._set(server_id, power, reason)
            self._events.add(server_id)
            self._changed.notify_all()
