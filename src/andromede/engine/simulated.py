"""The simulated engine: the same verbs, in memory, with latencies and failures on demand.

It serves the whole API without root and without QEMU, and it is what the lifecycle tests break.
"""

from __future__ import annotations

from collections.abc import Iterable

from andromede import clock
from andromede.engine.changes import Changes
from andromede.engine.networks import (
    FirewallSpec,
    NetworkSpec,
    PortSpec,
    RouterSpec,
)
from andromede.engine.protocol import HostFacts, NotYet, Observation, Power
from andromede.engine.simulated_machines import Faults, SimulatedMachines

__all__ = ["Faults", "SimulatedEngine"]

HOST_MEMORY = 1 << 46
HOST_VCPUS = 1 << 20
QUARANTINE = 7 * 86_400 * clock.SECOND


class SimulatedEngine(SimulatedMachines):
    """An engine of dictionaries. `calls` counts the verbs, `faults` plans their misfortunes."""

    def __init__(self, host: str = "simulated") -> None:
        super().__init__()
        self.networks: dict[str, NetworkSpec] = {}
        self.ports: dict[str, PortSpec] = {}
        self.firewalls: dict[str, FirewallSpec] = {}
        self.routers: dict[str, RouterSpec] = {}
        self.quarantine: dict[str, int] = {}  # when each disk was put aside
        self._host = host
        self._others: tuple[str, ...] = ()
        self._booted_at = clock.now()
        self._metadata = Changes()

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
            booted_at=self._booted_at,
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

    def quarantine_disk(self, server_id: str) -> None:
        self._enter("quarantine_disk")
        if server_id in self.disks:
            self.quarantine[server_id] = clock.now()
        self._forget(server_id)

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

    def metadata_socket(self, network_id: str) -> int | None:
        self._enter("metadata_socket")
        return None

    def metadata_changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        return self._metadata.since(since)

    def host_restarts(self) -> None:
        """Everything but disks is gone, as after a power cut."""
        self.networks.clear()
        self.ports.clear()
        self.firewalls.clear()
        self.routers.clear()
        saved = (Power.SUSPENDED,)
        self.power = {key: held for key, held in self.power.items() if held.power in saved}

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
