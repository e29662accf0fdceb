"""Cuts tracked connections that what changed no longer allows."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address

from andromede.engine.embedded.net import conntrack, namespaces, rules
from andromede.engine.embedded.net.firewall import METADATA, is_guest
from andromede.engine.embedded.net.rules import Flow
from andromede.engine.networks import (
    FirewallSpec,
    GroupSpec,
    NetworkSpec,
    PortSpec,
)

Net = IPv4Network | IPv6Network


def within(address: str, net: Net) -> bool:
    return ip_address(address) in net


def addresses(namespace: str | None, gone: Iterable[str]) -> None:
    """Cut every connection of the namespace that has one of the addresses at an end."""
    gone = set(gone)
    if gone:
        with namespaces.inside(namespace):
            conntrack.cut(lambda entry: any(entry.touches(each) for each in gone))


def enforce(spec: NetworkSpec, before: FirewallSpec | None, after: FirewallSpec) -> int:
    """Cut what the new rules would not let begin, in the thread's namespace; how many.

    `before`: the rules last enforced; None: unknown. Rules that were only added cost nothing.
    """
    if before is not None and not _narrower(before, after):
        return 0
    judge = Judge(spec, after)
    return conntrack.cut(lambda entry: not judge.allows(entry.flow))


def _narrower(before: FirewallSpec, after: FirewallSpec) -> bool:
    """Whether anything that was allowed may be refused now."""
    groups = {group.id: group for group in after.groups}
    ports = {port.id: port for port in after.ports}
    for group in before.groups:
        now = groups.get(group.id)
        if (
            now is None
            or set(group.rules) - set(now.rules)
            or set(group.members) - set(now.members)
        ):
            return True
    for port in before.ports:
        then = ports.get(port.id)
        if then is None or set(port.groups) - set(then.groups):
            return True
        if then.port_security and not port.port_security:
            return True
    return False


class Judge:
    """Asks of a connection what the network's `inet` table asks of its first packet."""

    def __init__(self, spec: NetworkSpec, firewall: FirewallSpec) -> None:
        self.groups: dict[str, GroupSpec] = {group.id: group for group in firewall.groups}
        self.members = {group.id: group.members for group in firewall.groups}
        self.ports = [port for port in firewall.ports if is_guest(port)]
        self.by_address = {each: port for port in self.ports for each in port.addresses}
        self.services = {METADATA, *(each.dhcp_address for each in spec.subnets)}

    def allows(self, flow: Flow) -> bool:
        if flow.destination in self.services or flow.source in self.services:
            return True
        return self._passes(self._port(flow.source), "egress", flow) and self._passes(
            self._port(flow.destination), "ingress", flow
        )

    def _passes(self, port: PortSpec | None, side: str, flow: Flow) -> bool:
        if port is None or not port.port_security:
            return True
        found = (self.groups[each] for each in port.groups if each in self.groups)
        return any(
            rules.allows(rule, flow, self.members)
            for group in found
            for rule in group.rules
            if rule.direction == side
        )

    def _port(self, address: str) -> PortSpec | None:
        if address in self.by_address:
            return self.by_address[address]
        for port in self.ports:
            if any(rules.covers((pair.ip,), address) for pair in port.pairs):
                return port
        return None
