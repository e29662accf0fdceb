"""Subnets over HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from andromede import ids
from andromede.http.context import Context
from andromede.http.errors import Conflict
from andromede.http.operation import Operation, Reply
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common import handling, store
from andromede.services.network.common.attributes import UNSET
from andromede.services.network.common.errors import forbidden, in_use, invalid
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.networks import store as networks
from andromede.services.network.networks.schema import LEAST_MTU_V6
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.pools import cut
from andromede.services.network.ports import automatic, dhcp
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.allocate import is_automatic
from andromede.services.network.ports.schema import DHCP, SERVICE_OWNERS
from andromede.services.network.quota import store as quota
from andromede.services.network.routers import touch
from andromede.services.network.subnets import plan
from andromede.services.network.subnets import store as subnets
from andromede.services.network.subnets.schema import SUBNET
from andromede.services.network.subnets.store import SUBNETS


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    tags = store.tags_of(context.conn, (row["id"] for row in found))
    return [subnets.view(row, tags[row["id"]]) for row in found]


def index(context: Context) -> object:
    return handling.index(context, SUBNETS, views)


def show(context: Context) -> object:
    return handling.show(context, SUBNETS, views)


def create(context: Context) -> object:
    return handling.create(context, SUBNET, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new subnet, with its address on the network's DHCP port when DHCP is on."""
    network = handling.find(context, NETWORKS, values["network_id"])
    if not context.caller.admin and network["project_id"] != context.project_id:
        raise forbidden(
            f"rule:create_subnet is disallowed by policy: network {network['id']} belongs to "
            f"another project"
        )
    context.admit(values["project_id"])
    quota.require(context.conn, values["project_id"], "subnet")
    row = insert(context, network, values)
    return subnets.view(row, [])


def insert(context: Context, network: Row, values: dict[str, Any]) -> Row:
    """Check the values, write the subnet, and have the network follow."""
    if values["ip_version"] not in (4, 6):
        raise invalid(f"ip_version '{values['ip_version']}' is not in [4, 6]")
    if values["ip_version"] == 6 and network["mtu"] < LEAST_MTU_V6:
        raise in_use(
            "NetworkMTUSubnetConflict",
            f"Invalid MTU {network['mtu']} for IPv6 on network {network['id']}: at least "
            f"{LEAST_MTU_V6} is needed.",
        )
    others = subnets.of_network(context.conn, network["id"])
    cut.cut(context, values, others)
    block = plan.check_block(values["cidr"], values["ip_version"], values["enable_dhcp"])
    plan.check_overlap(block, (each["cidr"] for each in others), network["id"])
    plan.check_modes(values)
    plan.check_extras(block.version, values["dns_nameservers"], values["host_routes"])
    gateway = values["gateway_ip"]
    if gateway is UNSET:
        gateway = plan.default_gateway(block) if block.num_addresses > 2 else None
    elif gateway is not None:
        plan.check_gateway(block, gateway)
    pools = values["allocation_pools"]
    pools = (
        plan.default_pools(block, gateway)
        if pools is UNSET
        else plan.check_pools(block, pools, gateway)
    )
    columns = {
        **SUBNET.stored({**values, "gateway_ip": gateway}),
        "pools": pools,
        "dns_nameservers": values["dns_nameservers"],
        "host_routes": values["host_routes"],
        "service_types": values["service_types"],
    }
    row = subnets.insert(context.conn, {**columns, "id": ids.new()})
    addresses.open_pools(context.conn, row["id"], pools)
    dhcp.follow(context, network)
    automatic.join(context, network, row)
    return row


def update(context: Context) -> object:
    row = handling.find_own(context, SUBNETS, "update")
    values = handling.read_change(context, SUBNET)
    _check_change(context, row, values)
    columns = SUBNET.stored(values)
    for name in ("dns_nameservers", "host_routes", "service_types"):
        if name in values:
            columns[name] = values[name]
    if "allocation_pools" in values:
        columns["pools"] = values["allocation_pools"]
    subnets.update(context.conn, row["id"], columns)
    if "pools" in columns:
        addresses.open_pools(context.conn, row["id"], columns["pools"])
    network = networks.by_id(context.conn, row["network_id"])
    assert network is not None
    dhcp.follow(context, network)
    if "gateway_ip" in values:
        touch.gateways_of(context, row["network_id"])
    return handling.one(context, SUBNETS, views, row["id"])


def _check_change(context: Context, row: Row, values: dict[str, Any]) -> None:
    block = ipaddress.ip_network(row["cidr"])
    gateway = values.get("gateway_ip", row["gateway_ip"])
    if "gateway_ip" in values and gateway != row["gateway_ip"]:
        _require_gateway_free(context, row)
        if gateway is not None:
            plan.check_gateway(block, gateway)
    if values.get("enable_dhcp") and not row["enable_dhcp"]:
        plan.check_dhcp(block)
    if values.get("enable_dhcp") is False and (row["ipv6_ra_mode"] or row["ipv6_address_mode"]):
        raise invalid("Cannot disable enable_dhcp with ipv6 attributes set")
    if "allocation_pools" in values:
        values["allocation_pools"] = plan.check_pools(block, values["allocation_pools"], gateway)
    elif "gateway_ip" in values:
        plan.check_gateway_outside(row["pools"], gateway)
    plan.check_extras(
        block.version,
        values["dns_nameservers"] if "dns_nameservers" in values else row["dns_nameservers"],
        values["host_routes"] if "host_routes" in values else row["host_routes"],
    )


def _require_gateway_free(context: Context, row: Row) -> None:
    if row["gateway_ip"] is None:
        return
    holder = addresses.port_at(context.conn, row["network_id"], row["gateway_ip"])
    port = ports.by_id(context.conn, holder) if holder else None
    if port is not None and port["device_owner"].startswith("network:router"):
        raise Conflict(
            f"Current gateway ip {row['gateway_ip']} already in use by port {port['id']}. "
            f"Unable to update.",
            type="GatewayIpInUse",
        )


def delete(context: Context) -> Reply:
    row = handling.find_own(context, SUBNETS, "delete")
    if _needed(context, row):
        raise in_use(
            "SubnetInUse",
            f"Unable to complete operation on subnet {row['id']}: One or more ports have an IP "
            f"allocation from this subnet.",
        )
    network = networks.by_id(context.conn, row["network_id"])
    assert network is not None
    if is_automatic(row):
        automatic.leave(context, network, row)
    dhcp.forget(context, network, row)
    subnets.remove(context.conn, row["id"])
    dhcp.follow(context, network)
    return handling.gone()


def _needed(context: Context, row: Row) -> bool:
    """Whether ports hold addresses of the subnet that they would not let go."""
    read = addresses.all_holders if is_automatic(row) else addresses.holders
    owners = ports.by_ids(context.conn, (port_id for port_id, _ in read(context.conn, row["id"])))
    held = {each["device_owner"] for each in owners.values()} - {DHCP}
    return bool(held.intersection(SERVICE_OWNERS) if is_automatic(row) else held)


OPERATIONS: list[Operation] = rows(
    "subnet", "subnets", index=index, show=show, create=create, update=update, delete=delete
)
