"""Joins external networks to the host: a veth that holds the gateway, and the host's own table.

Touches in the host's namespace only links and the one table that bear the cloud's mark, and the
switch that lets the host forward IPv4.
"""

from __future__ import annotations

import os
import threading
from ipaddress import ip_address, ip_interface, ip_network

from andromede.config import Config, external_gateway
from andromede.engine.embedded.net import links, namespaces, nft
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.store import Store
from andromede.engine.embedded.net.table import Chain, Table
from andromede.engine.networks import NetworkSpec
from andromede.engine.protocol import EngineError

LINK_LOCAL = "169.254.0.0/16"


class Uplinks:
    """The host's side of every external network of the cloud."""

    def __init__(self, config: Config, names: Names, store: Store) -> None:
        self.config, self.names, self.store = config, names, store
        self.lock = threading.Lock()
        self.applied = nft.Applied(None)
        self.seen_clean = -1  # the generation of the host's rules that held no table of ours

    def ensure(self, spec: NetworkSpec, namespace: str, bridge: str) -> None:
        """Join the network's bridge to the host, and filter what crosses.

        Errors: EngineError when another link of the host already holds these addresses.
        """
        with self.lock:
            outer = self.names.uplink_host(spec.number)
            self._refuse_overlap(spec, outer)
            self.applied.apply([host_table(self.config, self.names, self.store.externals())])
            self._join(spec, namespace, bridge)
            with links.netlink(None) as ip:
                link = links.index(outer)
                links.setting(f"ipv6/conf/{outer}/disable_ipv6", "1" if _four_only(spec) else "0")
                links.set_addresses(ip, link or 0, gateways(spec))
                ip.link("set", index=link, state="up")
            links.setting("ipv4/ip_forward", "1")

    def remove(self, spec: NetworkSpec) -> None:
        """Part the network from the host; the table goes with the last one."""
        with self.lock:
            with links.netlink(None) as ip:
                link = links.index(self.names.uplink_host(spec.number))
                if link is not None:
                    ip.link("del", index=link)
            left = [each for each in self.store.externals() if each.id != spec.id]
            if left:
                self.applied.apply([host_table(self.config, self.names, left)])
            else:
                self.applied.remove([Table(family="inet", name=self.names.table)])

    def _join(self, spec: NetworkSpec, namespace: str, bridge: str) -> None:
        outer, inner = self.names.uplink_host(spec.number), self.names.uplink_inner(spec.number)
        with namespaces.inside(namespace):
            whole = links.index(inner) is not None
        with links.netlink(None) as ip:
            link = links.index(outer)
            if link is not None and not whole:
                ip.link("del", index=link)
                link = None
            if link is None:
                handle = os.open(namespaces.FOLDER / namespace, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    peer = {"ifname": inner, "net_ns_fd": handle}
                    ip.link("add", ifname=outer, kind="veth", peer=peer)
                finally:
                    os.close(handle)
            link = links.index(outer)
            ip.link("set", index=link, mtu=spec.mtu, ifalias=spec.id)
        with links.netlink(namespace) as ip:
            link, master = links.index(inner), links.index(bridge)
            ip.link("set", index=link, mtu=spec.mtu, master=master, state="up")

    def _refuse_overlap(self, spec: NetworkSpec, outer: str) -> None:
        ours = [ip_network(subnet.cidr) for subnet in spec.subnets]
        with links.netlink(None) as ip:
            mine = links.index(outer)
            for message in ip.get_addr():
                address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                other = ip_interface(f"{address}/{message['prefixlen']}").network
                clash = any(net.version == other.version and net.overlaps(other) for net in ours)
                if clash and message["index"] != mine:
                    raise EngineError(
                        f"joining external network {spec.id} to the host: {other} is already on "
                        f"link {message.get_attr('IFA_LABEL')}; choose another range"
                    )


def gateways(spec: NetworkSpec) -> list[str]:
    """The addresses the host holds in an external network, with prefix."""
    return [
        f"{subnet.gateway}/{ip_network(subnet.cidr).prefixlen}"
        for subnet in spec.subnets
        if subnet.gateway
    ]


def _four_only(spec: NetworkSpec) -> bool:
    return all(":" not in subnet.cidr for subnet in spec.subnets)


def host_table(config: Config, names: Names, specs: list[NetworkSpec]) -> Table:
    """What may pass between external networks, the host and the world. Pure."""
    ends = ", ".join(f'"{names.uplink_host(spec.number)}"' for spec in specs)
    return Table(
        family="inet",
        name=names.table,
        chains={
            "input": Chain(
                hook="type filter hook input priority filter; policy accept;",
                rules=(f"iifname {{ {ends} }} goto guests_to_host",),
            ),
            "guests_to_host": Chain(rules=_to_host(config, names, specs)),
            "forward": Chain(
                hook="type filter hook forward priority filter; policy accept;",
                rules=(f"iifname {{ {ends} }} goto guests_to_world",),
            ),
            "guests_to_world": Chain(rules=(*_own_sources(names, specs), *_away(), "accept")),
            "postrouting": Chain(
                hook="type nat hook postrouting priority srcnat; policy accept;",
                rules=tuple(
                    f'ip saddr {subnet.cidr} oifname != "{names.uplink_host(spec.number)}" '
                    "masquerade"
                    for spec in specs
                    for subnet in spec.subnets
                    if ":" not in subnet.cidr
                ),
            ),
        },
    )


def _to_host(config: Config, names: Names, specs: list[NetworkSpec]) -> tuple[str, ...]:
    lines = [*_own_sources(names, specs), "ct state established,related accept"]
    for spec in specs:
        for address in (subnet.gateway for subnet in spec.subnets if subnet.gateway):
            family, echo = ("ip6", "icmpv6") if ":" in address else ("ip", "icmp")
            lines.append(f"{family} daddr {address} {echo} type echo-request accept")
    lines.append(
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept"
    )
    return (*lines, *_to_api(config), "drop")


def _to_api(config: Config) -> tuple[str, ...]:
    """The public listener: at its own address unless that is loopback, which no guest can reach,
    and at the gateway of the configured external network, where it always listens too."""
    host, _, port = config.public.rpartition(":")
    try:
        address = ip_address(host.strip("[]") or "0.0.0.0")  # noqa: S104 - compared, not bound
    except ValueError:
        return (f"tcp dport {port} accept",)
    if address.is_unspecified:
        return (f"tcp dport {port} accept",)
    reached = [ip_address(external_gateway(config)), *([] if address.is_loopback else [address])]
    return tuple(
        f"{'ip' if each.version == 4 else 'ip6'} daddr {each} tcp dport {port} accept"
        for each in reached
    )


def _own_sources(names: Names, specs: list[NetworkSpec]) -> list[str]:
    """Only addresses of the external range leave it: a router without SNAT leaks nothing."""
    lines = []
    for spec in specs:
        end = names.uplink_host(spec.number)
        for family, colon in (("ip", False), ("ip6", True)):
            ranges = [each.cidr for each in spec.subnets if (":" in each.cidr) == colon]
            ranges += ["fe80::/10"] if colon else []
            if ranges:
                known = f"{{ {', '.join(ranges)} }}"
                lines.append(f'iifname "{end}" {family} saddr != {known} drop')
    return lines


def _away() -> list[str]:
    """Not to link-local addresses: there live the metadata services of a cloud below this one."""
    return [f"ip daddr {LINK_LOCAL} drop", "ip daddr 127.0.0.0/8 drop"]
