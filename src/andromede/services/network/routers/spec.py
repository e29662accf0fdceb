"""A router's rows to the engine's document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from andromede.db import Connection
from andromede.engine.networks import (
    Advertised,
    FloatingSpec,
    ForwardSpec,
    LimitSpec,
    RouterInterface,
    RouterSpec,
)
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.forwardings import store as forwardings
from andromede.services.network.pools import store as pools
from andromede.services.network.ports import store as ports
from andromede.services.network.qos import store as qos
from andromede.services.network.routers import store as routers
from andromede.services.network.specs import with_prefix
from andromede.services.network.subnets import store as subnets

Scopes = Mapping[str, Mapping[int, str | None]]  # of networks, by IP version


def router_spec(connection: Connection, router_id: str) -> RouterSpec | None:
    """The document of a router; None when there is no such row."""
    row = routers.by_id(connection, router_id)
    if row is None:
        return None
    legs = routers.interfaces(connection, router_id)
    outside = ports.by_id(connection, row["gateway_port_id"]) if row["gateway_port_id"] else None
    every = [*legs, *([outside] if outside else [])]
    held = addresses.of_ports(connection, (each["id"] for each in every))
    blocks = subnets.by_ids(connection, (each.subnet_id for many in held.values() for each in many))
    scopes = pools.scopes_of(connection, {each["network_id"] for each in every})
    floats = floatings.of_router(connection, router_id)
    limits = qos.specs(
        connection, (each["qos_policy_id"] for each in floats if each["qos_policy_id"])
    )
    return RouterSpec(
        id=row["id"],
        number=row["number"],
        enabled=row["admin_state_up"],
        interfaces=tuple(_leg(each, held[each["id"]], blocks, scopes) for each in legs),
        gateway=_leg(outside, held[outside["id"]], blocks, scopes) if outside else None,
        gateway_next_hop=_next_hop(held[outside["id"]], blocks, 4) if outside else None,
        gateway_next_hop6=_next_hop(held[outside["id"]], blocks, 6) if outside else None,
        snat=row["enable_snat"],
        floating=tuple(
            FloatingSpec(
                id=each["id"],
                floating=each["floating_ip_address"],
                fixed=each["fixed_ip_address"],
            )
            for each in floats
            if each["fixed_ip_address"]
        ),
        limits=tuple(
            LimitSpec(
                floating=each["floating_ip_address"],
                fixed=each["fixed_ip_address"],
                qos=limits[each["qos_policy_id"]],
            )
            for each in floats
            if each["qos_policy_id"] in limits
        ),
        forwards=tuple(
            each for row in forwardings.of_router(connection, router_id) for each in _forwards(row)
        ),
        routes=tuple((each["destination"], each["nexthop"]) for each in row["routes"]),
    )


def _leg(
    port: Row, held: Sequence[Held], blocks: Mapping[str, Row], scopes: Scopes
) -> RouterInterface:
    own = scopes[port["network_id"]]
    return RouterInterface(
        port_id=port["id"],
        network_id=port["network_id"],
        mac=port["mac_address"],
        addresses=tuple(with_prefix(each.ip, blocks[each.subnet_id]["cidr"]) for each in held),
        advertised=tuple(
            Advertised(
                prefix=block["cidr"],
                mode=block["ipv6_ra_mode"],
                dns_servers=tuple(block["dns_nameservers"]),
            )
            for block in (blocks[each.subnet_id] for each in held)
            if block["ipv6_ra_mode"]
        ),
        scope4=own.get(4),
        scope6=own.get(6),
    )


def _forwards(row: Row) -> list[ForwardSpec]:
    """A forwarding port by port: as many inside as outside, or one for all."""
    several = row["internal_last"] != row["internal_first"]
    return [
        ForwardSpec(
            id=row["floatingip_id"],
            floating=row["floating_ip_address"],
            protocol=row["protocol"],
            port=row["external_first"] + at,
            fixed=row["internal_ip_address"],
            fixed_port=row["internal_first"] + (at if several else 0),
        )
        for at in range(row["external_last"] - row["external_first"] + 1)
    ]


def _next_hop(held: Sequence[Held], blocks: Mapping[str, Row], version: int) -> str | None:
    """The gateway of the first external subnet of a family that has one."""
    found = (blocks[each.subnet_id] for each in held)
    hops = (each["gateway_ip"] for each in found if each["ip_version"] == version)
    return next((str(hop) for hop in hops if hop), None)
