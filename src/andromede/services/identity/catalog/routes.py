"""Rows of /v3/services, /v3/endpoints and /v3/regions: read only, since they follow from what this
cloud really serves."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN_READER, AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation
from andromede.services.identity.catalog.entries import (
    endpoint_id,
    endpoint_url,
    interfaces,
    served,
    service_id,
    service_name,
)
from andromede.services.identity.links import own, several

Item = dict[str, Any]


def _services(context: Context) -> list[Item]:
    return [
        {
            "id": service_id(context.cloud, each),
            "type": each.type,
            "name": service_name(each),
            "enabled": True,
            "links": own(context, f"services/{service_id(context.cloud, each)}"),
        }
        for each in served(context.cloud)
    ]


def _endpoints(context: Context) -> list[Item]:
    region = context.cloud.config.place.region
    found = []
    for service in served(context.cloud):
        for interface in interfaces(context.listener):
            identifier = endpoint_id(context.cloud, service, interface)
            found.append(
                {
                    "id": identifier,
                    "interface": interface,
                    "service_id": service_id(context.cloud, service),
                    "url": endpoint_url(context, service),
                    "region": region,
                    "region_id": region,
                    "enabled": True,
                    "links": own(context, f"endpoints/{identifier}"),
                }
            )
    return found


def _regions(context: Context) -> list[Item]:
    place = context.cloud.config.place
    return [
        {
            "id": place.region,
            "description": f"Site {place.site} in {place.country}, operated by {place.operator}",
            "parent_region_id": None,
            "links": own(context, f"regions/{place.region}"),
        }
    ]


def _matching(context: Context, items: list[Item], *names: str) -> list[Item]:
    wanted = [(name, value) for name, value in context.query if name in names]
    return [item for item in items if all(item.get(name) == value for name, value in wanted)]


def _one(context: Context, items: list[Item], what: str) -> Item:
    identifier = context.params["id"]
    for item in items:
        if item["id"] == identifier:
            return {what: item}
    raise NotFound(f"Could not find {what}: {identifier}.")


def list_services(context: Context) -> Item:
    return several(context, "services", _matching(context, _services(context), "name", "type"))


def show_service(context: Context) -> Item:
    return _one(context, _services(context), "service")


def list_endpoints(context: Context) -> Item:
    names = ("service_id", "interface", "region_id")
    return several(context, "endpoints", _matching(context, _endpoints(context), *names))


def show_endpoint(context: Context) -> Item:
    return _one(context, _endpoints(context), "endpoint")


def list_regions(context: Context) -> Item:
    return several(context, "regions", _matching(context, _regions(context), "parent_region_id"))


def show_region(context: Context) -> Item:
    return _one(context, _regions(context), "region")


def _row(path: str, handler: Any, action: str, allow: Any = ADMIN_READER) -> Operation:
    return Operation(
        method="GET", path=f"/v3/{path}", handler=handler, action=f"identity:{action}", allow=allow
    )


OPERATIONS = [
    _row("services", list_services, "service:list"),
    _row("services/{id}", show_service, "service:show"),
    _row("endpoints", list_endpoints, "endpoint:list"),
    _row("endpoints/{id}", show_endpoint, "endpoint:show"),
    _row("regions", list_regions, "region:list", AUTHENTICATED),
    _row("regions/{id}", show_region, "region:show", AUTHENTICATED),
]
