"""Port forwardings over HTTP, below their floating IPs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from andromede import ids
from andromede.http.context import Context
from andromede.http.operation import Operation, Reply
from andromede.services.network.addresses import store as addresses
from andromede.services.network.addresses.store import Held
from andromede.services.network.common import attributes, errors, handling, listing
from andromede.services.network.common.errors import bad_request, in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.floatingips import store as floatings
from andromede.services.network.floatingips.associate import router_between
from andromede.services.network.floatingips.store import FLOATINGS
from andromede.services.network.forwardings import store as forwardings
from andromede.services.network.forwardings.schema import FORWARDING
from andromede.services.network.forwardings.store import FORWARDINGS, forwarding
from andromede.services.network.ports.schema import SERVICE_OWNERS
from andromede.services.network.ports.store import PORTS
from andromede.services.network.routers import touch

PARENT = "/floatingips/{floatingip_id}/port_forwardings"


def _floating(context: Context, act: str = "") -> Row:
    key = context.params["floatingip_id"]
    if act:
        return handling.find_own(context, FLOATINGS, act, key)
    return handling.find(context, FLOATINGS, key)


def _views(_: Context, found: Sequence[Row]) -> list[Row]:
    return [forwardings.view(row) for row in found]


def index(context: Context) -> object:
    floating = _floating(context)
    below = replace(FORWARDINGS, only=forwarding.c.floatingip_id == floating["id"])
    return handling.index(context, below, _views)


def _find(context: Context, floating: Row) -> Row:
    row = handling.find(context, FORWARDINGS)
    if row["floatingip_id"] != floating["id"]:
        raise errors.missing(FORWARDING.name, row["id"])
    return row


def show(context: Context) -> object:
    row = _find(context, _floating(context))
    return listing.shown(FORWARDING, forwardings.view(row), context)


def create(context: Context) -> object:
    """A new forwarding: from now on the router between sends what comes to that port inside."""
    floating = _floating(context, "create_port_forwarding")
    sent = attributes.envelope(FORWARDING, context.body)
    values = attributes.read_values(FORWARDING, sent, context)
    context.admit(floating["project_id"])
    if floating["port_id"]:
        raise in_use(
            "FloatingIPPortAlreadyAssociated",
            f"Floating IP {floating['id']} stands for port {floating['port_id']}: it forwards no "
            f"single ports.",
        )
    row = {
        **_columns(values, {}),
        "id": ids.new(),
        "project_id": floating["project_id"],
        "floatingip_id": floating["id"],
    }
    _place(context, floating, row)
    _require_unbound(context, row)
    forwardings.insert(context.conn, row)
    context.concerns(row["id"], floating["project_id"])
    return {FORWARDING.name: forwardings.view(row)}


def _columns(values: dict[str, Any], row: Row) -> Row:
    """The columns of what was sent; `row` is what was there.

    Errors: BadRequest when ports are missing, or do not match one by one.
    """
    columns: Row = {
        name: values[name]
        for name in ("description", "protocol", "internal_port_id", "internal_ip_address")
        if name in values
    }
    for side in ("external", "internal"):
        single, ranged = values.get(f"{side}_port"), values.get(f"{side}_port_range")
        if single is not None and ranged is not None:
            raise bad_request("port_forwarding", f"{side}_port and {side}_port_range are given")
        if single is not None or ranged is not None:
            first, last = (ranged or f"{single}:{single}").split(":")
            columns |= {f"{side}_first": int(first), f"{side}_last": int(last)}
        elif f"{side}_first" not in row:
            raise bad_request("port_forwarding", f"{side}_port or {side}_port_range is needed")
    whole = {**row, **columns}
    sizes = {whole[f"{side}_last"] - whole[f"{side}_first"] for side in ("external", "internal")}
    if len(sizes) > 1 and whole["internal_last"] != whole["internal_first"]:
        raise bad_request(
            "port_forwarding", "The internal ports are one, or as many as the external ones"
        )
    return columns


def _place(context: Context, floating: Row, row: Row) -> None:
    """Find the address inside and the router between, and have it follow.

    Errors: NotFound for a port, or when no router is between; BadRequest for an address that is not
    the port's, another router than that of the floating IP's other forwardings, or a port that
    another one has.
    """
    held = _inside(context, floating, row)
    row["internal_ip_address"] = held.ip
    others = forwardings.of_floatings(context.conn, [floating["id"]])[floating["id"]]
    for other in others:
        same = other["id"] != row["id"] and other["protocol"] == row["protocol"]
        apart = (
            other["external_last"] < row["external_first"]
            or row["external_last"] < other["external_first"]
        )
        if same and not apart:
            raise bad_request(
                "port_forwarding",
                f"A duplicate port forwarding entry with same attributes already exists: "
                f"{other['id']} has such an external port",
            )
    router_id = router_between(
        context, floating["floating_network_id"], row["internal_port_id"], held
    )
    if floating["router_id"] not in (None, router_id):
        raise bad_request(
            "port_forwarding",
            f"Floating IP {floating['id']} goes through router {floating['router_id']}, and port "
            f"{row['internal_port_id']} is behind router {router_id}",
        )
    floatings.update(context.conn, floating["id"], {"router_id": router_id})
    touch.follow(context.conn, router_id, floating["project_id"], context.request_id)


def _require_unbound(context: Context, row: Row) -> None:
    """Errors: Conflict (PortHasBindingFloatingIP) for a port that a floating IP stands for."""
    port_id = row["internal_port_id"]
    for whole in floatings.of_ports(context.conn, [port_id]):
        raise in_use(
            "PortHasBindingFloatingIP",
            f"Cannot create port forwarding to floating IP {whole['floating_ip_address']} "
            f"({whole['id']}) with port {port_id} using fixed IP {row['internal_ip_address']}, as "
            f"that port already has a binding floating IP.",
        )


def _inside(context: Context, floating: Row, row: Row) -> Held:
    port = handling.find(context, PORTS, row["internal_port_id"])
    handling.require_way(context, port)
    foreign = port["project_id"] != floating["project_id"] and not context.caller.admin
    if foreign or port["device_owner"] in SERVICE_OWNERS:
        raise bad_request("port_forwarding", f"Port {port['id']} is no server's of the project")
    every = addresses.of_ports(context.conn, [port["id"]])[port["id"]]
    wanted = row["internal_ip_address"]
    for held in every:
        if held.ip == wanted or (wanted is None and ":" not in held.ip):
            return held
    raise bad_request(
        "port_forwarding", f"port {port['id']} has no fixed IPv4 address {wanted or 'at all'}"
    )


def update(context: Context) -> object:
    floating = _floating(context, "update_port_forwarding")
    row = _find(context, floating)
    sent = attributes.envelope(FORWARDING, context.body)
    columns = _columns(attributes.read_update(FORWARDING, sent, context), row)
    context.admit(floating["project_id"])
    if columns.get("internal_port_id", row["internal_port_id"]) != row["internal_port_id"]:
        columns.setdefault("internal_ip_address", None)
    changed = {**row, **columns}
    _place(context, floating, changed)
    if "internal_port_id" in columns:
        _require_unbound(context, changed)
    columns["internal_ip_address"] = changed["internal_ip_address"]
    forwardings.update(context.conn, row["id"], columns)
    context.concerns(row["id"], floating["project_id"])
    return {FORWARDING.name: forwardings.view(changed)}


def delete(context: Context) -> Reply:
    floating = _floating(context, "delete_port_forwarding")
    row = _find(context, floating)
    touch.end_forwardings(context.conn, [row], context.request_id)
    context.concerns(row["id"], floating["project_id"])
    return handling.gone()


OPERATIONS: list[Operation] = rows(
    "port_forwarding",
    PARENT.removeprefix("/"),
    index=index,
    show=show,
    create=create,
    update=update,
    delete=delete,
    places={"create": "expose", "update": "expose"},
)
