"""A router's gateway: its port on an external network, set, changed and cleared."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common import handling
from andromede.services.network.common.errors import bad_request, forbidden, in_use
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.ports import plug
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.schema import ROUTER_GATEWAY
from andromede.services.network.routers import legs
from andromede.services.network.subnets import store as subnets


def change(context: Context, router: Row, info: dict[str, Any] | None, act: str) -> Row:
    """Make the gateway what `info` says; the columns of the router that change.

    Errors: Forbidden for what only operators set; BadRequest for a network that is not external;
    Conflict when floating IPs need the gateway that is there.
    """
    if info is None:
        return clear(context, router)
    _may_set(context, info, act)
    network = handling.find(context, NETWORKS, info["network_id"])
    if not network["external"]:
        raise bad_request("router", f"Network {network['id']} is not an external network")
    snat = info.get("enable_snat", router["enable_snat"] if router["gateway_port_id"] else True)
    if router["gateway_network_id"] == network["id"] and "external_fixed_ips" not in info:
        return {"enable_snat": snat}
    _require_apart(context, router, network["id"])
    wanted = info.get("external_fixed_ips") or None
    if router["gateway_network_id"] == network["id"] and wanted == _held(context, router):
        return {"enable_snat": snat}
    clear(context, router, network["id"])
    port, held = plug.plug(
        context.conn,
        network["id"],
        project_id="",
        wanted=wanted,
        device_id=router["id"],
        device_owner=ROUTER_GATEWAY,
        port_security_enabled=False,
        host_id=context.cloud.config.place.host,
    )
    if not held:
        raise bad_request(
            "router",
            f"No fixed IPs available for external network {network['id']}: it has no subnet",
        )
    return {
        "gateway_network_id": network["id"],
        "gateway_port_id": port["id"],
        "enable_snat": snat,
    }


def _held(context: Context, router: Row) -> list[dict[str, str]]:
    port_id = router["gateway_port_id"]
    return [each.view() for each in addresses.of_ports(context.conn, [port_id])[port_id]]


def _may_set(context: Context, info: dict[str, Any], act: str) -> None:
    if context.caller.admin:
        return
    refused = [name for name in ("external_fixed_ips",) if info.get(name)]
    if info.get("enable_snat") is False:
        refused.append("enable_snat")
    if refused:
        raise forbidden(
            f"rule:{act}_router:external_gateway_info:{refused[0]} is disallowed by policy: only "
            f"an operator sets it"
        )


def _require_apart(context: Context, router: Row, network_id: str) -> None:
    inside = {**router, "gateway_network_id": None}
    for block in subnets.of_network(context.conn, network_id):
        for other in legs.held_subnets(context, inside):
            legs.require_apart(block, other)


def clear(context: Context, router: Row, keep: str | None = None) -> Row:
    """Take the gateway away; the columns that change. `keep` names a network that the router's
    floating IPs stay on.

    Errors: Conflict when floating IPs go through it.
    """
    if router["gateway_port_id"] is None:
        return {}
    outside = router["gateway_network_id"]
    if outside != keep and floatings.of_router(context.conn, router["id"]):
        raise in_use(
            "RouterExternalGatewayInUseByFloatingIp",
            f"Gateway cannot be updated for router {router['id']}, since a gateway to external "
            f"network {outside} is required by one or more floating IPs.",
        )
    port = ports.by_id(context.conn, router["gateway_port_id"])
    assert port is not None
    plug.unplug(context.conn, port, context.request_id)
    return {"gateway_network_id": None, "gateway_port_id": None, "enable_snat": True}
