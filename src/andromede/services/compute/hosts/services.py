"""Compute services and host aggregates over HTTP, for operators. One service runs on each host; there
are no aggregates in a cloud of this size, so their list is empty."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from andromede import clock
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.operation import Operation
from andromede.services.compute import values
from andromede.services.compute.hosts import store
from andromede.services.compute.servers.placement import ZONE
from andromede.services.compute.versions import Conversion

BINARY = "nova-compute"  # what clients know the worker of a host by


def spoken(moment: int) -> str:
    """A moment as this part of the compute API writes it, without a zone."""
    return datetime.fromtimestamp(moment / clock.SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def list_services(context: Context, *, numbers: bool) -> dict[str, Any]:
    values.known_query(context, ("host", "binary"))
    host, binary = context.first("host"), context.first("binary")
    hosts = [] if binary and binary != BINARY else store.every(context.conn)
    several = len({each.site for each in hosts}) > 1
    return {
        "services": [
            {
                "id": each.number if numbers else each.service_id,
                "binary": BINARY,
                "host": each.name,
                "zone": each.site if several else ZONE,
                "status": "enabled",
                "state": "up" if each.up else "down",
                "updated_at": spoken(each.seen_at),
                "disabled_reason": None,
                "forced_down": False,
            }
            for each in hosts
            if not host or host == each.name
        ]
    }


def list_aggregates(_: Context) -> dict[str, Any]:
    return {"aggregates": []}


def _not_forced(body: Any) -> Any:
    for service in body["services"]:
        service.pop("forced_down")
    return body


OPERATIONS = [
    Operation(
        method="GET",
        path="/v2.1/os-services",
        handler=partial(list_services, numbers=True),
        action="compute:service:list",
        allow=ADMIN,
        until=(2, 52),
    ),
    Operation(
        method="GET",
        path="/v2.1/os-services",
        handler=partial(list_services, numbers=False),
        action="compute:service:list",
        allow=ADMIN,
        since=(2, 53),
    ),
    Operation(
        method="GET",
        path="/v2.1/os-aggregates",
        handler=list_aggregates,
        action="compute:aggregate:list",
        allow=ADMIN,
    ),
]
CONVERSIONS = [
    Conversion(since=(2, 11), actions=frozenset({"compute:service:list"}), lower=_not_forced)
]
