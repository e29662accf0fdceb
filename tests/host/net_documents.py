"""The documents that the host tests of networking give to the engine."""

from __future__ import annotations

import ipaddress

from andromede.engine.networks import (
    FirewallSpec,
    FloatingSpec,
    GroupSpec,
    NetworkSpec,
    PortSpec,
    RouterInterface,
    RouterSpec,
    RuleSpec,
    SubnetSpec,
)

EXTERNAL = NetworkSpec(
    id="external",
    number=1,
    project_id="admin",
    mtu=1500,
    external=True,
    subnets=(
        SubnetSpec(
            id="external-4",
            cidr="172.24.4.0/24",
            gateway="172.24.4.1",
            dhcp=False,
            dhcp_address=None,
        ),
    ),
    dns_domain="",
    dhcp_mac="fa:16:3e:ff:00:01",
)
EGRESS = (
    RuleSpec(direction="egress", ether="IPv4"),
    RuleSpec(direction="egress", ether="IPv6"),
)
SSH = RuleSpec(direction="ingress", ether="IPv4", protocol="tcp", port_min=22, port_max=22)
PING = RuleSpec(direction="ingress", ether="IPv4", protocol="icmp")


def network(name: str, number: int, cidr: str = "10.0.0.0/24") -> NetworkSpec:
    first = ipaddress.ip_network(cidr)
    subnet = SubnetSpec(
        id=f"{name}-4",
        cidr=cidr,
        gateway=str(first[1]),
        dhcp=True,
        dhcp_address=str(first[2]),
        dns_servers=("192.0.2.53",),
        routes=(("198.18.0.0/15", str(first[3])),),
    )
    return NetworkSpec(
        id=name,
        number=number,
        project_id=f"project-{name}",
        mtu=1442,
        external=False,
        subnets=(subnet,),
        dns_domain="cloud.test.",
        dhcp_mac=f"fa:16:3e:ff:00:{number:02x}",
    )


def port(net: NetworkSpec, number: int, **settings: object) -> PortSpec:
    fields: dict[str, object] = {
        "id": f"port-{number}",
        "number": number,
        "network_id": net.id,
        "mac": f"fa:16:3e:00:00:{number:02x}",
        "addresses": (f"10.0.0.{number}",),
        "hostname": f"host-{number}",
        "groups": ("default",),
        "owner_uid": 1_000_000 + number,
        **settings,
    }
    return PortSpec(**fields)  # type: ignore[arg-type]


def group(*rules: RuleSpec, members: tuple[PortSpec, ...] = (), **settings: object) -> GroupSpec:
    fields: dict[str, object] = {
        "id": "default",
        "stateful": True,
        "rules": rules,
        "members": tuple(each for member in members for each in member.addresses),
        **settings,
    }
    return GroupSpec(**fields)  # type: ignore[arg-type]


def firewall(net: NetworkSpec, ports: tuple[PortSpec, ...], *groups: GroupSpec) -> FirewallSpec:
    return FirewallSpec(network_id=net.id, ports=ports, groups=groups)


def router(
    number: int,
    nets: tuple[NetworkSpec, ...],
    floating: tuple[tuple[str, str], ...] = (),
    **settings: object,
) -> RouterSpec:
    legs = tuple(
        RouterInterface(
            port_id=f"leg-{number}-{net.id}",
            network_id=net.id,
            mac=f"fa:16:3e:ee:{number:02x}:{place:02x}",
            addresses=(f"{net.subnets[0].gateway}/24",),
        )
        for place, net in enumerate(nets)
    )
    fields: dict[str, object] = {
        "id": f"router-{number}",
        "number": number,
        "enabled": True,
        "interfaces": legs,
        "gateway": RouterInterface(
            port_id=f"gateway-{number}",
            network_id=EXTERNAL.id,
            mac=f"fa:16:3e:ee:{number:02x}:ff",
            addresses=(f"172.24.4.{number}/24",),
        ),
        "gateway_next_hop": "172.24.4.1",
        "snat": True,
        "floating": tuple(
            FloatingSpec(id=f"floating-{outer}", floating=outer, fixed=inner)
            for outer, inner in floating
        ),
        **settings,
    }
    return RouterSpec(**fields)  # type: ignore[arg-type]
