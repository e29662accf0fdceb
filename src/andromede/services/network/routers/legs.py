"""A router's legs in networks: added by subnet or by port, removed, and what forbids it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, NotFound
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import checks, handling
from andromede.services.network.common.errors import bad_request, in_use
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.forwardings import store as forwardings
from andromede.services.network.networks import store as networks
from andromede.services.network.ports import plug
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.schema import ROUTER_INTERFACE
from andromede.services.network.ports.store import PORTS
from andromede.services.network.quota import store as quota
from andromede.services.network.routers import store as routers
from andromede.services.network.routers import touch
from andromede.services.network.subnets import store as subnets
from andromede.services.network.subnets.store import SUBNETS

AUTOMATIC_OUTSIDE = ("slaac", "dhcpv6-stateless")


def wanted(context: Context, *, removal: bool = False) -> dict[str, str]:
    """`{"subnet_id": …}` or `{"port_id": …}` of the body.

    Errors: BadRequest when it is neither.
    """
    body: Any = context.body
    named = {
        key: body[key] for key in ("port_id", "subnet_id") if isinstance(body, dict) and key in body
    }
    if not named:
        raise bad_request("router", "Either subnet_id or port_id must be specified")
    if len(named) == 2 and not removal:
        raise bad_request("router", "Cannot specify both subnet-id and port-id")
    for value in named.values():
        try:
            checks.identifier(value)
        except ValueError as error:
            raise bad_request("router", str(error)) from None
    return named


def add(context: Context, router: Row, named: dict[str, str]) -> tuple[Row, list[Row]]:
    """A new leg; its port and the subnets it is in.

    Errors: NotFound; BadRequest for a subnet that the router meets already; Conflict for a port or
    address that is held.
    """
    context.admit(router["project_id"])
    handling.require_way(context, router)
    if "subnet_id" in named:
        return _by_subnet(context, router, named["subnet_id"])
    return _by_port(context, router, named["port_id"])


def _require_way(context: Context, network_id: str) -> None:
    network = networks.by_id(context.conn, network_id)
    assert network is not None, "what is on it is there"
    handling.require_way(context, network)


def _by_subnet(context: Context, router: Row, subnet_id: str) -> tuple[Row, list[Row]]:
    subnet = handling.find(context, SUBNETS, subnet_id)
    _require_way(context, subnet["network_id"])
    if not subnet["gateway_ip"]:
        raise bad_request("router", "Subnet for router interface must have a gateway IP")
    if subnet["project_id"] != context.project_id and not context.caller.admin:
        raise bad_request(
            "router",
            f"Cannot add interface to router because subnet {subnet_id} is not owned by project "
            f"making the request",
        )
    _require_new(context, router, [subnet])
    quota.require(context.conn, router["project_id"], "port")
    port, _ = plug.plug(
        context.conn,
        subnet["network_id"],
        project_id=router["project_id"],
        wanted=[{"subnet_id": subnet_id, "ip_address": subnet["gateway_ip"]}],
        device_id=router["id"],
        device_owner=ROUTER_INTERFACE,
        port_security_enabled=False,
        host_id=context.cloud.config.place.host,
    )
    return port, [subnet]


def _by_port(context: Context, router: Row, port_id: str) -> tuple[Row, list[Row]]:
    port = handling.find(context, PORTS, port_id)
    _require_way(context, port["network_id"])
    if port["project_id"] != context.project_id and not context.caller.admin:
        raise bad_request("router", f"port {port_id} belongs to another project")
    if port["device_id"] or port["device_owner"]:
        raise in_use(
            "PortInUse",
            f"Unable to complete operation on port {port_id} for network {port['network_id']}. "
            f"Port already has an attached device {port['device_id'] or port['device_owner']}.",
        )
    held = addresses.of_ports(context.conn, [port_id])[port_id]
    if not held:
        raise bad_request("router", "Router port must have at least one fixed IP")
    blocks = list(subnets.by_ids(context.conn, (each.subnet_id for each in held)).values())
    if sum(each["ip_version"] == 4 for each in blocks) > 1:
        raise bad_request("router", "Cannot have multiple IPv4 subnets on router port")
    _require_new(context, router, blocks)
    columns = {
        "device_id": router["id"],
        "device_owner": ROUTER_INTERFACE,
        "host_id": context.cloud.config.place.host,
    }
    ports.update(context.conn, port_id, columns)
    return {**port, **columns}, blocks


def _require_new(context: Context, router: Row, blocks: Sequence[Row]) -> None:
    """Errors: BadRequest when a subnet is the router's already, meets one, or is external."""
    held = held_subnets(context, router)
    for block in blocks:
        if block["ipv6_address_mode"] in AUTOMATIC_OUTSIDE and not block["ipv6_ra_mode"]:
            raise bad_request(
                "router",
                f"IPv6 subnet {block['id']} configured to receive RAs from an external router "
                f"cannot be added to Neutron Router",
            )
        for other in held:
            if other["id"] == block["id"]:
                raise bad_request("router", f"Router already has a port on subnet {block['id']}")
            require_apart(block, other)


def require_apart(block: Row, other: Row) -> None:
    """Errors: BadRequest when two subnets of one router overlap."""
    left, right = ipaddress.ip_network(block["cidr"]), ipaddress.ip_network(other["cidr"])
    if left.overlaps(right):
        raise bad_request(
            "router",
            f"Cidr {left} of subnet {block['id']} overlaps with cidr {right} of subnet "
            f"{other['id']}",
        )


