"""What this host has of a cloud, seen from outside and left as it is. Needs root.

`EmbeddedEngine.observe` also settles what it meets; this reads documents, records and the kernel's
tables only, so that it may run beside the worker.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from andromede.config import Config, Paths
from andromede.engine.embedded.machine import limits, process, record
from andromede.engine.embedded.machine.disks import DISK, STATE, Disks
from andromede.engine.embedded.net import HostNetwork, dhcp_files, links, namespaces, nft
from andromede.engine.networks import NetworkSpec
from andromede.engine.protocol import Observation, Power, ServerFacts


class Broken(Struct, frozen=True, kw_only=True):
    """Something the host holds in part: its noun, its id, and what is wrong with it."""

    kind: str
    id: str
    problem: str


class Look(Struct, frozen=True, kw_only=True):
    """What is held, as the engine observes it, and what of it is not whole."""

    held: Observation
    broken: tuple[Broken, ...]


def look(config: Config, paths: Paths) -> Look:
    """Errors: EngineError, OSError when something may not be read."""
    network = HostNetwork(config, paths)
    view = network.observe()
    disks = Disks(config, paths)
    present = disks.present()
    running = {name for _, name in process.marked(config.short, config.uid_base)}
    groups = limits.left(config.short) - running - present
    servers = {name: _server(paths, name, name in running) for name in present | running}
    held = Observation(
        servers=servers,
        networks=view.networks,
        ports=view.ports,
        routers=view.routers,
        disks=present,
        strays=view.strays | {f"control group of server {name}" for name in groups},
    )
    broken = (*networks(network), *_routers(network), *_files(disks))
    return Look(held=held, broken=broken)


def _server(paths: Paths, server_id: str, marked: bool) -> ServerFacts:
    """A server's machine by its record and its process; QEMU itself is not asked."""
    folder = paths.servers / server_id
    held = record.load(folder)
    if held is not None and not held.wanted and (held.copying or (folder / STATE).exists()):
        suspended = (folder / STATE).exists()
        return ServerFacts(id=server_id, power=Power.SUSPENDED if suspended else Power.OFF)
    found = process.recorded(held) if held is not None else None
    if found is not None:
        found.close()
    if found is not None or marked:
        return ServerFacts(id=server_id, power=Power.ON)
    if held is None:
        there = (folder / DISK).exists()
        return ServerFacts(id=server_id, power=Power.OFF if there else Power.ABSENT)
    return ServerFacts(id=server_id, power=Power.VANISHED if held.wanted else Power.OFF)


def networks(host: HostNetwork) -> Iterator[Broken]:
    for network_id in host.store.network_ids():
        spec = host.store.network(network_id)
        problem = "has no document" if spec is None else _of_network(host, spec)
        if problem is not None:
            yield Broken(kind="network", id=network_id, problem=problem)


def _of_network(host: HostNetwork, spec: NetworkSpec) -> str | None:
    namespace = host.names.network_namespace(spec.id)
    if not namespaces.exists(namespace):
        return "has no namespace"
    with namespaces.inside(namespace):
        held, tables = links.held(), nft.present()
    if host.names.bridge(spec.number) not in held:
        return "has no bridge"
    if not any(name.startswith(host.names.mark) for _, name in tables):
        return "has no rules"
    if dhcp_files.served(spec) and host.network(spec.id).dnsmasq.pid() is None:
        return "has no DHCP server in its namespace"
    if spec.external and host.names.uplink_host(spec.number) not in links.held():
        return "is not joined to the host"
    return None


def _routers(host: HostNetwork) -> Iterator[Broken]:
    for spec in host.store.router_specs():
        namespace = host.names.router_namespace(spec.id)
        if not namespaces.exists(namespace):
            yield Broken(kind="router", id=spec.id, problem="has no namespace")
            continue
        with namespaces.inside(namespace):
            held = links.held()
        legs = [*spec.interfaces, *([spec.gateway] if spec.gateway else [])]
        for leg in legs:
            if host.names.leg(leg.port_id) not in held:
                problem = f"has no leg in network {leg.network_id}"
                yield Broken(kind="router", id=spec.id, problem=problem)


def _files(disks: Disks) -> Iterator[Broken]:
    for name in disks.unused_bases():
        problem = "is the base of an image that is gone, and no disk stands on it"
        yield Broken(kind="file", id=name, problem=problem)
    for name in disks.overdue():
        yield Broken(kind="file", id=name, problem="is in quarantine for more than seven days")
