"""One router on this host: its namespace, a veth leg in each network, NAT and routes."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

from andromede.config import Config, role_uid
from andromede.engine.embedded.net import (
    conntrack,
    cuts,
    dhcp_files,
    links,
    namespaces,
    nft,
    router_rules,
)
from andromede.engine.embedded.net.dnsmasq import Advertiser
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.router_cuts import HostJudge, RouterJudge
from andromede.engine.embedded.net.store import Store
from andromede.engine.networks import NetworkSpec, RouterInterface, RouterSpec
from andromede.engine.protocol import EngineError

SETTINGS = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/arp_ignore": "1",
    "ipv4/conf/all/arp_announce": "2",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    "ipv4/conf/all/accept_redirects": "0",
    "ipv4/ip_unprivileged_port_start": "0",  # what announces it binds 547 without any capability
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/default/accept_dad": "0",  # a leg speaks at once: nobody else has its MAC
}

# Of each leg: a guest that just came up is asked for ten times a second, for three seconds as usual;
# the kernel's one second would be what its first visitor waits.
ASKING = {"retrans_time_ms": "100", "mcast_solicit": "30"}

ARP_REQUEST = bytes.fromhex("0001080006040001")  # Ethernet, IPv4, their lengths, request


class Router:
    """The router `router_id`; what it was last is read from the store on first use."""

    def __init__(self, router_id: str, names: Names, store: Store, config: Config) -> None:
        self.id, self.names, self.store = router_id, names, store
        self.lock = threading.RLock()
        self.namespace = names.router_namespace(router_id)
        self.applied = nft.Applied(self.namespace)
        self.advertiser = Advertiser(
            config.short, role_uid(config, "dnsmasq"), store.advertiser_folder(router_id),
            self.namespace,
        )  # fmt: skip
        self.spec = store.router(router_id)
        self.settled: RouterSpec | None = None  # what connections and neighbours surely know

    def ensure(self, spec: RouterSpec) -> None:
        with self.lock:
            places = {leg.port_id: self._network_of(leg) for leg in _legs(spec)}
            self.store.save_router(spec)
            self.spec = spec
            if namespaces.create(self.namespace):
                self.applied.forget()
            with links.netlink(self.namespace) as ip:
                for path, value in SETTINGS.items():
                    links.setting(path, value)
                ip.link("set", index=links.index("lo"), state="up")
            self.applied.apply([router_rules.table(self.names, spec)])
            self._drop_legs(spec)
            for leg in _legs(spec):
                self._ensure_leg(spec, leg, places[leg.port_id])
            self._routes(spec)
            mtus = {place.id: place.mtu for place in places.values()}
            self.advertiser.ensure(
                dhcp_files.advertisements(spec, self.names, mtus, self.advertiser.folder)
            )
            if self.settled != spec:
                self._settle(spec)

    def remove(self) -> None:
        with self.lock:
            self.advertiser.remove()
            if namespaces.exists(self.namespace):
                links.empty(self.namespace, self.names.mark)
            namespaces.remove(self.namespace)
            self.applied.forget()
            outside = HostJudge(self.store, without=self.id)
            conntrack.cut(lambda entry: not outside.allows(entry))
            self.store.forget_router(self.id)
            self.spec = self.settled = None

    def forget_addresses(self, network_id: str, gone: set[str]) -> None:
        """Cut connections of addresses that a port of one of the router's networks held."""
        with self.lock:
            joined = self.spec and any(leg.network_id == network_id for leg in _legs(self.spec))
            if joined and namespaces.exists(self.namespace):
                cuts.addresses(self.namespace, gone)

    def _network_of(self, leg: RouterInterface) -> NetworkSpec:
        network = self.store.network(leg.network_id)
        namespace = self.names.network_namespace(leg.network_id)
        if network is None or not namespaces.exists(namespace):
            raise EngineError(
                f"joining router {self.id} to network {leg.network_id}: the network is not on "
                "this host"
            )
        return network

    def _drop_legs(self, spec: RouterSpec) -> None:
        wanted = {self.names.leg(leg.port_id) for leg in _legs(spec)}
        with links.netlink(self.namespace) as ip:
            for name, link in links.held().items():
                if name.startswith(self.names.mark) and name not in wanted:
                    links.delete(ip, link)

    def _ensure_leg(self, spec: RouterSpec, leg: RouterInterface, place: NetworkSpec) -> None:
        """The leg, with exactly its addresses."""
        name = self.names.leg(leg.port_id)
        there = self.names.network_namespace(leg.network_id)
        with links.netlink(self.namespace) as ip:
            link = _pair(ip, name, there)
            ip.link("set", index=link, address=leg.mac, mtu=place.mtu, ifalias=leg.port_id)
            ip.link("set", index=link, state="up")
        with links.netlink(there) as ip:
            end, master = links.index(name), links.index(self.names.bridge(place.number))
            ip.link("set", index=end, mtu=place.mtu, ifalias=leg.port_id, master=master, state="up")
            links.guard_bridge_port(ip, end or 0, leg.mac, exclusive=False)
        addresses = list(leg.addresses)
        if leg is spec.gateway and spec.enabled:
            addresses += [f"{each}/32" for each in router_rules.floating_addresses(spec)]
        with links.netlink(self.namespace) as ip:
            for what, value in ASKING.items():
                links.setting(f"ipv4/neigh/{name}/{what}", value)
            links.set_addresses(ip, link, addresses)

    def _routes(self, spec: RouterSpec) -> None:
        wanted: dict[str, dict[str, Any]] = {
            destination: {"gateway": hop} for destination, hop in spec.routes
        }
        for hop in (spec.gateway_next_hop, spec.gateway_next_hop6):
            if spec.gateway is not None and hop is not None:
                wanted["::/0" if ":" in hop else "0.0.0.0/0"] = {"gateway": hop}
        with links.netlink(self.namespace) as ip:
            links.set_routes(ip, wanted)

    def _settle(self, spec: RouterSpec) -> None:
        """Cut what the document does not allow, and announce where its addresses live.

        Done whenever this process does not know that it was done.
        """
        judge = RouterJudge(spec)
        with namespaces.inside(self.namespace):
            conntrack.cut(lambda entry: not judge.allows(entry))
        outside = HostJudge(self.store)
        conntrack.cut(lambda entry: not outside.allows(entry))
        for leg in _legs(spec):
            outer = leg is spec.gateway
            floating = router_rules.floating_addresses(spec) if outer else []
            self._announce(leg, [*(each.partition("/")[0] for each in leg.addresses), *floating])
        self.settled = spec

    def _announce(self, leg: RouterInterface, addresses: list[str]) -> None:
        """Gratuitous ARP, so that neighbours learn at once where addresses live (RFC 5227)."""
        name = self.names.leg(leg.port_id)
        mac = bytes.fromhex(leg.mac.replace(":", ""))
        with (
            namespaces.inside(self.namespace),
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire,
        ):
            wire.bind((name, 0))
            for each in addresses:
                if ":" not in each:
                    ends = mac + socket.inet_aton(each) + bytes(6) + socket.inet_aton(each)
                    wire.send(b"\xff" * 6 + mac + b"\x08\x06" + ARP_REQUEST + ends)


def _legs(spec: RouterSpec) -> list[RouterInterface]:
    return [*spec.interfaces, *([spec.gateway] if spec.gateway else [])]


def _pair(ip: Any, name: str, there: str) -> int:
    """The index of the near end of a veth pair of one name in two namespaces."""
    link = links.index(name)
    with namespaces.inside(there):
        whole = links.index(name) is not None
    namespaces_differ = link is not None and not whole
    if namespaces_differ:
        links.delete(ip, link or 0)
    return link if link is not None and whole else _new_pair(ip, name, there)


def _new_pair(ip: Any, name: str, there: str) -> int:
    handle = os.open(namespaces.FOLDER / there, os.O_RDONLY | os.O_CLOEXEC)
    try:
        ip.link("add", ifname=name, kind="veth", peer={"ifname": name, "net_ns_fd": handle})
    finally:
        os.close(handle)
    link = links.index(name)
    assert link is not None
    return link
