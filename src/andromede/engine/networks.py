"""The documents of networks that every engine understands: networks, ports, firewalls, routers."""

from __future__ import annotations

from msgspec import Struct


class SubnetSpec(Struct, frozen=True, kw_only=True):
    """One subnet of a network. Addresses are strings in canonical form."""

    id: str
    cidr: str
    gateway: str | None
    dhcp: bool
    dhcp_address: str | None  # the address the network's own DHCP and DNS server holds
    dns_servers: tuple[str, ...] = ()  # what customers asked for; empty: the network's own resolver
    routes: tuple[tuple[str, str], ...] = ()  # (destination CIDR, next hop)
    # Of IPv6, as the network API has them: "slaac", "dhcpv6-stateless" or "dhcpv6-stateful". Without
    # an `ra_mode` nobody here announces the subnet.
    ra_mode: str | None = None
    address_mode: str | None = None


class NetworkSpec(Struct, frozen=True, kw_only=True):
    """A network: one broadcast domain with its DHCP, DNS and metadata service."""

    id: str
    number: int  # unique on this cloud, names devices
    project_id: str
    mtu: int
    external: bool  # True: the floating network, joined to the host; the host holds its gateway
    subnets: tuple[SubnetSpec, ...]
    dns_domain: str
    dhcp_mac: str


class AddressPair(Struct, frozen=True):
    """An address (or CIDR) a port may send from besides its own, with the MAC it may use."""

    ip: str
    mac: str


class QosSpec(Struct, frozen=True, kw_only=True):
    """Limits and the mark of what a port or a floating address carries; egress leaves the machine.
    Kilobits a second, and kilobits of burst; a burst of 0 is four fifths of the limit."""

    egress_kbps: int | None = None
    egress_burst: int = 0
    ingress_kbps: int | None = None
    ingress_burst: int = 0
    dscp: int | None = None


class PortSpec(Struct, frozen=True, kw_only=True):
    """A port: a tap on its network's bridge, what may leave it, and what DHCP and DNS know of it."""

    id: str
    number: int
    network_id: str
    mac: str
    addresses: tuple[str, ...]
    hostname: str  # what DHCP hands out and DNS resolves; empty: none
    enabled: bool = True
    port_security: bool = True
    pairs: tuple[AddressPair, ...] = ()
    groups: tuple[str, ...] = ()  # security group ids
    owner_uid: int | None = None  # the user whose QEMU opens the tap; None: not a server's port
    dhcp_options: tuple[tuple[str, str], ...] = ()
    dhcp_options6: tuple[tuple[str, str], ...] = ()  # of DHCPv6
    qos: QosSpec | None = None


class RuleSpec(Struct, frozen=True, kw_only=True):
    """One security group rule. `None` means any."""

    direction: str  # "ingress" | "egress"
    ether: str  # "IPv4" | "IPv6"
    protocol: str | None = None  # a name or a number, as a string
    port_min: int | None = None  # ICMP: type
    port_max: int | None = None  # ICMP: code
    remote_cidr: str | None = None
    remote_group: str | None = None


class GroupSpec(Struct, frozen=True, kw_only=True):
    """A security group with its rules and the addresses of all its member ports, on any network."""

    id: str
    stateful: bool
    rules: tuple[RuleSpec, ...]
    members: tuple[str, ...]


class FirewallSpec(Struct, frozen=True, kw_only=True):
    """All that filters one network: its ports and every group they or their rules name."""

    network_id: str
    ports: tuple[PortSpec, ...]
    groups: tuple[GroupSpec, ...]


class Advertised(Struct, frozen=True, kw_only=True):
    """An IPv6 subnet that a router announces itself in: its prefix, mode and resolvers."""

    prefix: str
    mode: str  # as `SubnetSpec.ra_mode`
    dns_servers: tuple[str, ...] = ()


class RouterInterface(Struct, frozen=True, kw_only=True):
    """A router's leg in a network: its port, MAC and addresses with prefix (`10.0.0.1/24`)."""

    port_id: str
    network_id: str
    mac: str
    addresses: tuple[str, ...]
    advertised: tuple[Advertised, ...] = ()
    # Its address scopes: between different ones nothing is routed but by translation.
    scope4: str | None = None
    scope6: str | None = None


class FloatingSpec(Struct, frozen=True, kw_only=True):
    """A floating address and the fixed address it stands for."""

    id: str
    floating: str
    fixed: str


class ForwardSpec(Struct, frozen=True, kw_only=True):
    """One port of a floating address and the port inside it stands for; `id` is the floating IP's."""

    id: str
    floating: str
    protocol: str  # "tcp" | "udp"
    port: int
    fixed: str
    fixed_port: int


class LimitSpec(Struct, frozen=True, kw_only=True):
    """What limits a floating address; `fixed` is what it stands for as a whole, if it does."""

    floating: str
    fixed: str | None
    qos: QosSpec


class RouterSpec(Struct, frozen=True, kw_only=True):
    """A router: its legs, its gateway with SNAT, its floating addresses and its static routes."""

    id: str
    number: int
    enabled: bool
    interfaces: tuple[RouterInterface, ...]
    gateway: RouterInterface | None
    gateway_next_hop: str | None
    snat: bool
    floating: tuple[FloatingSpec, ...]
    routes: tuple[tuple[str, str], ...] = ()
    gateway_next_hop6: str | None = None
    forwards: tuple[ForwardSpec, ...] = ()
    limits: tuple[LimitSpec, ...] = ()
