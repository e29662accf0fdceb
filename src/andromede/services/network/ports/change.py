"""A port's change: checked whole, written, and followed on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from andromede.http.context import Context
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.attributes import UNSET
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.ports import automatic, plug, security, store
from andromede.services.network.ports.allocate import Seat, allocate, with_automatic
from andromede.services.network.ports.schema import PORT, ROUTER_INTERFACE
from andromede.services.network.qos import users
from andromede.services.network.routers import legs, touch
from andromede.services.network.subnets import store as subnets

JSON_COLUMNS = {
    "allowed_address_pairs": "pairs",
    "extra_dhcp_opts": "dhcp_options",
    "binding:profile": "profile",
}
IN_DOCUMENT = frozenset({
    "admin_state_up", "mac_address", "fixed_ips", "security_groups", "port_security_enabled",
    "allowed_address_pairs", "extra_dhcp_opts", "dns_name", "qos_policy_id",
})  # fmt: skip
SERVICE = "network:"


def apply(context: Context, row: Row, network: Row, values: dict[str, Any]) -> None:
    """Change a port.

    Errors: as for creation; Conflict when a server or a service holds what would change.
    """
    security.may_set(context, network, values, "update")
    users.check(context, values)
    _check_held(row, values)
    port_id = row["id"]
    group_ids = groups.of_ports(context.conn, [port_id])[port_id]
    before = list(group_ids)
    if "security_groups" in values:
        group_ids = values["security_groups"]
        security.require_groups(context, row["project_id"], group_ids)
        if group_ids and not values.get("port_security_enabled", row["port_security_enabled"]):
            raise security.needs_security()
    security.check_change(row, group_ids, values)
    if "fixed_ips" in values:
        before_held = addresses.of_ports(context.conn, [port_id])[port_id]
        held = _readdress(context, row, values["fixed_ips"])
        security.check_groups_need_address(group_ids, held)
        if row["device_owner"] == ROUTER_INTERFACE:
            legs.readdressed(context, row, before_held, held)
    if values.get("mac_address", row["mac_address"]) != row["mac_address"]:
        blocks = {each["id"]: each for each in subnets.of_network(context.conn, network["id"])}
        automatic.move(context, row, blocks, values["mac_address"])
    if "security_groups" in values:
        groups.leave(context.conn, port_id)
        groups.join(context.conn, port_id, group_ids)
    store.update(context.conn, port_id, _columns(context, row, values))
    if values.keys() & IN_DOCUMENT:
        _follow(context, row, {*before, *group_ids})


def _check_held(row: Row, values: dict[str, Any]) -> None:
    """A server's or a service's port keeps what it is held by."""
    held = store.bound(row) or row["device_owner"].startswith(SERVICE)
    names = ["device_id", "device_owner", "mac_address", "binding:host_id"]
    if row["device_owner"].startswith(SERVICE) and row["device_owner"] != ROUTER_INTERFACE:
        names.append("fixed_ips")
    for name in names:
        column = PORT.table[name].key
        if name in values and held and values[name] != row.get(column, UNSET):
            raise in_use(
                "PortInUse",
                f"Unable to complete operation on port {row['id']} for network "
                f"{row['network_id']}. Port already has an attached device {row['device_id']}: "
                f"{name} is changed by what holds the port.",
            )


def _columns(context: Context, row: Row, values: dict[str, Any]) -> Row:
    columns = PORT.stored(values)
    for name, column in JSON_COLUMNS.items():
        if name in values:
            columns[column] = values[name]
    mac = str(columns.get("mac_address", row["mac_address"]))
    if mac != row["mac_address"]:
        store.require_mac_free(context.conn, row["network_id"], mac)
    return columns


def _readdress(context: Context, row: Row, wanted: list[dict[str, str]]) -> list[Held]:
    """Keep what is asked again, free what is not, take what is new; in the asked order."""
    port_id, network_id = row["id"], row["network_id"]
    current = addresses.of_ports(context.conn, [port_id])[port_id]
    blocks = subnets.of_network(context.conn, network_id)
    seat = Seat(network_id=network_id, port_id=port_id, mac=row["mac_address"])
    asked: Sequence[Mapping[str, str]] = wanted
    if not row["device_owner"].startswith(SERVICE):
        asked = with_automatic(seat, blocks, wanted)
    left = list(current)
    kept: list[Held | None] = []
    for each in asked:
        match = next((held for held in left if _same(held, each)), None)
        if match is not None:
            left.remove(match)
        kept.append(match)
    if left:
        plug.release(context.conn, left)
        touch.part_port(context.conn, port_id, context.request_id, (each.ip for each in left))
    fresh = [each for each, held in zip(asked, kept, strict=True) if held is None]
    made = iter(allocate(context.conn, seat, blocks, fresh, first=len(current)))
    ordered = [held if held is not None else next(made) for held in kept]
    addresses.reorder(context.conn, port_id, ordered)
    return ordered


def _same(held: Held, wanted: Mapping[str, str]) -> bool:
    return held.subnet_id == wanted.get("subnet_id", held.subnet_id) and held.ip == wanted.get(
        "ip_address", held.ip
    )


def _follow(context: Context, row: Row, group_ids: set[str]) -> None:
    if not store.bound(row):
        return
    network_id, project_id = row["network_id"], row["project_id"]
    request_id = context.request_id
    intents.converge(context.conn, intents.PORT, row["id"], project_id, request_id)
    intents.converge(context.conn, intents.FIREWALL, network_id, project_id, request_id)
    plug.touch_groups(context.conn, group_ids, project_id, request_id)
