"""A network's own port: the address its DHCP and DNS server holds on each subnet."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common.store import Row
from andromede.services.network.ports import plug, store
from andromede.services.network.ports.allocate import Seat, allocate
from andromede.services.network.ports.schema import DHCP
from andromede.services.network.subnets import store as subnets


def follow(context: Context, network: Row) -> None:
    """Make the DHCP port hold an address on each subnet with DHCP, and on no other.

    Errors: Conflict when a subnet has no address left for it.
    """
    connection = context.conn
    blocks = subnets.of_network(connection, network["id"])
    hosted = network["dhcp_hosted"]
    wanted = [each["id"] for each in blocks if each["enable_dhcp"] and hosted]
    found = store.owned(connection, network["id"], DHCP)
    if not found and wanted:
        _plug(context, network, wanted)
    elif found and not wanted:
        plug.unplug(connection, found[0], context.request_id)
    elif found:
        port = found[0]
        held = addresses.of_ports(connection, [port["id"]])[port["id"]]
        plug.release(connection, [each for each in held if each.subnet_id not in wanted])
        served = {each.subnet_id for each in held}
        fresh = [{"subnet_id": key} for key in wanted if key not in served]
        seat = Seat(network_id=network["id"], port_id=port["id"], mac=port["mac_address"])
        allocate(connection, seat, blocks, fresh, first=len(held))
    intents.converge(
        connection, intents.NETWORK, network["id"], network["project_id"], context.request_id
    )


def _plug(context: Context, network: Row, wanted: list[str]) -> None:
    mac = network["dhcp_mac"]
    plug.plug(
        context.conn,
        network["id"],
        project_id=network["project_id"],
        wanted=[{"subnet_id": key} for key in wanted],
        mac=None if store.mac_held(context.conn, network["id"], mac) else mac,
        device_id=f"dhcp-{network['id']}",
        device_owner=DHCP,
        port_security_enabled=False,
        host_id=context.cloud.config.place.host,
    )


def forget(context: Context, network: Row, subnet: Row) -> None:
    """Give back the DHCP port's address on a subnet that goes."""
    for port in store.owned(context.conn, network["id"], DHCP):
        held = addresses.of_ports(context.conn, [port["id"]])[port["id"]]
        gone = [each for each in held if each.subnet_id == subnet["id"]]
        plug.release(context.conn, gone)
        if len(gone) == len(held):
            plug.unplug(context.conn, port, context.request_id)
