"""Finds what the cloud has on the host: by id where the id can be told, else as strays.

A network or router is held when it has a document or a namespace, whose name tells the id; its
verbs put right or remove what is half made. A port is held when its tap is there, as far as it has
one. A stray bears the cloud's mark and no document names it. Documents are written before their
objects, so what is there is always listed before the documents are read.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from andromede.engine.embedded.net import dnsmasq, links, namespaces, nft
from andromede.engine.embedded.net.network import Network
from andromede.engine.embedded.net.table import Table
from andromede.engine.networks import PortSpec

if TYPE_CHECKING:
    from andromede.engine.embedded.net.api import HostNetwork


class Stray(Struct, frozen=True):
    """Something to remove: what a person reads, and how to remove it if it still is one."""

    text: str
    remove: Callable[[], None]


def networks(host: HostNetwork) -> frozenset[str]:
    prefix = host.names.networks
    named = {name.removeprefix(prefix) for name in namespaces.listed(prefix)}
    return frozenset(named | set(host.store.network_ids()))


def routers(host: HostNetwork) -> frozenset[str]:
    prefix = host.names.routers
    named = {name.removeprefix(prefix) for name in namespaces.listed(prefix)}
    return frozenset(named | {spec.id for spec in host.store.router_specs()})


def ports(host: HostNetwork) -> frozenset[str]:
    found: set[str] = set()
    for network_id in host.store.network_ids():
        network = host.network(network_id)
        with network.lock:
            taps = _held(network)
            found |= {
                port.id
                for port in network.ports.values()
                if port.owner_uid is None or host.names.tap(port.number) in taps
            }
    return frozenset(found)


def strays(host: HostNetwork) -> Iterator[Stray]:
    """Everything of the mark that no document names."""
    yield from _processes(host)
    yield from _host_links(host)
    yield from _host_tables(host)
    for network_id in host.store.network_ids():
        yield from _inner(host, host.network(network_id))


def remove_strays(host: HostNetwork) -> frozenset[str]:
    """Remove them all; what they were, described."""
    found = list(strays(host))
    for stray in found:
        stray.remove()
    return frozenset(stray.text for stray in found)


def remove_half_made(host: HostNetwork) -> None:
    """Remove folders and namespaces whose documents are gone, after everything else went."""
    for name in namespaces.listed(f"{host.names.mark}-"):
        _empty(name, host.names.mark)
    shutil.rmtree(host.store.networks, ignore_errors=True)


def _held(network: Network) -> set[str]:
    if not namespaces.exists(network.namespace):
        return set()
    with namespaces.inside(network.namespace):
        return set(links.held())


def _processes(host: HostNetwork) -> Iterator[Stray]:
    for pid, config in dnsmasq.running(host.store.root).items():
        of_router = config.is_relative_to(host.store.advertisers)
        known = host.store.router if of_router else host.store.network
        if known(config.parent.name) is None:
            what = "router" if of_router else "network"
            yield Stray(f"dnsmasq {pid} of no {what} ({config})", partial(dnsmasq.end, config))


def _host_links(host: HostNetwork) -> Iterator[Stray]:
    held = links.held()
    wanted = {host.names.uplink_host(spec.number) for spec in host.store.externals()}
    for name in held:
        if name.startswith(host.names.mark) and name not in wanted:
            yield Stray(f"link {name} on the host", partial(_delete, name))


def _host_tables(host: HostNetwork) -> Iterator[Stray]:
    """Tables of ours while no external network is; asked only when rules of the host changed."""
    with host.uplinks.lock:
        now = nft.generation()
        if host.store.externals() or now == host.uplinks.seen_clean:
            return
        found = [each for each in nft.present() if each[1] == host.names.table]
        if not found:
            host.uplinks.seen_clean = now
    for family, name in found:
        table = Table(family=family, name=name)
        yield Stray(
            f"table {table.address} on the host", partial(host.uplinks.applied.remove, [table])
        )


def _inner(host: HostNetwork, network: Network) -> Iterator[Stray]:
    """In a network's namespace, links that no document names; ports whose tap went."""
    with network.lock:
        held = _held(network)
        unnamed = _unnamed(host, network, held)
        tapless = [
            port
            for port in network.ports.values()
            if port.owner_uid is not None and host.names.tap(port.number) not in held
        ]
    for name in sorted(unnamed):
        yield Stray(
            f"link {name} in network {network.id}", partial(_delete_unnamed, host, network, name)
        )
    for port in tapless:
        yield Stray(
            f"port {port.id} without its tap", partial(_forget_tapless, host, network, port)
        )


def _unnamed(host: HostNetwork, network: Network, held: set[str]) -> set[str]:
    spec = network.spec
    if spec is None:
        return set()
    named = {host.names.bridge(spec.number), host.names.uplink_inner(spec.number)}
    named |= {
        host.names.tap(port.number) for port in network.ports.values() if port.owner_uid is not None
    }
    for router in host.store.router_specs():
        legs = [*router.interfaces, *([router.gateway] if router.gateway else [])]
        named |= {host.names.leg(leg.port_id) for leg in legs}
    return {name for name in held - named if name.startswith(host.names.mark)}


def _delete_unnamed(host: HostNetwork, network: Network, name: str) -> None:
    with network.lock:
        if name in _unnamed(host, network, _held(network)):
            with links.netlink(network.namespace) as ip:
                links.delete(ip, links.index(name) or 0)


def _forget_tapless(host: HostNetwork, network: Network, port: PortSpec) -> None:
    with network.lock:
        if host.names.tap(port.number) not in _held(network):
            host.remove_port(port.id)


def _empty(name: str, mark: str) -> None:
    if namespaces.exists(name):
        links.empty(name, mark)
    namespaces.remove(name)


def _delete(name: str) -> None:
    with links.netlink(None) as ip:
        link = links.index(name)
        if link is not None:
            links.delete(ip, link)
