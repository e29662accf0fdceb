"""What dnsmasq reads for one network: its configuration, reservations, options and names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path

from andromede.engine.embedded.net.firewall import METADATA
from andromede.engine.embedded.net.names import Names
from andromede.engine.networks import (
    NetworkSpec,
    PortSpec,
    RouterSpec,
    SubnetSpec,
)
from andromede.engine.protocol import EngineError

LEASE_SECONDS = 86_400
RA_SECONDS, RA_LIFETIME = 60, 300
_LABELS = re.compile(
    r"[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*"
)
_OPTION = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_STATIC_ROUTES, _STATIC_ROUTES_MS, _MTU, _ROUTER, _DNS = 121, 249, 26, 3, 6


def served(spec: NetworkSpec) -> list[SubnetSpec]:
    """The subnets whose addresses DHCP hands out."""
    return [
        each for each in spec.subnets if each.dhcp and each.dhcp_address and ":" not in each.cidr
    ]


def served6(spec: NetworkSpec) -> list[SubnetSpec]:
    """The IPv6 subnets that are announced, or whose addresses or options DHCPv6 hands out."""
    return [
        each
        for each in spec.subnets
        if each.dhcp and each.dhcp_address and ":" in each.cidr and _mode6(each)
    ]


def _mode6(subnet: SubnetSpec) -> str | None:
    """How dnsmasq has the subnet: of its RA modes, or as one of fixed leases."""
    if subnet.ra_mode == "slaac":
        return "ra-only"
    if subnet.ra_mode == "dhcpv6-stateless":
        return "ra-stateless"
    return None if subnet.ra_mode is None and subnet.address_mode == "slaac" else "static"


def configuration(spec: NetworkSpec, bridge: str, folder: Path, ports: Iterable[PortSpec]) -> str:
    """The main file. Reservations, options and names lie beside it and are read again on SIGHUP.

    The tags of ports with options of their own are here, not beside their reservations: dnsmasq
    2.90 frees what is on its stack when it reads a tagged reservation again.
    """
    domain = domain_of(spec)
    lines = [
        f"interface={bridge}", "except-interface=lo", "bind-interfaces",
        "no-resolv", "no-hosts", "no-ping", "leasefile-ro", "quiet-dhcp", "quiet-dhcp6",
        "dhcp-authoritative", "dhcp-broadcast", "dhcp-lease-max=65536",
        "log-facility=/dev/null", "user=", "group=",
        f"pid-file={folder}/run/dnsmasq.pid",
        f"dhcp-hostsfile={folder}/hosts", f"dhcp-optsfile={folder}/options",
        f"addn-hosts={folder}/names",
    ]  # fmt: skip
    if domain:
        lines += [f"domain={domain}", f"local=/{domain}/", "expand-hosts"]
    lines += [
        f"dhcp-mac=set:p{port.number},{port.mac}"
        for port in sorted(ports, key=lambda each: each.number)
        if port.dhcp_options or port.dhcp_options6
    ]
    for position, subnet in enumerate(served(spec)):
        lines += _subnet(spec, subnet, f"s{position}")
    for position, subnet in enumerate(served6(spec)):
        lines += _subnet6(subnet, f"x{position}")
    if any(each.ra_mode for each in served6(spec)):
        # lifetime 0: hosts learn their prefix here, and their way out from routers alone
        lines += ["enable-ra", "quiet-ra", f"ra-param={bridge},mtu:{spec.mtu},{RA_SECONDS},0"]
    return "\n".join(lines) + "\n"


def _subnet(spec: NetworkSpec, subnet: SubnetSpec, tag: str) -> list[str]:
    net = ip_network(subnet.cidr)
    routes = [(f"{METADATA}/32", str(subnet.dhcp_address)), *subnet.routes]
    if subnet.gateway:
        routes.append(("0.0.0.0/0", subnet.gateway))
    flat = ",".join(f"{ip_network(destination, strict=False)},{hop}" for destination, hop in routes)
    servers = "".join(f",{each}" for each in _resolvers(subnet))
    return [
        f"dhcp-range=set:{tag},{net.network_address},static,{net.netmask},{LEASE_SECONDS}",
        f"dhcp-option=tag:{tag},{_ROUTER}" + (f",{subnet.gateway}" if subnet.gateway else ""),
        f"dhcp-option=tag:{tag},{_DNS}{servers}",
        f"dhcp-option-force=tag:{tag},{_MTU},{spec.mtu}",
        f"dhcp-option-force=tag:{tag},{_STATIC_ROUTES},{flat}",
        f"dhcp-option=tag:{tag},{_STATIC_ROUTES_MS},{flat}",
    ]


def _subnet6(subnet: SubnetSpec, tag: str) -> list[str]:
    net = ip_network(subnet.cidr)
    servers = "".join(f",[{each}]" for each in _resolvers(subnet))
    lease = f",{LEASE_SECONDS}"
    return [
        f"dhcp-range=set:{tag},{net.network_address},{_mode6(subnet)},{net.prefixlen}{lease}",
        f"dhcp-option=tag:{tag},option6:dns-server{servers}",
    ]


def _resolvers(subnet: SubnetSpec) -> list[str]:
    """Whom guests ask for names: the subnet's servers, and the network's own where it names none.

    The one server 0.0.0.0, or ::, stands for none at all. Source: the networking API's reference.
    """
    if list(subnet.dns_servers) in (["0.0.0.0"], ["::"]):  # noqa: S104 - compared, not bound
        return []
    return list(subnet.dns_servers) or [str(subnet.dhcp_address)]


def advertisements(spec: RouterSpec, names: Names, mtus: dict[str, int], folder: Path) -> str:
    """What dnsmasq reads that announces a router in its networks; empty when it announces none.

    `mtus`: of the networks, by id. It answers no DHCPv6: the router lets no such packet in.
    """
    lines: list[str] = []
    legs = [leg for leg in spec.interfaces if leg.advertised] if spec.enabled else []
    for place, leg in enumerate(legs):
        name = names.leg(leg.port_id)
        lines += [f"interface={name}"]
        lines += [f"ra-param={name},mtu:{mtus[leg.network_id]},high,{RA_SECONDS},{RA_LIFETIME}"]
        for position, each in enumerate(leg.advertised):
            subnet = SubnetSpec(
                id="", cidr=each.prefix, gateway=None, dhcp=True, dhcp_address=None,
                ra_mode=each.mode, dns_servers=each.dns_servers,
            )  # fmt: skip
            tag = f"x{place}-{position}"
            net = ip_network(each.prefix)
            lines.append(
                f"dhcp-range=set:{tag},{net.network_address},{_mode6(subnet)},{net.prefixlen},"
                f"{LEASE_SECONDS}"
            )
            if each.dns_servers:
                servers = "".join(f",[{server}]" for server in _resolvers(subnet))
                lines.append(f"dhcp-option=tag:{tag},option6:dns-server{servers}")
    if not lines:
        return ""
    head = [
        "port=0", "except-interface=lo", "bind-interfaces", "no-resolv", "no-hosts",
        "leasefile-ro", "enable-ra", "quiet-ra", "quiet-dhcp6", "log-facility=/dev/null", "user=",
        "group=", f"pid-file={folder}/run/dnsmasq.pid",
    ]  # fmt: skip
    return "\n".join([*head, *lines]) + "\n"


def reservations(spec: NetworkSpec, ports: Iterable[PortSpec]) -> str:
    """One line for each IPv4 address that DHCP hands to a MAC: the first of each subnet. Each line
    holds the port's IPv6 addresses too, since the first that names the MAC answers for them."""
    lines = []
    leased = [each for each in served6(spec) if _mode6(each) == "static"]
    for port in sorted(ports, key=lambda each: each.number):
        name = f",{_name(port.hostname)}" if port.hostname else ""
        six = "".join(f",[{each}]" for each in _first_of_each(port, leased))
        four = [f",{each}" for each in _first_of_each(port, served(spec))]
        lines += [f"{port.mac}{each}{six}{name}" for each in (four or [""]) if each or six]
    return "".join(f"{line}\n" for line in lines)


