"""Addresses that ports give themselves: they come and go with subnets of automatic addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from andromede.http.context import Context
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.ports import plug, store
from andromede.services.network.ports.allocate import is_automatic, takes_exact
from andromede.services.network.ports.schema import DHCP, SERVICE_OWNERS
from andromede.services.network.routers import touch

LAST = 1 << 20  # a place among a port's addresses behind all it has


def join(context: Context, network: Row, subnet: Row) -> None:
    """Every port of the network that is a machine's gets its address of a new subnet."""
    if not is_automatic(subnet):
        return
    rows = [row for row in store.on_network(context.conn, network["id"]) if not _service(row)]
    for row in rows:
        takes_exact(context.conn, subnet, row["mac_address"], row["id"], LAST)
    _follow(context, network, rows)


def leave(context: Context, network: Row, subnet: Row) -> None:
    """Take a subnet's addresses, which are automatic, from the ports that have them."""
    held = addresses.all_holders(context.conn, subnet["id"])
    rows = store.by_ids(context.conn, (port_id for port_id, _ in held))
    for port_id, ip in held:
        if rows[port_id]["device_owner"] != DHCP:
            plug.release(context.conn, [addresses.Held(subnet["id"], ip)])
            touch.part_port(context.conn, port_id, context.request_id, [ip])
    _follow(context, network, [row for row in rows.values() if not _service(row)])


def move(context: Context, row: Row, subnets: Mapping[str, Row], mac: str) -> None:
    """A port's MAC changed: its automatic addresses do too."""
    held = addresses.of_ports(context.conn, [row["id"]])[row["id"]]
    for at, each in enumerate(held):
        if is_automatic(subnets[each.subnet_id]):
            plug.release(context.conn, [each])
            touch.part_port(context.conn, row["id"], context.request_id, [each.ip])
            takes_exact(context.conn, subnets[each.subnet_id], mac, row["id"], at)


def _service(row: Mapping[str, Any]) -> bool:
    return row["device_owner"] in SERVICE_OWNERS


def _follow(context: Context, network: Row, rows: Iterable[Row]) -> None:
    bound = [row for row in rows if store.bound(row)]
    members = groups.of_ports(context.conn, (row["id"] for row in bound))
    for row in bound:
        intents.converge(
            context.conn, intents.PORT, row["id"], row["project_id"], context.request_id
        )
    if bound:
        intents.converge(
            context.conn,
            intents.FIREWALL,
            network["id"],
            network["project_id"],
            context.request_id,
        )
    named = {group_id for many in members.values() for group_id in many}
    plug.touch_groups(context.conn, named, network["project_id"], context.request_id)
