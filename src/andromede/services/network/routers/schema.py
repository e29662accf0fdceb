"""The attributes of a router."""

from __future__ import annotations

from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import STANDARD, Attribute, Schema
from andromede.services.network.networks.schema import zone_hints
from andromede.services.network.ports.schema import fixed_ips

MOST_ROUTES = 30


def gateway_info(value: Any) -> dict[str, Any] | None:
    """`{"network_id": …, "enable_snat": …, "external_fixed_ips": […]}`; null or {} for none."""
    if value in (None, {}):
        return None
    found: dict[str, Any] = checks.document(
        {"network_id": checks.identifier},
        {"enable_snat": checks.boolean, "external_fixed_ips": fixed_ips},
    )(value)
    return found


ROUTER = Schema(
    "router",
    "routers",
    [
        *STANDARD,
        Attribute(name="admin_state_up", reader=checks.boolean, default=True),
        Attribute(name="status"),
        Attribute(name="external_gateway_info", reader=gateway_info, default=None, stored=False),
        Attribute(name="routes", reader=checks.host_routes, post=False, default=[], stored=False),
        Attribute(
            name="availability_zone_hints",
            reader=zone_hints,
            put=False,
            default=[],
            stored=False,
        ),
        Attribute(name="availability_zones", stored=False),
    ],
)
