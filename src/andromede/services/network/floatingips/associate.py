"""What a floating IP stands for: the port's address it maps to, and the router that maps it."""

from __future__ import annotations

import ipaddress
from typing import Any

from andromede.http.context import Context
from andromede.http.errors import Conflict, NotFound
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import handling
from andromede.services.network.common.errors import bad_request, in_use
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store
from andromede.services.network.ports.schema import SERVICE_OWNERS
from andromede.services.network.ports.store import PORTS
from andromede.services.network.routers import store as routers
from andromede.services.network.subnets import store as subnets

APART: Row = {"port_id": None, "fixed_ip_address": None, "router_id": None, "status": "DOWN"}


def forwards(floating: Row) -> Conflict:
    """The refusal of what cannot be done with a floating IP that forwards single ports."""
    return in_use(
        "FipInUseByPortForwarding",
        f"Floating IP {floating['id']} in use by Port Forwarding resources.",
    )


def columns(context: Context, floating: Row, values: dict[str, Any]) -> Row:
    """The columns that make the floating IP stand for what `values` say, or for nothing.

    Errors: NotFound (PortNotFound, ExternalGatewayForFloatingIPNotFound); BadRequest for an address
    that is not the port's; Conflict (FloatingIPPortAlreadyAssociated, FipInUseByPortForwarding).
    """
    port_id, fixed = values.get("port_id"), values.get("fixed_ip_address")
    if floating.get("router_id") and not floating.get("port_id"):
        if port_id is None:
            return {}
        raise forwards(floating)
    if port_id is None:
        if fixed is not None:
            raise bad_request(
                "floatingip", "fixed_ip_address cannot be specified without a port_id"
            )
        return dict(APART)
    port = handling.find(context, PORTS, port_id)
    handling.require_way(context, port)
    if port["project_id"] != floating["project_id"] and not context.caller.admin:
        raise bad_request(
            "floatingip",
            f"Cannot process floating IP association with Port {port_id}, since that port is "
            f"owned by a different project",
        )
    if port["device_owner"] in SERVICE_OWNERS:
        raise bad_request("floatingip", f"Port {port_id} is unable to be assigned a floating IP")
    held = _fixed(context, port_id, fixed)
    _require_free(context, floating, port_id, held.ip)
    router_id = router_between(context, floating["floating_network_id"], port["id"], held)
    same = (floating.get("port_id"), floating.get("fixed_ip_address"), floating.get("router_id"))
    status = floating["status"] if same == (port_id, held.ip, router_id) else "DOWN"
    return {
        "port_id": port_id,
        "fixed_ip_address": held.ip,
        "router_id": router_id,
        "status": status,
    }


def _fixed(context: Context, port_id: str, wanted: str | None) -> Held:
    every = addresses.of_ports(context.conn, [port_id])[port_id]
    held = [each for each in every if ":" not in each.ip]
    if wanted is not None:
        if ipaddress.ip_address(wanted).version != 4:
            raise bad_request(
                "floatingip",
                f"Cannot process floating IP association with {wanted}, since that is not an IPv4 "
                f"address",
            )
        held = [each for each in held if each.ip == wanted]
        if not held:
            raise bad_request("floatingip", f"Port {port_id} does not have fixed ip {wanted}")
    if not held:
        raise bad_request(
            "floatingip",
            f"Cannot add floating IP to port {port_id} that has no fixed IPv4 addresses",
        )
    if len(held) > 1:
        raise bad_request(
            "floatingip",
            f"Port {port_id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 "
            f"address when assigning a floating IP",
        )
    return held[0]


def _require_free(context: Context, floating: Row, port_id: str, fixed: str) -> None:
    network_id = floating["floating_network_id"]
    for other in store.of_ports(context.conn, [port_id]):
        taken = (other["fixed_ip_address"], other["floating_network_id"]) == (fixed, network_id)
        if taken and other["id"] != floating["id"]:
            raise in_use(
                "FloatingIPPortAlreadyAssociated",
                f"Cannot associate floating IP {floating['floating_ip_address']} "
                f"({floating['id']}) with port {port_id} using fixed IP {fixed}, as that fixed IP "
                f"already has a floating IP on external network {network_id}.",
            )


def router_between(context: Context, outside: str, port_id: str, held: Held) -> str:
    """The router between the port's subnet and the external network; the subnet's gateway first."""
    legs = routers.legs_to(context.conn, held.subnet_id, outside)
    block = subnets.by_id(context.conn, held.subnet_id)
    assert block is not None
    for router_id, ip in legs:
        if ip == block["gateway_ip"]:
            return router_id
    if legs:
        return legs[0][0]
    raise NotFound(
        f"External network {outside} is not reachable from subnet {held.subnet_id}.  Therefore, "
        f"cannot associate Port {port_id} with a Floating IP.",
        type="ExternalGatewayForFloatingIPNotFound",
    )
