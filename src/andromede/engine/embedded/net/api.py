"""The networking verbs of the embedded engine, for many threads at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable

from msgspec import Struct

from andromede.config import Config, Paths
from andromede.engine.changes import Changes
from andromede.engine.embedded.net import counters, namespaces, observe, preparation, scope
from andromede.engine.embedded.net.firewall import METADATA
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.network import Network
from andromede.engine.embedded.net.router import Router
from andromede.engine.embedded.net.store import Store
from andromede.engine.embedded.net.uplink import Uplinks
from andromede.engine.networks import (
    FirewallSpec,
    NetworkSpec,
    PortSpec,
    RouterSpec,
)
from andromede.engine.protocol import EngineError
from andromede.figures import CardFigures

BACKLOG = 128


class NetworkView(Struct, frozen=True, kw_only=True):
    """What is on the host, by id, and what bears the mark and belongs to no id."""

    networks: frozenset[str]
    ports: frozenset[str]
    routers: frozenset[str]
    strays: frozenset[str]


class HostNetwork:
    """The networks, ports and routers of one cloud on this host. Needs root.

    Errors of every verb: EngineError. State is adopted from the host and from `paths.run/net`.
    """

    def __init__(self, config: Config, paths: Paths) -> None:
        self.config, self.paths = config, paths
        self.names = Names(config.short)
        self.store = Store(paths.run / "net")
        self.uplinks = Uplinks(config, self.names, self.store)
        self._metadata = Changes()
        self._lock = threading.Lock()
        self._networks: dict[str, Network] = {}
        self._routers: dict[str, Router] = {}

    def ensure_network(self, spec: NetworkSpec) -> None:
        preparation.prepare(self.paths, self.store.root)
        if self._network(spec.id).ensure(spec):
            self._metadata.note(spec.id)

    def remove_network(self, network_id: str) -> None:
        self._network(network_id).remove()
        self._metadata.note(network_id)
        with self._lock:
            self._networks.pop(network_id, None)

    def ensure_port(self, spec: PortSpec) -> None:
        network = self._network(spec.network_id)
        before = network.ports.get(spec.id)
        network.ensure_port(spec)
        if before is not None:
            self._forget(spec.network_id, set(before.addresses) - set(spec.addresses))

    def remove_port(self, port_id: str) -> None:
        network_id = self.store.network_of_port(port_id)
        if network_id is None:
            return
        port = self.store.port(network_id, port_id)
        if port is not None:
            self._forget(network_id, set(port.addresses))
        self._network(network_id).remove_port(port_id)

    def ensure_firewall(self, spec: FirewallSpec) -> None:
        self._network(spec.network_id).ensure_firewall(spec)

    def ensure_router(self, spec: RouterSpec) -> None:
        self._router(spec.id).ensure(spec)

    def remove_router(self, router_id: str) -> None:
        self._router(router_id).remove()
        with self._lock:
            self._routers.pop(router_id, None)

    def open_tap(self, port_id: str) -> int:
        """A descriptor on the port's tap with a virtio-net header, owned by the caller.

        Errors: EngineError when the port has no tap, or another process holds it.
        """
        return self._network(self.store.network_of_port(port_id) or port_id).open_tap(port_id)

    def card_figures(self, ports: Iterable[str]) -> tuple[CardFigures, ...]:
        """What the taps of ports counted, of those that have one."""
        found = (counters.of_port(self.names, self.store, port_id) for port_id in ports)
        return tuple(each for each in found if each is not None)

    def metadata_socket(self, network_id: str) -> int | None:
        """A descriptor listening inside the network, owned by the caller; None: no such network.

        Errors: EngineError while another process holds one.
        """
        namespace = self.names.network_namespace(network_id)
        if not namespaces.exists(namespace):
            return None
        with (
            namespaces.inside(namespace),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener,
        ):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((METADATA, 80))
                listener.listen(BACKLOG)
            except OSError as error:
                raise EngineError(
                    f"listening on {METADATA}:80 in network {network_id}: {error.strerror}"
                ) from error
            return listener.detach()

    def metadata_changes(self, since: int) -> tuple[int, frozenset[str] | None]:
        """See the protocol: networks that were made, made anew or removed by this object."""
        return self._metadata.since(since)

    def observe(self) -> NetworkView:
        """What is there, without changing anything."""
        return NetworkView(
            networks=observe.networks(self),
            ports=observe.ports(self),
            routers=observe.routers(self),
            strays=frozenset(stray.text for stray in observe.strays(self)),
        )

    def remove_strays(self) -> frozenset[str]:
        """Remove what bears the mark and belongs to no id; what it was, described."""
        return observe.remove_strays(self)

    def remove_everything(self) -> None:
        """Take every network, port and router of the cloud off this host."""
        for router_id in observe.routers(self):
            self.remove_router(router_id)
        self.remove_strays()
        for network_id in observe.networks(self):
            self.remove_network(network_id)
        self.remove_strays()
        observe.remove_half_made(self)
        scope.remove(self.config.short)

    def network(self, network_id: str) -> Network:
        """The network's own object, for `observe`."""
        return self._network(network_id)

    def _forget(self, network_id: str, gone: set[str]) -> None:
        for spec in self.store.router_specs() if gone else ():
            self._router(spec.id).forget_addresses(network_id, gone)

    def _network(self, network_id: str) -> Network:
        with self._lock:
            if network_id not in self._networks:
                self._networks[network_id] = Network(
                    network_id, self.names, self.store, self.uplinks, self.config
                )
            return self._networks[network_id]

    def _router(self, router_id: str) -> Router:
        with self._lock:
            if router_id not in self._routers:
                self._routers[router_id] = Router(router_id, self.names, self.store, self.config)
            return self._routers[router_id]
