"""Networks over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede import ids
from andromede.http.context import Context
from andromede.http.operation import Operation, Reply
from andromede.services.network import intents
from andromede.services.network.common import handling, store
from andromede.services.network.common.errors import in_use, invalid
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import release
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.networks import store as networks
from andromede.services.network.networks.schema import (
    DEFAULT_MTU,
    LEAST_MTU,
    LEAST_MTU_V6,
    NETWORK,
    TYPE,
)
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.pools import store as pools
from andromede.services.network.ports import plug
from andromede.services.network.ports import store as ports
from andromede.services.network.qos import store as qos
from andromede.services.network.qos import users as qos_users
from andromede.services.network.quota import store as quota
from andromede.services.network.removals import store as removals
from andromede.services.network.shares import store as shares
from andromede.services.network.subnets import store as subnets


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    keys = [row["id"] for row in found]
    blocks = subnets.ids_of_networks(context.conn, keys)
    tags = store.tags_of(context.conn, keys)
    scopes = pools.scopes_of(context.conn, keys)
    mine = shares.shared_with(context.conn, context.project_id, keys)
    return [
        networks.view(
            row,
            blocks[row["id"]],
            tags[row["id"]],
            shared=row["shared"] or row["id"] in mine,
            scopes=scopes[row["id"]],
        )
        for row in found
    ]


def index(context: Context) -> object:
    return handling.index(context, NETWORKS, views)


def show(context: Context) -> object:
    return handling.show(context, NETWORKS, views)


def create(context: Context) -> object:
    return handling.create(context, NETWORK, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new network: realised on the host by the worker."""
    project_id = values["project_id"]
    context.admit(project_id)
    quota.require(context.conn, project_id, "network")
    _check_provider(values)
    qos_users.check(context, values)
    if values["qos_policy_id"] is None:
        values["qos_policy_id"] = qos.default_of(context.conn, project_id)
    values["mtu"] = _mtu(values["mtu"], [])
    row = insert(
        context, {**NETWORK.stored(values), "zone_hints": values["availability_zone_hints"]}
    )
    return networks.view(row, [], [], shared=row["shared"])


def insert(context: Context, columns: Row) -> Row:
    network_id = ids.new()
    row = networks.insert(
        context.conn,
        {
            **columns,
            "id": network_id,
            "status": "BUILD",
            "dhcp_mac": ports.choose_mac(context.conn, network_id),
        },
    )
    intents.converge(
        context.conn, intents.NETWORK, network_id, row["project_id"], context.request_id
    )
    return row


def _check_provider(values: dict[str, Any]) -> None:
    kind = values.get("provider:network_type") or TYPE
    if kind != TYPE:
        raise invalid(f"network_type value '{kind}' not supported: {TYPE} is accepted")
    for name in ("provider:physical_network", "provider:segmentation_id"):
        if values.get(name):
            raise invalid(f"{name} cannot be specified for a network of type local")


def _mtu(mtu: int, blocks: Sequence[Row]) -> int:
    """A network's MTU; 0 asks for the usual one.

    Errors: BadRequest when it is out of what links and the network's subnets carry.
    """
    mtu = mtu or DEFAULT_MTU
    least = LEAST_MTU_V6 if any(each["ip_version"] == 6 for each in blocks) else LEAST_MTU
    if not least <= mtu <= DEFAULT_MTU:
        raise invalid(
            f"Requested MTU {mtu} is out of range: from {least} to {DEFAULT_MTU} is accepted"
        )
    return mtu


def update(context: Context) -> object:
    row = handling.find_own(context, NETWORKS, "update")
    values = handling.read_change(context, NETWORK)
    context.places_nothing()
    if values.get("shared") or values.get("router:external"):
        handling.require_way(context, row)
        context.admit(row["project_id"])
    qos_users.check(context, values)
    if "mtu" in values:
        values["mtu"] = _mtu(values["mtu"], subnets.of_network(context.conn, row["id"]))
    if values.get("shared") is False and row["shared"]:
        _require_unshared(context, row)
    if values.get("router:external") is False and row["external"]:
        _require_inner(context, row)
    columns = NETWORK.stored(values)
    _share(context, row, columns)
    networks.update(context.conn, row["id"], columns)
    if values.keys() & {"mtu", "dns_domain", "router:external"}:
        intents.converge(
            context.conn, intents.NETWORK, row["id"], row["project_id"], context.request_id
        )
    if values.keys() & {"admin_state_up", "dns_domain", "qos_policy_id"}:
        _touch_ports(context, row)
    return handling.one(context, NETWORKS, views, row["id"])


def _share(context: Context, row: Row, columns: Row) -> None:
    """Keep the policies for every project as the columns say."""
    if "external" in columns:
        columns["external_to_all"] = columns["external"]
    for name, action in networks.ACTIONS.items():
        if name in columns:
            shares.set_everyone(
                context.conn, row["project_id"], "network", row["id"], action, columns[name]
            )


def _touch_ports(context: Context, row: Row) -> None:
    """The servers' ports take some of their document from the network."""
    project, request = row["project_id"], context.request_id
    bound = ports.bound_on_network(context.conn, row["id"])
    for each in bound:
        intents.converge(context.conn, intents.PORT, each["id"], project, request)
    if bound:
        intents.converge(context.conn, intents.FIREWALL, row["id"], project, request)


def _require_unshared(context: Context, row: Row) -> None:
    if ports.of_strangers(context.conn, row["id"], row["project_id"]):
        raise in_use(
            "InvalidSharedSetting",
            f"Unable to reconfigure sharing settings for network {row['name']}. "
            f"Multiple projects are using it.",
        )


def _require_inner(context: Context, row: Row) -> None:
    if ports.of_routers_outside(context.conn, row["id"]):
        raise in_use(
            "ExternalNetworkInUse",
            f"External network {row['id']} cannot be updated to be made non-external, since it "
            f"has existing gateway ports.",
        )


def delete(context: Context) -> Reply:
    row = handling.find_own(context, NETWORKS, "delete")
    for floating in floatings.unbound_on(context.conn, row["id"]):
        release.remove(context, floating)
    in_way = ports.in_the_way(context.conn, row["id"])
    if in_way:
        raise in_use(
            "NetworkInUse",
            f"Unable to complete operation on network {row['id']}. There are one or more ports "
            f"still in use on the network, id for these ports is: {','.join(in_way)}.",
        )
    for each in ports.on_network(context.conn, row["id"]):
        plug.unplug(context.conn, each, context.request_id)
    for block in subnets.of_network(context.conn, row["id"]):
        subnets.remove(context.conn, block["id"])
    store.drop_tags(context.conn, row["id"])
    networks.delete(context.conn, row["id"])
    removals.bury(context.conn, "network", row)
    intents.converge(
        context.conn, intents.NETWORK, row["id"], row["project_id"], context.request_id
    )
    return handling.gone()


OPERATIONS: list[Operation] = rows(
    "network",
    "networks",
    index=index,
    show=show,
    create=create,
    update=update,
    delete=delete,
    places={"create": "create", "update": "share"},
)
