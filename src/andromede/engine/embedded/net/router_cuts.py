"""Which tracked connections a router's document still allows, judged without knowing its past."""

from __future__ import annotations

from ipaddress import ip_interface, ip_network

from andromede.engine.embedded.net import router_rules
from andromede.engine.embedded.net.conntrack import Entry
from andromede.engine.embedded.net.cuts import Net, within
from andromede.engine.embedded.net.rules import TCP, UDP, Flow
from andromede.engine.embedded.net.store import Store
from andromede.engine.networks import RouterSpec

NUMBERS = {"tcp": TCP, "udp": UDP}


def outer_addresses(spec: RouterSpec) -> set[str]:
    """Every IPv4 address the router shows to the outside."""
    own = router_rules.gateway_address(spec)
    return set(router_rules.floating_addresses(spec)) | ({own} if own else set())


class RouterJudge:
    """Asks of a connection in the router's namespace whether it may go on."""

    def __init__(self, spec: RouterSpec) -> None:
        self.enabled = spec.enabled
        self.gateway = router_rules.gateway_address(spec)
        self.snat = spec.snat
        self.floating = {each.floating: each.fixed for each in spec.floating}
        self.forwards = {
            (each.floating, NUMBERS[each.protocol], each.port): each.fixed for each in spec.forwards
        }
        held = [each for leg in spec.interfaces for each in leg.addresses]
        self.inner: list[Net] = [ip_interface(each).network for each in held]
        self.inner += [ip_network(destination, strict=False) for destination, _ in spec.routes]
        outer = spec.gateway.addresses if spec.gateway else ()
        self.own = {each.partition("/")[0] for each in (*held, *outer)}

    def allows(self, entry: Entry) -> bool:
        flow = entry.flow
        received = flow.destination == entry.reply_source  # nobody rewrote the destination
        sent = flow.source == entry.reply_destination
        if not self.enabled:
            return False
        if not received and self._translated(flow) != entry.reply_source:
            return False
        if not sent and not self._rewritten(flow.source, entry.reply_destination, received):
            return False
        ends = (flow.source, entry.reply_source)
        return any(end in self.own or self._inside(end) for end in ends)

    def _translated(self, flow: Flow) -> str | None:
        """The address inside that a packet to this one, and its port, goes to."""
        port = (flow.destination, flow.protocol, flow.low or 0)
        return self.forwards.get(port) or self.floating.get(flow.destination)

    def _rewritten(self, source: str, shown: str, received: bool) -> bool:
        """Whether the source may be shown as this address: its own floating one, or the router's."""
        if shown in self.floating:
            return self.floating[shown] == source
        return shown == self.gateway and (self.snat or not received)

    def _inside(self, address: str) -> bool:
        return any(within(address, net) for net in self.inner)


class HostJudge:
    """Asks of a connection on the host whether its external address still belongs to someone."""

    def __init__(self, store: Store, without: str | None = None) -> None:
        externals = store.externals()
        self.ranges: list[Net] = [ip_network(s.cidr) for net in externals for s in net.subnets]
        self.held = {s.gateway for net in externals for s in net.subnets if s.gateway}
        for router in store.router_specs():
            if router.id != without:
                self.held |= outer_addresses(router)
        for net in externals:
            self.held |= {each for port in store.ports(net.id).values() for each in port.addresses}

    def allows(self, entry: Entry) -> bool:
        flow = entry.flow
        ends = {flow.source, flow.destination, entry.reply_source, entry.reply_destination}
        return all(
            end in self.held or not any(within(end, net) for net in self.ranges) for end in ends
        )
