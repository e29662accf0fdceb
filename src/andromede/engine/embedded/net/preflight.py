"""Looks for what networking needs of a host, by trying each thing in a namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from andromede.engine.embedded.net import conntrack, links, namespaces, nft, preparation
from andromede.engine.embedded.net.table import Chain, Table, replacing
from andromede.engine.preflight import Lack
from andromede.engine.protocol import EngineError

TOOLS = {
    "nft": ("nftables", "no firewall and no router: no network can be made"),
    "dnsmasq": ("dnsmasq-base", "no DHCP, no names: servers get no address"),
    "setpriv": ("util-linux", "dnsmasq cannot run unprivileged, so it is not run"),
}
SYSTEM_FOLDER = Path("/usr/sbin")
SPARED = ("conntrack netlink",)  # what networks do without, at the cost that is named
_HOOKS = {
    "nftables inet forward": (
        "inet", "type filter hook forward priority filter;", "ct state established accept",
        "no security groups",
    ),
    "nftables NAT": (
        "inet", "type nat hook postrouting priority srcnat;", "masquerade",
        "no outgoing traffic and no floating addresses",
    ),
    "nftables netdev ingress": (
        "netdev", 'type filter hook ingress device "p0" priority filter;', "meta mark set 1",
        "guests could forge addresses, so no server is connected",
    ),
    "nftables netdev egress": (
        "netdev", 'type filter hook egress device "p0" priority filter;', "accept",
        "multicast between guests could not be filtered, so no server is connected",
    ),
}  # fmt: skip


def check() -> list[Lack]:
    """What is missing, each with its cost and remedy; empty: all is there. Leaves nothing behind."""
    if os.geteuid() != 0:
        return [
            Lack(name="root", cost="networks cannot be made", remedy="run as root", needed=True)
        ]
    found = [
        Lack(name=tool, cost=cost, remedy=f"apt-get install {package}", needed=True)
        for tool, (package, cost) in TOOLS.items()
        if shutil.which(tool) is None and not (SYSTEM_FOLDER / tool).exists()
    ]
    name = f"andromede-check-{os.getpid()}"
    try:
        namespaces.create(name)
    except (EngineError, OSError) as error:
        return [*found, _kernel("network namespaces", "no network can be made", str(error))]
    try:
        return found + _in_namespace(name, with_nft=all(each.name != "nft" for each in found))
    finally:
        namespaces.remove(name)


def _in_namespace(name: str, *, with_nft: bool) -> list[Lack]:
    found: list[Lack] = []

    def attempt(what: str, cost: str, act: Callable[[], object]) -> None:
        try:
            act()
        except (EngineError, OSError) as error:
            found.append(_kernel(what, cost, str(error)))

    def made(kind: str, **how: Any) -> Callable[[], None]:
        def act() -> None:
            with links.netlink(name) as ip:
                ip.link("add", kind=kind, **how)

        return act

    attempt("bridge", "no network can be made", made("bridge", ifname="b0"))
    attempt("veth", "no routers", made("veth", ifname="p0", peer={"ifname": "p1"}))
    attempt("tun/tap", "no server has a network card", lambda: _tap(name))
    attempt("br_netfilter", "no security groups", lambda: _bridge_filter(name))
    if with_nft:
        for what, (family, hook, rule, cost) in _HOOKS.items():
            table = Table(
                family=family, name="check", chains={"c": Chain(hook=hook, rules=(rule,))}
            )
            attempt(what, cost, partial(_rules, name, table))
    attempt("conntrack netlink", "connections outlive the rules they came by", lambda: _ct(name))
    forward = Path("/proc/sys/net/ipv4/ip_forward")
    if not os.access(forward, os.W_OK) and forward.read_text().strip() != "1":
        found.append(_kernel("ip_forward", "no way out of the host", f"{forward} is read-only"))
    return found


def _tap(name: str) -> None:
    with namespaces.inside(name):
        os.close(links.attach_tap("t0"))


def _bridge_filter(name: str) -> None:
    if not preparation.BRIDGE_SETTINGS.is_dir():
        subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
    with namespaces.inside(name):
        links.setting("bridge/bridge-nf-call-iptables", "1")
        links.setting("bridge/bridge-nf-call-ip6tables", "1")


def _rules(name: str, table: Table) -> None:
    with namespaces.inside(name):
        nft.run(replacing(table))


def _ct(name: str) -> None:
    with namespaces.inside(name):
        conntrack.cut(lambda _: False)


def _kernel(what: str, cost: str, why: str) -> Lack:
    remedy = f"a kernel that offers it ({why})"
    return Lack(name=what, cost=cost, remedy=remedy, needed=what not in SPARED)
