"""Networks through compute, which only tells their names.

Source: the compute API's reference, "Networks" and "Project networks".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.services.compute.proxies import rows

# What compute's own networks had and the network service's have elsewhere.
FORMER = (
    "cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6",
    "netmask_v6",
)  # fmt: skip
FORMER_OF_OPERATORS = (
    "created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan",
    "vpn_public_address", "vpn_public_port", "vpn_private_address", "dhcp_start", "project_id",
    "host", "bridge_interface", "multi_host", "priority", "rxtx_base", "mtu", "dhcp_server",
    "enable_dhcp", "share_address",
)  # fmt: skip


def _view(context: Context, found: dict[str, Any]) -> dict[str, Any]:
    former = FORMER + (FORMER_OF_OPERATORS if context.caller.admin else ())
    return {"id": found["id"], "label": found["name"], **dict.fromkeys(former)}


def _short(_: Context, found: dict[str, Any]) -> dict[str, Any]:
    return {"id": found["id"], "label": found["name"], "cidr": str(None)}


def _all(context: Context) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows.network(context, "GET", "networks")["networks"]
    return found


def _one(context: Context) -> dict[str, Any]:
    wanted = quote(context.params["id"], safe="")
    try:
        found: dict[str, Any] = rows.network(context, "GET", f"networks/{wanted}")
    except NotFound as error:
        raise NotFound("Network not found") from error
    return dict(found["network"])


def list_networks(context: Context) -> dict[str, Any]:
    return {"networks": [_view(context, each) for each in rows.part(context, _all(context))]}


def show_network(context: Context) -> dict[str, Any]:
    return {"network": _view(context, _one(context))}


def list_project(context: Context) -> dict[str, Any]:
    return {"networks": [_short(context, each) for each in rows.part(context, _all(context))]}


def show_project(context: Context) -> dict[str, Any]:
    return {"network": _short(context, _one(context))}


OPERATIONS = [
    rows.row("GET", "/os-networks", list_networks, "network:list"),
    rows.row("GET", "/os-networks/{id}", show_network, "network:show"),
    rows.row("GET", "/os-tenant-networks", list_project, "project-network:list"),
    rows.row("GET", "/os-tenant-networks/{id}", show_project, "project-network:show"),
]