def _first_of_each(port: PortSpec, subnets: Iterable[SubnetSpec]) -> list[str]:
    """The port's first address in each subnet that it has one in."""
    found = ([ip for ip in port.addresses if _within(ip, subnet)] for subnet in subnets)
    return [inside[0] for inside in found if inside]


def options(ports: Iterable[PortSpec]) -> str:
    """The options that customers set on single ports."""
    lines = []
    for port in sorted(ports, key=lambda each: each.number):
        sets = (("option", port.dhcp_options), ("option6", port.dhcp_options6))
        for kind, name, value in ((kind, *each) for kind, many in sets for each in many):
            if not _OPTION.fullmatch(name) or not value.isprintable():
                raise EngineError(
                    f"giving DHCP option {name!r}={value!r} to port {port.id}: a name or number in "
                    "lower case and a printable value are accepted",
                    permanent=True,
                )
            plain = name.isdecimal() and kind == "option"
            key = name if plain else f"{kind}:{name}"
            spelled = value if kind == "option" else _bracketed(value)
            lines.append(f"tag:p{port.number},{key},{spelled}")
    return "".join(f"{line}\n" for line in lines)


def _bracketed(value: str) -> str:
    """An option's value with its IPv6 addresses as dnsmasq takes them, in brackets."""
    return ",".join(f"[{each}]" if _is_address6(each) else each for each in value.split(","))


def _is_address6(word: str) -> bool:
    try:
        return ip_address(word).version == 6
    except ValueError:
        return False


def names(spec: NetworkSpec, ports: Iterable[PortSpec]) -> str:
    """The names that the network's resolver answers, in the form of /etc/hosts."""
    domain = domain_of(spec)
    lines = []
    for port in sorted(ports, key=lambda each: each.number):
        if port.hostname:
            name = _name(port.hostname)
            both = f"{name}.{domain} {name}" if domain else name
            lines += [f"{address} {both}" for address in port.addresses]
    return "".join(f"{line}\n" for line in lines)


def domain_of(spec: NetworkSpec) -> str:
    """The network's domain without its final dot; empty: none."""
    domain = spec.dns_domain.rstrip(".")
    return _name(domain) if domain else ""


def _name(text: str) -> str:
    if not _LABELS.fullmatch(text) or len(text) > 253:
        raise EngineError(
            f"announcing the name {text!r}: letters, digits, hyphens and dots are accepted "
            "(RFC 1123)",
            permanent=True,
        )
    return text


def _within(address: str, subnet: SubnetSpec) -> bool:
    return ip_address(address) in ip_network(subnet.cidr)
