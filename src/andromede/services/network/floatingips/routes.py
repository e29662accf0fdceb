"""Floating IPs over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede import ids
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import handling, store
from andromede.services.network.common.errors import bad_request
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import release
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.floatingips.associate import APART, columns, forwards
from andromede.services.network.floatingips.schema import FLOATING
from andromede.services.network.floatingips.store import FLOATINGS
from andromede.services.network.forwardings import store as forwardings
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.ports import plug
from andromede.services.network.ports import store as ports
from andromede.services.network.ports.schema import FLOATING_IP
from andromede.services.network.qos import users
from andromede.services.network.quota import store as quota
from andromede.services.network.routers import touch
from andromede.services.network.subnets import store as subnets


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    tags = store.tags_of(context.conn, (row["id"] for row in found))
    named = ports.by_ids(context.conn, (row["port_id"] for row in found if row["port_id"]))
    forwarded = forwardings.of_floatings(
        context.conn, (row["id"] for row in found if row["router_id"] and not row["port_id"])
    )
    return [
        floatings.view(
            row,
            named.get(row["port_id"]),
            tags[row["id"]],
            [forwardings.brief(each) for each in forwarded.get(row["id"], ())],
        )
        for row in found
    ]


def index(context: Context) -> object:
    return handling.index(context, FLOATINGS, views)


def show(context: Context) -> object:
    return handling.show(context, FLOATINGS, views)


def create(context: Context) -> object:
    return handling.create(context, FLOATING, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new floating IP, mapped at once when a port is named."""
    network = handling.find(context, NETWORKS, values["floating_network_id"])
    if not network["external"]:
        raise bad_request("floatingip", f"Network {network['id']} is not a valid external network")
    project_id = values["project_id"]
    context.admit(project_id)
    users.check(context, values)
    quota.require(context.conn, project_id, "floatingip")
    floating_id = ids.new()
    port, held = _plug(context, network["id"], floating_id, values)
    row = {
        **FLOATING.stored(values),
        **APART,
        "id": floating_id,
        "floating_ip_address": held.ip,
        "floating_port_id": port["id"],
    }
    row |= columns(context, row, values)
    row = floatings.insert(context.conn, row)
    _follow(context, row)
    return views(context, [row])[0]


def _plug(
    context: Context, network_id: str, floating_id: str, values: dict[str, Any]
) -> tuple[Row, Held]:
    """The port that holds the address on the external network. It is nobody's."""
    wanted: dict[str, str] = {}
    if values["subnet_id"]:
        wanted["subnet_id"] = values["subnet_id"]
    if values["floating_ip_address"]:
        wanted["ip_address"] = values["floating_ip_address"]
    if not wanted:
        blocks = subnets.of_network(context.conn, network_id)
        if all(each["ip_version"] != 4 for each in blocks):
            raise bad_request(
                "floatingip", f"Network {network_id} does not contain any IPv4 subnet"
            )
    port, held = plug.plug(
        context.conn,
        network_id,
        project_id="",
        wanted=[wanted] if wanted else None,
        device_id=floating_id,
        device_owner=FLOATING_IP,
        port_security_enabled=False,
        status="N/A",
    )
    inside = [each for each in held if ":" not in each.ip]
    if not inside:
        raise BadRequest(
            f"Unable to find any IP address on external network {network_id}.",
            type="ExternalIpAddressExhausted",
        )
    return port, inside[0]


def _follow(context: Context, *found: Row) -> None:
    """The routers that map, or mapped, a floating IP follow its change."""
    for router_id in sorted({row["router_id"] for row in found if row["router_id"]}):
        touch.follow(context.conn, router_id, found[0]["project_id"], context.request_id)


def update(context: Context) -> object:
    row = handling.find_own(context, FLOATINGS, "update")
    values = handling.read_change(context, FLOATING)
    context.places_nothing()
    if values.get("port_id"):
        context.admit(row["project_id"])
    users.check(context, values)
    changed = FLOATING.stored(
        {k: v for k, v in values.items() if k not in ("port_id", "fixed_ip_address")}
    )
    if "port_id" in values or "fixed_ip_address" in values:
        target = {"port_id": row["port_id"], **values}
        changed |= columns(context, row, target)
    floatings.update(context.conn, row["id"], changed)
    _follow(context, row, {**row, **changed})
    return handling.one(context, FLOATINGS, views, row["id"])


def delete(context: Context) -> Reply:
    """Errors: Conflict (FipInUseByPortForwarding) while it forwards ports."""
    row = handling.find_own(context, FLOATINGS, "delete")
    if forwardings.of_floatings(context.conn, [row["id"]])[row["id"]]:
        raise forwards(row)
    release.remove(context, row)
    return handling.gone()


OPERATIONS: list[Operation] = rows(
    "floatingip",
    "floatingips",
    index=index,
    show=show,
    create=create,
    update=update,
    delete=delete,
    places={"create": "create", "update": "expose"},
)
