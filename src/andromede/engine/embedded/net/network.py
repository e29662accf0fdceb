"""One network on this host: its namespace, bridge, taps, rules and DHCP, under one lock."""

from __future__ import annotations

import threading
from ipaddress import ip_network
from typing import Any

from andromede.config import Config
from andromede.engine.embedded.net import cuts, dhcp_files, firewall, links, namespaces, nft
from andromede.engine.embedded.net.dnsmasq import Dnsmasq
from andromede.engine.embedded.net.firewall import METADATA
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.store import Store
from andromede.engine.embedded.net.uplink import Uplinks
from andromede.engine.networks import FirewallSpec, NetworkSpec, PortSpec
from andromede.engine.protocol import EngineError, NotYet

SETTINGS = {
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv4/conf/all/arp_ignore": "1",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/ip_forward": "0",
    "ipv4/ip_unprivileged_port_start": "0",  # dnsmasq binds 53 and 67 without any capability
    "bridge/bridge-nf-call-iptables": "1",
    "bridge/bridge-nf-call-ip6tables": "1",
    "bridge/bridge-nf-call-arptables": "0",
}
# Of the bridge, where its own services speak IPv6; it listens to no router.
OF_BRIDGE = {"accept_ra": "0", "accept_dad": "0", "forwarding": "0"}
NO_PICKUP = "netfilter/nf_conntrack_tcp_loose"  # a connection that was cut stays cut


