"""The embedded engine: this host's networks and machines behind the protocol's verbs. Needs root."""

from __future__ import annotations

import msgspec

from andromede.config import Config, Paths
from andromede.engine.embedded.machine import Machines
from andromede.engine.embedded.net import HostNetwork
from andromede.engine.networks import (
    FirewallSpec,
    NetworkSpec,
    PortSpec,
    RouterSpec,
)
from andromede.engine.protocol import (
    Copy,
    HostFacts,
    Observation,
    ServerFacts,
    ServerSpec,
)
from andromede.figures import Figures


class EmbeddedEngine:
    """`Engine` on this host, for many threads at once; one instance alone waits for events."""

    def __init__(self, config: Config, paths: Paths) -> None:
        self._network = HostNetwork(config, paths)
        self._machines = Machines(config, paths, self._network.open_tap)

    def hosts(self) -> tuple[HostFacts, ...]:
        return (self._machines.host(),)

    def ensure_network(self, spec: NetworkSpec) -> None:
        self._network.ensure_network(spec)

    def remove_network(self, network_id: str) -> None:
        self._network.remove_network(network_id)

    def ensure_port(self, spec: PortSpec) -> None:
        self._network.ensure_port(spec)

    def remove_port(self, port_id: str) -> None:
        self._network.remove_port(port_id)

    def ensure_firewall(self, spec: FirewallSpec) -> None:
        self._network.ensure_firewall(spec)

    def ensure_router(self, spec: RouterSpec) -> None:
        self._network.ensure_router(spec)

    def remove_router(self, router_id: str) -> None:
        self._network.remove_router(router_id)

    def ensure_server(self, spec: ServerSpec) -> ServerFacts:
        return self._machines.ensure_server(spec)

    def observe_server(self, server_id: str) -> ServerFacts:
        return self._machines.observe_server(server_id)

    def ask_shutdown(self, server_id: str) -> None:
        self._machines.ask_shutdown(server_id)

    def stop_server(self, server_id: str) -> None:
        self._machines.stop_server(server_id)

    def reset_server(self, server_id: str) -> None:
        self._machines.reset_server(server_id)

    def remove_server(self, server_id: str) -> None:
        self._machines.remove_server(server_id)

    def pause_server(self, server_id: str) -> None:
        self._machines.pause_server(server_id)

    def suspend_server(self, server_id: str) -> None:
        self._machines.suspend_server(server_id)

    def keep_disk(self, server_id: str) -> None:
        self._machines.keep_disk(server_id)

    def restore_disk(self, server_id: str) -> None:
        self._machines.restore_disk(server_id)

    def forget_disk(self, server_id: str) -> None:
        self._machines.forget_disk(server_id)

    def ensure_cards(self, spec: ServerSpec) -> frozenset[str]:
        return self._machines.ensure_cards(spec)

    def copy_disk(self, server_id: str, copy_id: str) -> Copy:
        return self._machines.copy_disk(server_id, copy_id)

    def open_copy(self, server_id: str, copy_id: str) -> int:
        return self._machines.open_copy(server_id, copy_id)

    def remove_copy(self, server_id: str, copy_id: str) -> None:
        self._machines.remove_copy(server_id, copy_id)

    def interrupt_server(self, server_id: str) -> None:
        self._machines.interrupt_server(server_id)

    def set_password(self, server_id: str, user: str, password: str) -> None:
        self._machines.set_password(server_id, user, password)

    def figures(self, server_id: str) -> Figures | None:
        found = self._machines.figures(server_id)
        if found is None:
            return None
        figures, ports = found
        return msgspec.structs.replace(figures, cards=self._network.card_figures(ports))

    def remove_image(self, image_id: str) -> None:
        self._machines.remove_image(image_id)

    def console_output(self, server_id: str) -> int | None:
        return self._machines.console_output(server_id)

    def open_console(self, server_id: str, kind: str) -> int | None:
        return self._machines.open_console(server_id, kind)

    def metadata_socket(self, network_id: str) -> int | None:
        return self._network.metadata_socket(network_id)

    def metadata_changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        return self._network.metadata_changes(since)

    def wait_events(self, seconds: float) -> frozenset[str]:
        return self._machines.wait_events(seconds)

    def observe(self) -> Observation:
        machines, network = self._machines.observe(), self._network.observe()
        return Observation(
            servers=machines.servers,
            networks=network.networks,
            ports=network.ports,
            routers=network.routers,
            disks=machines.disks,
            strays=machines.strays | network.strays,
        )

    def quarantine_disk(self, server_id: str) -> None:
        """Put aside, for seven days, the files of a server that nobody owns."""
        self._machines.quarantine_disk(server_id)

    def purge_quarantine(self) -> frozenset[str]:
        """Remove what was put aside seven days ago; the ids of what went."""
        return self._machines.purge_quarantine()

    def remove_strays(self) -> None:
        self._machines.remove_strays()
        self._network.remove_strays()

    # --- beyond the protocol

    def clear_host(self) -> None:
        """Take every machine's power away, then every network off the host; disks stay."""
        self._machines.stop_all()
        self._network.remove_everything()

    def close(self) -> None:
        """Let go of the machines; they run on."""
        self._machines.close()
