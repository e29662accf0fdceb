"""Finds what the cloud has on the host: what is whole, by id, and what belongs to no id.

A stray is something that bears the cloud's mark while no document names it, or a document that
a cut-off verb left without its object.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from andromede.engine.embedded.net import dhcp_files, dnsmasq, links, namespaces, nft
from andromede.engine.embedded.net.network import Network, delete_link
from andromede.engine.embedded.net.table import Table

if TYPE_CHECKING:
    from andromede.engine.embedded.net.api import HostNetwork


class Stray(Struct, frozen=True):
    """Something to remove: what a person reads, and how to remove it."""

    text: str
    remove: Callable[[], None]


def whole_networks(host: HostNetwork) -> tuple[frozenset[str], frozenset[str]]:
    """Networks and ports that are all there."""
    networks: set[str] = set()
    ports: set[str] = set()
    joined = bool(host.store.externals()) and ("inet", host.names.table) in nft.present()
    for network_id in host.store.network_ids():
        network = host.network(network_id)
        with network.lock:
            if not namespaces.exists(network.namespace):
                continue
            with namespaces.inside(network.namespace):
                held = set(links.held())
            if _network_whole(host, network, held, joined=joined):
                networks.add(network_id)
            ports |= {
                port.id
                for port in network.ports.values()
                if port.owner_uid is None or host.names.tap(port.number) in held
            }
    return frozenset(networks), frozenset(ports)


def _network_whole(host: HostNetwork, network: Network, held: set[str], *, joined: bool) -> bool:
    spec = network.spec
    if spec is None or host.names.bridge(spec.number) not in held:
        return False
    if spec.external and not (joined and host.uplinks.present(spec)):
        return False
    return not dhcp_files.served(spec) or network.dnsmasq.pid() is not None


def strays(host: HostNetwork) -> Iterator[Stray]:
    """Everything of the mark that no document names. Order: users before what they stand on."""
    yield from _processes(host)
    yield from _host_links(host)
    yield from _host_tables(host)
    for network_id in host.store.network_ids():
        yield from _inner(host, host.network(network_id))
    yield from _namespaces(host)
    for network_id in host.store.network_ids():
        if host.store.network(network_id) is None:
            folder = host.store.network_folder(network_id)
            yield Stray(
                f"folder of network {network_id} without its document",
                partial(shutil.rmtree, folder, ignore_errors=True),
            )


def remove_strays(host: HostNetwork) -> frozenset[str]:
    """Remove them all. A verb under way holds its lock, so nothing half made by it is a stray."""
    found = list(strays(host))
    for stray in found:
        stray.remove()
    return frozenset(stray.text for stray in found)


def _processes(host: HostNetwork) -> Iterator[Stray]:
    for pid, config in dnsmasq.running(host.store.root).items():
        if host.store.network(config.parent.name) is None:
            yield Stray(f"dnsmasq {pid} of no network ({config})", partial(dnsmasq.end, config))


def _host_links(host: HostNetwork) -> Iterator[Stray]:
    wanted = {host.names.uplink_host(spec.number) for spec in host.store.externals()}
    for name in links.held():
        if name.startswith(host.names.mark) and name not in wanted:
            yield Stray(f"link {name} on the host", partial(_delete, None, name))


def _host_tables(host: HostNetwork) -> Iterator[Stray]:
    with host.uplinks.lock:
        idle = not host.store.externals()
        found = [each for each in nft.present() if each[1] == host.names.table] if idle else []
    for family, name in found:
        table = Table(family=family, name=name)
        yield Stray(
            f"table {table.address} on the host",
            partial(host.uplinks.applied.remove, [table]),
        )


def _inner(host: HostNetwork, network: Network) -> Iterator[Stray]:
    """Links in a network's namespace that none of its documents names."""
    with network.lock:
        spec = network.spec
        if spec is None or not namespaces.exists(network.namespace):
            return
        wanted = {host.names.bridge(spec.number), host.names.uplink_inner(spec.number)}
        wanted |= {
            host.names.tap(port.number)
            for port in network.ports.values()
            if port.owner_uid is not None
        }
        for router in host.store.router_specs():
            legs = [*router.interfaces, *([router.gateway] if router.gateway else [])]
            wanted |= {host.names.leg(leg.port_id) for leg in legs}
        with namespaces.inside(network.namespace):
            held = links.held()
        missing = wanted - set(held)
    for name in held:
        if name.startswith(host.names.mark) and name not in wanted:
            yield Stray(
                f"link {name} in network {network.id}",
                partial(_delete, network.namespace, name),
            )
    for port in list(network.ports.values()):
        if port.owner_uid is not None and host.names.tap(port.number) in missing:
            yield Stray(
                f"port {port.id} without its tap",
                partial(host.remove_port, port.id),
            )


def _namespaces(host: HostNetwork) -> Iterator[Stray]:
    mark = host.names.mark
    wanted = {
        host.names.network_namespace(each)
        for each in host.store.network_ids()
        if host.store.network(each) is not None
    }
    wanted |= {host.names.router_namespace(spec.id) for spec in host.store.router_specs()}
    for name in namespaces.listed(f"{mark}-"):
        if name not in wanted:
            yield Stray(f"namespace {name}", partial(_empty, name, mark))


def _empty(name: str, mark: str) -> None:
    if namespaces.exists(name):
        with links.netlink(name) as ip:
            for link, number in links.held().items():
                if link.startswith(mark):
                    delete_link(ip, number)
    namespaces.remove(name)


def _delete(namespace: str | None, name: str) -> None:
    with links.netlink(namespace) as ip:
        link = links.index(name)
        if link is not None:
            delete_link(ip, link)