def held_subnets(context: Context, router: Row, without: str = "") -> list[Row]:
    """The subnets a router reaches: of its legs but the one on the port `without`, and all of its
    gateway's network."""
    legs = [leg for leg in routers.interfaces(context.conn, router["id"]) if leg["id"] != without]
    held = addresses.of_ports(context.conn, (leg["id"] for leg in legs))
    inside = subnets.by_ids(
        context.conn, (each.subnet_id for many in held.values() for each in many)
    )
    outside = router["gateway_network_id"]
    return [
        *inside.values(),
        *(subnets.of_network(context.conn, outside) if outside else []),
    ]


def readdressed(context: Context, port: Row, before: Sequence[Held], after: Sequence[Held]) -> None:
    """The addresses of a leg's port changed: the router follows.

    Errors: BadRequest when none is left or its subnets meet those of the router's other legs;
    Conflict when floating IPs or routes need what went.
    """
    router = routers.by_id(context.conn, port["device_id"])
    assert router is not None
    if not after:
        raise bad_request("router", "Router port must have at least one fixed IP")
    found = subnets.by_ids(context.conn, (each.subnet_id for each in [*before, *after]))
    kept = {each.subnet_id for each in after}
    others = [each for each in held_subnets(context, router, port["id"]) if each["id"] not in kept]
    for key, block in found.items():
        if key not in kept:
            _require_unneeded(context, router, block)
            continue
        for other in others:
            require_apart(block, other)
    touch.follow(context.conn, router["id"], router["project_id"], context.request_id)


def remove(context: Context, router: Row, named: dict[str, str]) -> tuple[Row, list[Row]]:
    """End a leg; its port, which is gone, and the subnets it was in.

    Errors: NotFound when the router has no such leg; Conflict when floating IPs or routes need it.
    """
    legs = routers.interfaces(context.conn, router["id"])
    held = addresses.of_ports(context.conn, (leg["id"] for leg in legs))
    subnet_id = named.get("subnet_id")
    if "port_id" in named:
        leg = next((each for each in legs if each["id"] == named["port_id"]), None)
        if leg is None:
            raise NotFound(
                f"Router {router['id']} does not have an interface with id {named['port_id']}",
                type="RouterInterfaceNotFound",
            )
        if subnet_id and all(each.subnet_id != subnet_id for each in held[leg["id"]]):
            raise BadRequest(
                f"Subnet on port {leg['id']} does not match the requested subnet {subnet_id}.",
                type="SubnetMismatchForPort",
            )
    else:
        leg = next(
            (each for each in legs if any(a.subnet_id == subnet_id for a in held[each["id"]])),
            None,
        )
        if leg is None:
            raise _no_leg(context, router, str(subnet_id))
    blocks = subnets.by_ids(context.conn, (each.subnet_id for each in held[leg["id"]]))
    for block in blocks.values():
        _require_unneeded(context, router, block)
    plug.unplug(context.conn, leg, context.request_id)
    return leg, list(blocks.values())


def _no_leg(context: Context, router: Row, subnet_id: str) -> ApiError:
    handling.find(context, SUBNETS, subnet_id)  # SubnetNotFound before what follows
    return NotFound(
        f"Router {router['id']} has no interface on subnet {subnet_id}",
        type="RouterInterfaceNotFoundForSubnet",
    )


def _require_unneeded(context: Context, router: Row, block: Row) -> None:
    network = ipaddress.ip_network(block["cidr"])
    translated = [
        row["fixed_ip_address"] for row in floatings.of_router(context.conn, router["id"])
    ]
    translated += [
        row["internal_ip_address"] for row in forwardings.of_router(context.conn, router["id"])
    ]
    for ip in filter(None, translated):
        if ipaddress.ip_address(ip) in network:
            raise in_use(
                "RouterInterfaceInUseByFloatingIP",
                f"Router interface for subnet {block['id']} on router {router['id']} cannot be "
                f"deleted, as it is required by one or more floating IPs.",
            )
    for route in router["routes"]:
        if ipaddress.ip_address(route["nexthop"]) in network:
            raise in_use(
                "RouterInterfaceInUseByRoute",
                f"Router interface for subnet {block['id']} on router {router['id']} cannot be "
                f"deleted, as it is required by one or more routes.",
            )


def check_routes(context: Context, router: Row, routes: Iterable[dict[str, str]]) -> None:
    """Errors: BadRequest when a next hop is not beside the router, or is the router itself."""
    wanted_routes = list(routes)
    if not wanted_routes:
        return
    blocks = [ipaddress.ip_network(each["cidr"]) for each in held_subnets(context, router)]
    legs = routers.interfaces(context.conn, router["id"])
    own_ports = [leg["id"] for leg in legs] + [router["gateway_port_id"] or ""]
    held = addresses.of_ports(context.conn, own_ports)
    own = {each.ip for many in held.values() for each in many}
    for route in wanted_routes:
        hop = ipaddress.ip_address(route["nexthop"])
        if not any(hop in block for block in blocks):
            raise _bad_route(route, "the nexthop is not connected with router")
        if str(hop) in own:
            raise _bad_route(route, "the nexthop is used by router")


def _bad_route(route: dict[str, str], reason: str) -> BadRequest:
    return BadRequest(
        f"Invalid format for routes: {route['destination']} via {route['nexthop']}, {reason}",
        type="InvalidRoutes",
    )
