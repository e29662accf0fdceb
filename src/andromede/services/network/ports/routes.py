"""Ports over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.operation import Operation, Reply
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import handling, store
from andromede.services.network.common.attributes import UNSET
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.ports import plug, security
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.change import apply
from andromede.services.network.ports.schema import DHCP, PORT, SERVICE_OWNERS
from andromede.services.network.ports.store import PORTS
from andromede.services.network.ports.view import view
from andromede.services.network.qos import users
from andromede.services.network.quota import store as quota
from andromede.services.network.routers import touch
from andromede.services.network.subnets import store as subnets
from andromede.work import intend

PULL_SECONDS = 300.0


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    keys = [row["id"] for row in found]
    held = addresses.of_ports(context.conn, keys)
    members = groups.of_ports(context.conn, keys)
    tags = store.tags_of(context.conn, keys)
    nets = networks.by_ids(context.conn, (row["network_id"] for row in found))
    return [
        view(
            row,
            held[row["id"]],
            members[row["id"]],
            tags[row["id"]],
            nets[row["network_id"]],
        )
        for row in found
    ]


def index(context: Context) -> object:
    return handling.index(context, PORTS, views)


def show(context: Context) -> object:
    return handling.show(context, PORTS, views)


def create(context: Context) -> object:
    return handling.create(context, PORT, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new port with its addresses; the host learns of it when a server holds it."""
    network = handling.find(context, NETWORKS, values["network_id"])
    handling.require_way(context, network)
    security.may_create(context, network, values)
    users.check(context, values)
    project_id = values["project_id"]
    context.admit(project_id)
    quota.require(context.conn, project_id, "port")
    secured = values["port_security_enabled"]
    secured = network["port_security_enabled"] if secured is UNSET else secured
    blocks = subnets.of_network(context.conn, network["id"])
    group_ids = security.groups_for(context, project_id, values, secured, bool(blocks))
    row, held = plug.plug(
        context.conn,
        network["id"],
        project_id=project_id,
        wanted=None if values["fixed_ips"] is UNSET else values["fixed_ips"],
        group_ids=group_ids,
        mac=values["mac_address"] or None,
        blocks=blocks,
        **_columns(values),
        port_security_enabled=secured,
    )
    security.check_groups_need_address(group_ids, held)
    return _new_view(row, held, group_ids, network)


def _columns(values: dict[str, Any]) -> Row:
    names = (
        "name", "description", "admin_state_up", "device_id", "device_owner", "dns_name",
    )  # fmt: skip
    return {
        **{name: values[name] for name in names},
        "pairs": values["allowed_address_pairs"],
        "dhcp_options": values["extra_dhcp_opts"],
        "qos_policy_id": values["qos_policy_id"],
        "host_id": values["binding:host_id"],
        "profile": values["binding:profile"] or {},
    }


def _new_view(row: Row, held: Sequence[Held], group_ids: Sequence[str], network: Row) -> Row:
    return view(row, held, group_ids, [], network)


def update(context: Context) -> object:
    row = handling.find_own(context, PORTS, "update")
    values = handling.read_change(context, PORT)
    network = networks.by_id(context.conn, row["network_id"])
    assert network is not None
    apply(context, row, network, values)
    return handling.one(context, PORTS, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, PORTS, "delete")
    if row["device_owner"] in SERVICE_OWNERS and row["device_owner"] != DHCP:
        raise in_use(
            "ServicePortInUse",
            f"Port {row['id']} cannot be deleted directly via the port API: has device owner "
            f"{row['device_owner']}.",
        )
    touch.part_port(context.conn, row["id"], context.request_id)
    plug.unplug(context.conn, row, context.request_id)
    if ports.bound(row):  # its server's machine lets go of the card
        intend(
            context.conn, "server_cards", row["device_id"], "plug",
            project_id=row["project_id"], request_id=context.request_id, seconds=PULL_SECONDS,
        )  # fmt: skip
    return handling.gone()


OPERATIONS: list[Operation] = rows(
    "port", "ports", index=index, show=show, create=create, update=update, delete=delete
)