class Network:
    """The network `network_id`; what it should be is read from the store on first use."""

    def __init__(
        self, network_id: str, names: Names, store: Store, uplinks: Uplinks, config: Config
    ) -> None:
        self.id, self.names, self.store, self.uplinks = network_id, names, store, uplinks
        self.lock = threading.RLock()
        self.namespace = names.network_namespace(network_id)
        self.applied = nft.Applied(self.namespace)
        self.dnsmasq = Dnsmasq(config, store.network_folder(network_id), self.namespace)
        self.spec = store.network(network_id)
        self.ports = store.ports(network_id)
        self.firewall = store.firewall(network_id)
        self.stands_in: tuple[int, int] | None = None  # the namespace, once it was all there
        self.enforced: FirewallSpec | None = None  # the rules that no open connection offends

    def ensure(self, spec: NetworkSpec) -> bool:
        """Make it so; whether it stands in another namespace than this object last saw."""
        with self.lock:
            self.store.save_network(spec)
            self.spec = spec
            bridge = self.names.bridge(spec.number)
            if namespaces.create(self.namespace):
                self.applied.forget()
            with links.netlink(self.namespace) as ip:
                for path, value in SETTINGS.items():
                    links.setting(path, value)
                self._bridge(ip, spec, bridge)
                taps = set(links.held())
            self._apply(taps)
            with namespaces.inside(self.namespace):
                links.setting(NO_PICKUP, "0")
            if spec.external:
                self.uplinks.ensure(spec, self.namespace, bridge)
            self.dnsmasq.ensure(spec, bridge, self.ports.values())
            before, self.stands_in = self.stands_in, namespaces.identity(self.namespace)
            return before != self.stands_in

    def remove(self) -> None:
        with self.lock:
            self.dnsmasq.stop()
            if self.spec is not None and self.spec.external:
                self.uplinks.remove(self.spec)
            if namespaces.exists(self.namespace):
                links.empty(self.namespace, self.names.mark)
            namespaces.remove(self.namespace)
            self.applied.forget()
            self.store.forget_network(self.id)
            self.spec, self.ports, self.firewall = None, {}, None

    def ensure_port(self, port: PortSpec) -> None:
        with self.lock:
            spec = self._whole(f"making port {port.id}")
            before = self.ports.get(port.id)
            moved = before is not None and (before.addresses, before.mac) != (
                port.addresses,
                port.mac,
            )
            if before is not None and moved:
                self._release(spec, before)
            self.store.save_port(port)
            self.ports[port.id] = port
            if port.owner_uid is None:
                self._drop_tap(port)
            else:
                self._ensure_tap(spec, port)
            if before is not None and moved:
                self._forget_leases6(spec, before)
            self.dnsmasq.ensure(spec, self.names.bridge(spec.number), self.ports.values())
            if before is not None and moved:  # again: no lease was renewed in between
                self._release(spec, before)

    def remove_port(self, port_id: str) -> None:
        with self.lock:
            port = self.ports.pop(port_id, None) or self.store.port(self.id, port_id)
            if port is None:
                return
            if self.firewall is not None:
                kept = tuple(each for each in self.firewall.ports if each.id != port_id)
                self._remember(FirewallSpec(
                    network_id=self.id, ports=kept, groups=self.firewall.groups
                ))  # fmt: skip
            if self.spec is not None and namespaces.exists(self.namespace):
                self._drop_tap(port)
                self._forget_leases6(self.spec, port)
                bridge = self.names.bridge(self.spec.number)
                self.dnsmasq.ensure(self.spec, bridge, self.ports.values())
                self._release(self.spec, port)
            self.store.forget_port(self.id, port_id)

    def ensure_firewall(self, wanted: FirewallSpec) -> None:
        with self.lock:
            spec = self._whole("setting the firewall")
            firewall.filter_table(self.names, spec, wanted)  # refuses before anything changes
            for port in wanted.ports:
                if port.id in self.ports and self.ports[port.id] != port:
                    self.store.save_port(port)
                    self.ports[port.id] = port
            self._remember(wanted)
            with namespaces.inside(self.namespace):
                taps = set(links.held())
            self._apply(taps)
            if self.enforced != wanted:
                with namespaces.inside(self.namespace):
                    cuts.enforce(spec, self.enforced, wanted)
                self.enforced = wanted

    def open_tap(self, port_id: str) -> int:
        with self.lock:
            port = self.ports.get(port_id)
            if port is None or port.owner_uid is None:
                raise EngineError(f"opening the tap of port {port_id}: the port has none")
            tap = self.names.tap(port.number)
            with namespaces.inside(self.namespace):
                if links.index(tap) is None:
                    raise EngineError(f"opening the tap of port {port_id}: {tap} is gone")
                return links.attach_tap(tap)

    def _whole(self, act: str) -> NetworkSpec:
        if self.spec is None or not namespaces.exists(self.namespace):
            raise NotYet(f"{act} on network {self.id}: the network is not on this host yet")
        return self.spec

    def _remember(self, wanted: FirewallSpec) -> None:
        self.store.save_firewall(wanted)
        self.firewall = wanted

    def _apply(self, taps: set[str]) -> None:
        """Both tables at once; only taps that exist can be guarded."""
        assert self.spec is not None
        present = [
            port
            for port in sorted(self.ports.values(), key=lambda each: each.number)
            if port.owner_uid is not None and self.names.tap(port.number) in taps
        ]
        self.applied.apply([
            firewall.filter_table(self.names, self.spec, self.firewall),
            firewall.guard_table(self.names, self.spec, present, self.firewall),
        ])  # fmt: skip

    def _bridge(self, ip: Any, spec: NetworkSpec, bridge: str) -> None:
        if links.index(bridge) is None:
            ip.link("add", ifname=bridge, kind="bridge", br_stp_state=0, br_mcast_snooping=0)
        link = links.index(bridge)
        ip.link("set", index=links.index("lo"), state="up")
        ip.link("set", index=link, address=spec.dhcp_mac, mtu=spec.mtu, ifalias=spec.id)
        addresses = [f"{METADATA}/32"]
        routes = {}
        six = False
        for subnet in spec.subnets:
            net = ip_network(subnet.cidr)
            if subnet.dhcp_address:
                addresses.append(f"{subnet.dhcp_address}/{net.prefixlen}")
                six = six or net.version == 6
            elif net.version == 4:
                routes[str(net)] = {"oif": link}
        for what, value in OF_BRIDGE.items():
            links.setting(f"ipv6/conf/{bridge}/{what}", value)
        links.setting(f"ipv6/conf/{bridge}/disable_ipv6", "0" if six else "1")
        ip.link("set", index=link, state="up")
        links.set_addresses(ip, link or 0, addresses)
        links.set_routes(ip, routes)

    def _ensure_tap(self, spec: NetworkSpec, port: PortSpec) -> None:
        """Guarded before it joins the bridge."""
        tap = self.names.tap(port.number)
        with links.netlink(self.namespace) as ip:
            if links.index(tap) is None:
                if self.applied.mentions(tap):
                    self.applied.forget()  # the chains of a tap that went by itself
                links.make_tap(tap)
            link = links.index(tap)
            ip.link("set", index=link, mtu=spec.mtu, ifalias=port.id)
            taps = set(links.held())
        self._apply(taps)
        alone = port.port_security and all(pair.mac in ("", port.mac) for pair in port.pairs)
        with links.netlink(self.namespace) as ip:
            master = links.index(self.names.bridge(spec.number))
            state = "up" if port.enabled else "down"
            ip.link("set", index=link, master=master, state=state)
            links.guard_bridge_port(ip, link or 0, port.mac, exclusive=alone)

    def _drop_tap(self, port: PortSpec) -> None:
        """Off the bridge first, so that it is never there unguarded."""
        tap = self.names.tap(port.number)
        with links.netlink(self.namespace) as ip:
            link = links.index(tap)
            if link is not None:
                ip.link("set", index=link, state="down", master=0)
            taps = set(links.held()) - {tap}
        self._apply(taps)
        if link is not None:
            with links.netlink(self.namespace) as ip:
                links.delete(ip, link)

    def _forget_leases6(self, spec: NetworkSpec, port: PortSpec) -> None:
        """End a server that may have leased the port's IPv6 addresses; what starts anew knows of
        none."""
        blocks = [ip_network(each.cidr) for each in dhcp_files.served6(spec)]
        if any(cuts.within(each, block) for each in port.addresses for block in blocks):
            self.dnsmasq.stop()

    def _release(self, spec: NetworkSpec, port: PortSpec) -> None:
        """Forget the leases and connections of the addresses that a port held."""
        served = dhcp_files.served(spec) if self.dnsmasq.pid() is not None else []
        for subnet in served:
            for address in port.addresses:
                if cuts.within(address, ip_network(subnet.cidr)):
                    server = str(subnet.dhcp_address)
                    bridge = self.names.bridge(spec.number)
                    self.dnsmasq.release(bridge, server, address, port.mac)
        cuts.addresses(self.namespace, set(port.addresses))
