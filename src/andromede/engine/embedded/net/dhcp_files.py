"""What dnsmasq reads for one network: its configuration, reservations, options and names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path

from andromede.engine.embedded.net.firewall import METADATA
from andromede.engine.protocol import EngineError, NetworkSpec, PortSpec, SubnetSpec

LEASE_SECONDS = 86_400
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


def configuration(spec: NetworkSpec, bridge: str, folder: Path, ports: Iterable[PortSpec]) -> str:
    """The main file. Reservations, options and names lie beside it and are read again on SIGHUP.

    The tags of ports with options of their own are here, not beside their reservations: dnsmasq
    2.90 frees what is on its stack when it reads a tagged reservation again.
    """
    domain = domain_of(spec)
    lines = [
        f"interface={bridge}", "except-interface=lo", "bind-interfaces",
        "no-resolv", "no-hosts", "no-ping", "leasefile-ro", "quiet-dhcp",
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
        if port.dhcp_options
    ]
    for position, subnet in enumerate(served(spec)):
        lines += _subnet(spec, subnet, f"s{position}")
    return "\n".join(lines) + "\n"


def _subnet(spec: NetworkSpec, subnet: SubnetSpec, tag: str) -> list[str]:
    net = ip_network(subnet.cidr)
    routes = [(f"{METADATA}/32", str(subnet.dhcp_address)), *subnet.routes]
    if subnet.gateway:
        routes.append(("0.0.0.0/0", subnet.gateway))
    flat = ",".join(f"{ip_network(destination, strict=False)},{hop}" for destination, hop in routes)
    servers = ",".join([str(subnet.dhcp_address), *subnet.dns_servers])
    return [
        f"dhcp-range=set:{tag},{net.network_address},static,{net.netmask},{LEASE_SECONDS}",
        f"dhcp-option=tag:{tag},{_ROUTER}" + (f",{subnet.gateway}" if subnet.gateway else ""),
        f"dhcp-option=tag:{tag},{_DNS},{servers}",
        f"dhcp-option-force=tag:{tag},{_MTU},{spec.mtu}",
        f"dhcp-option-force=tag:{tag},{_STATIC_ROUTES},{flat}",
        f"dhcp-option=tag:{tag},{_STATIC_ROUTES_MS},{flat}",
    ]


def reservations(spec: NetworkSpec, ports: Iterable[PortSpec]) -> str:
    """One line for each address that DHCP hands to a MAC: the first of each subnet."""
    lines = []
    for port in sorted(ports, key=lambda each: each.number):
        name = f",{_name(port.hostname)}" if port.hostname else ""
        for subnet in served(spec):
            inside = [each for each in port.addresses if _within(each, subnet)]
            if inside:
                lines.append(f"{port.mac},{inside[0]}{name}")
    return "".join(f"{line}\n" for line in lines)


def options(ports: Iterable[PortSpec]) -> str:
    """The options that customers set on single ports."""
    lines = []
    for port in sorted(ports, key=lambda each: each.number):
        for name, value in port.dhcp_options:
            if not _OPTION.fullmatch(name) or not value.isprintable():
                raise EngineError(
                    f"giving DHCP option {name!r}={value!r} to port {port.id}: a name or number in "
                    "lower case and a printable value are accepted",
                    permanent=True,
                )
            key = name if name.isdecimal() else f"option:{name}"
            lines.append(f"tag:p{port.number},{key},{value}")
    return "".join(f"{line}\n" for line in lines)


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
