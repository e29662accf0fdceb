"""Ports made and removed inside other acts: by the API, by compute, by routers and DHCP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from andromede import ids
from andromede.db import Connection
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import store as common
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.ports import store
from andromede.services.network.ports.allocate import Seat, allocate
from andromede.services.network.ports.schema import SERVICE_OWNERS
from andromede.services.network.ranges import store as ranges
from andromede.services.network.removals import store as removals
from andromede.services.network.subnets import store as subnets

Wanted = Sequence[Mapping[str, str]] | None


def plug(
    connection: Connection,
    network_id: str,
    *,
    project_id: str,
    wanted: Wanted = None,
    group_ids: Iterable[str] = (),
    mac: str | None = None,
    blocks: Sequence[Row] | None = None,
    **columns: Any,
) -> tuple[Row, list[Held]]:
    """A new port on a network with its addresses and groups.

    `wanted`: the addresses as `allocate` takes them; `blocks`: the network's subnets, if the caller
    has read them.
    Errors: those of `allocate`; Conflict (MacAddressInUse).
    """
    if mac is None:
        mac = store.choose_mac(connection, network_id)
    else:
        store.require_mac_free(connection, network_id, mac)
    port_id = ids.new()
    if blocks is None:
        blocks = subnets.of_network(connection, network_id)
    owner = columns.get("device_owner", "")
    seat = Seat(
        network_id=network_id, port_id=port_id, mac=mac, owner=owner,
        machine=owner not in SERVICE_OWNERS,
    )  # fmt: skip
    held = allocate(connection, seat, blocks, wanted)
    row = store.insert(
        connection,
        {
            "id": port_id,
            "project_id": project_id,
            "network_id": network_id,
            "mac_address": mac,
            **columns,
        },
    )
    groups.join(connection, port_id, group_ids)
    return row, held


def unplug(connection: Connection, row: Row, request_id: str) -> None:
    """Remove a port, free its addresses, and have the host let go of it."""
    release_all(connection, row["id"])
    touch_filters(connection, row, request_id)
    groups.leave(connection, row["id"])
    common.drop_tags(connection, row["id"])
    store.delete(connection, row["id"])
    if row["on_host"]:
        removals.bury(connection, "port", row, row["network_id"])
        intents.converge(connection, intents.PORT, row["id"], row["project_id"], request_id)
    else:
        ranges.give_number(connection, "port", row["number"])


def release_all(connection: Connection, port_id: str) -> None:
    """Free every address of a port."""
    held = addresses.of_ports(connection, [port_id])[port_id]
    release(connection, held)


def release(connection: Connection, held: Sequence[Held]) -> None:
    """Free some addresses."""
    if not held:
        return
    blocks = subnets.by_ids(connection, (each.subnet_id for each in held))
    for each in held:
        addresses.release(connection, each, blocks[each.subnet_id]["pools"])


def touch_filters(connection: Connection, row: Row, request_id: str) -> None:
    """A server's port changed: its network's filters, and those that name its groups, follow."""
    if not store.bound(row):
        return
    network_id = row["network_id"]
    intents.converge(connection, intents.FIREWALL, network_id, row["project_id"], request_id)
    touch_groups(
        connection,
        groups.of_ports(connection, [row["id"]])[row["id"]],
        row["project_id"],
        request_id,
    )


def touch_groups(
    connection: Connection,
    group_ids: Iterable[str],
    project_id: str,
    request_id: str,
    *,
    within: float = 0,
) -> None:
    """Members or rules of some groups changed: every network that they filter follows, after at
    most `within` seconds."""
    for group_id in sorted(set(group_ids)):
        intents.converge(
            connection, intents.MEMBERS, group_id, project_id, request_id, within=within
        )
