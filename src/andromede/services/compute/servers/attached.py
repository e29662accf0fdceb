"""Reads of what the network attached to a server: addresses, interfaces, security groups.

Source: the compute API's reference, "Servers IPs", "Port interfaces", "Servers security groups".
"""

from __future__ import annotations

from typing import Any

from andromede.http.access import PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation
from andromede.services.compute import values
from andromede.services.compute.servers import guards, memberships, networking, views
from andromede.services.compute.versions import Conversion
from andromede.services.network.api import Port, attachments_of, security_groups_of


def _addresses(context: Context) -> dict[str, list[dict[str, Any]]]:
    server = guards.readable(context, param="server_id")
    shown = views.addresses(attachments_of(context.conn, [server.id])[server.id])
    return {
        label: [{"version": each["version"], "addr": each["addr"]} for each in entries]
        for label, entries in shown.items()
    }


def list_addresses(context: Context) -> dict[str, Any]:
    return {"addresses": _addresses(context)}


def show_addresses(context: Context) -> dict[str, Any]:
    label = context.params["label"]
    addresses = _addresses(context)
    if label not in addresses:
        raise NotFound("Instance is not a member of specified network")
    return {label: addresses[label]}


def interface(port: Port, tag: str | None) -> dict[str, Any]:
    return {
        "port_id": port.id,
        "net_id": port.network_id,
        "mac_addr": port.mac,
        "port_state": port.status,
        "fixed_ips": [
            {"subnet_id": each.subnet_id, "ip_address": each.ip} for each in port.addresses
        ],
        "tag": tag,
    }


def list_interfaces(context: Context) -> dict[str, Any]:
    server = guards.readable(context, param="server_id")
    cards = networking.ports(context.conn, server)
    return {"interfaceAttachments": [interface(port, tag) for port, tag in cards]}


def show_interface(context: Context) -> dict[str, Any]:
    server = guards.readable(context, param="server_id")
    for port, tag in networking.ports(context.conn, server):
        if port.id == context.params["port_id"]:
            return {"interfaceAttachment": interface(port, tag)}
    raise NotFound(f"Port {context.params['port_id']} is not attached to server {server.id}")


def list_groups(context: Context) -> dict[str, Any]:
    server = guards.readable(context, param="server_id")
    found = security_groups_of(context.conn, server.id)
    names = {group["id"]: group["name"] for group in found}
    return {"security_groups": [memberships.view(group, names) for group in found]}


def list_volumes(context: Context) -> dict[str, Any]:
    """Servers of this cloud boot from an image's copy: no volume is attached to any."""
    values.known_query(context, ("limit", "offset"))
    for name in ("limit", "offset"):
        values.counted(context, name, 0)
    guards.readable(context, param="server_id")
    return {"volumeAttachments": []}


def _row(path: str, handler: Any, action: str) -> Operation:
    return Operation(
        method="GET", path=f"/v2.1/servers/{{server_id}}/{path}", handler=handler,
        action=f"compute:{action}", allow=PROJECT_READER,
    )  # fmt: skip


OPERATIONS = [
    _row("ips", list_addresses, "server-address:list"),
    _row("ips/{label}", show_addresses, "server-address:show"),
    _row("os-interface", list_interfaces, "server-interface:list"),
    _row("os-interface/{port_id}", show_interface, "server-interface:show"),
    _row("os-volume_attachments", list_volumes, "server-volume:list"),
    _row("os-security-groups", list_groups, "server-group-membership:list"),
]


def _tagless(body: dict[str, Any]) -> dict[str, Any]:
    one = body.get("interfaceAttachment")
    for each in [one] if one is not None else body["interfaceAttachments"]:
        del each["tag"]
    return body


def _lift_tag(body: Any) -> Any:
    """Until 2.49 a card could not be tagged."""
    asked = body.get("interfaceAttachment") if isinstance(body, dict) else None
    if isinstance(asked, dict) and "tag" in asked:
        raise BadRequest(
            "Additional properties are not allowed (tag): microversion 2.49 or later accepts it."
        )
    return body


CONVERSIONS = [
    Conversion(
        since=(2, 70),
        actions=frozenset(
            f"compute:server-interface:{each}" for each in ("list", "show", "create")
        ),
        lower=_tagless,
    ),
    Conversion(
        since=(2, 49), actions=frozenset({"compute:server-interface:create"}), lift=_lift_tag
    ),
]
