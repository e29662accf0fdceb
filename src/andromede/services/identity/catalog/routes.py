"""Rows of /v3/services, /v3/endpoints and /v3/regions, and the handlers of services and endpoints."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import ids
from andromede.http.access import ADMIN, ADMIN_READER, AUTHENTICATED
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.operation import Operation, Reply
from andromede.services.identity.bodies import check_change, extras, given
from andromede.services.identity.catalog import regions, store
from andromede.services.identity.catalog.entries import KNOWN, MARK, Item
from andromede.services.identity.catalog.nouns import (
    ENDPOINT,
    REGION,
    SERVICE,
    require_no_double,
    require_no_namesake,
    require_region,
)
from andromede.services.identity.catalog.schema import (
    EndpointChange,
    EndpointChangeBody,
    NewEndpoint,
    NewEndpointBody,
    NewRegionBody,
    NewService,
    NewServiceBody,
    RegionChangeBody,
    ServiceChange,
    ServiceChangeBody,
)
from andromede.services.identity.limits import store as limits


def create_service(context: Context) -> Item:
    """Errors: Forbidden for a type that this cloud serves."""
    body: NewService = context.body.service
    refuse_null(context, "service", "name")
    require_no_namesake(context, body.type)
    values = {
        "id": ids.new_hex(), "type": body.type, "name": body.name or "", "enabled": body.enabled,
        "extra": extras(context, "service", NewService),
    }  # fmt: skip
    return SERVICE.make(context, values)


def update_service(context: Context) -> Item:
    item = SERVICE.require(context)
    body: ServiceChange = context.body.service
    check_change(context, "service", item["id"], "service")
    values = given(body, "type", "name", "enabled")
    if values.get("type", item["type"]) != item["type"]:
        require_no_namesake(context, values["type"])
    return SERVICE.change(context, item, values, ServiceChange)


def delete_service(context: Context) -> Reply:
    """Delete a service with its endpoints.

    Errors: Forbidden for one that this cloud serves, or that limits are registered of.
    """
    item = SERVICE.require(context)
    SERVICE.refuse_own(context, [item["id"]])
    if limits.named_by(context.conn, "service_id", [item["id"]]):
        raise Forbidden(f"Service {item['id']} has registered limits; delete those first.")
    store.delete_endpoints(context.conn, store.endpoints_of(context.conn, item["id"]))
    store.delete(context.conn, store.service, [item["id"]])
    return Reply(204)


def _place(context: Context, values: Item) -> Item:
    """The region, URL and service of an endpoint, checked. A region named by the older member
    `region` is made when it is not there, as upstream makes it.

    Errors: BadRequest.
    """
    older = values.pop("region", None)
    if values.get("region_id") is None and older is not None:
        values["region_id"] = older
        if REGION.find(context, older) is None:
            made = {"id": older, "description": "", "parent_region_id": None, "extra": {}}
            context.conn.execute(sa.insert(store.region), made)
    require_region(context, values.get("region_id"), "region_id")
    service_id = values.get("service_id")
    if service_id is not None and SERVICE.find(context, service_id) is None:
        raise BadRequest(f"Could not find service: {service_id}, named as service_id.")
    url = values.get("url", "")
    unknown = [name for name in MARK.findall(url) if name not in KNOWN]
    if unknown or MARK.sub("", url).count("$("):
        raise BadRequest(
            f"The endpoint URL {url} holds a mark that cannot be filled in; accepted are "
            f"{', '.join(f'$({name})s' for name in KNOWN)}."
        )
    return values


MEMBERS = ("interface", "service_id", "url", "region_id", "region", "enabled")


def create_endpoint(context: Context) -> Item:
    """An address that clients are sent to; each project's own catalog asks for its admission.

    Errors: BadRequest; Forbidden for what this cloud serves itself.
    """
    body: NewEndpoint = context.body.endpoint
    values = _place(context, {name: getattr(body, name) for name in MEMBERS})
    require_no_double(context, body.service_id, values["region_id"])
    context.places_nothing()
    extra = extras(context, "endpoint", NewEndpoint)
    return ENDPOINT.make(context, {"id": ids.new_hex(), **values, "extra": extra})


def update_endpoint(context: Context) -> Item:
    item = ENDPOINT.require(context)
    body: EndpointChange = context.body.endpoint
    check_change(context, "endpoint", item["id"], "endpoint")
    values = _place(context, given(body, *MEMBERS))
    changed = {**item, **values}
    if item["id"] not in ENDPOINT.mine(context):
        require_no_double(context, changed["service_id"], changed["region_id"])
    context.places_nothing()
    return ENDPOINT.change(context, item, values, EndpointChange)


def delete_endpoint(context: Context) -> Reply:
    item = ENDPOINT.require(context)
    ENDPOINT.refuse_own(context, [item["id"]])
    store.delete_endpoints(context.conn, [item["id"]])
    return Reply(204)


def _row(method: str, path: str, handler: Any, action: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/{path}", handler=handler, action=f"identity:{action}",
        **{"allow": ADMIN_READER if method == "GET" else ADMIN, **more},
    )  # fmt: skip


OPEN: dict[str, Any] = {"allow": AUTHENTICATED}
OPERATIONS = [
    _row("GET", "services", SERVICE.list_all, "service:list"),
    _row("POST", "services", create_service, "service:create", body=NewServiceBody, status=201),
    _row("GET", "services/{id}", SERVICE.show, "service:show"),
    _row("PATCH", "services/{id}", update_service, "service:update", body=ServiceChangeBody),
    _row("DELETE", "services/{id}", delete_service, "service:delete", status=204),
    _row("GET", "endpoints", ENDPOINT.list_all, "endpoint:list"),
    _row(
        "POST",
        "endpoints",
        create_endpoint,
        "endpoint:create",
        body=NewEndpointBody,
        status=201,
        places="expose",
    ),
    _row("GET", "endpoints/{id}", ENDPOINT.show, "endpoint:show"),
    _row(
        "PATCH",
        "endpoints/{id}",
        update_endpoint,
        "endpoint:update",
        body=EndpointChangeBody,
        places="expose",
    ),
    _row("DELETE", "endpoints/{id}", delete_endpoint, "endpoint:delete", status=204),
    _row("GET", "regions", regions.list_all, "region:list", **OPEN),
    _row("POST", "regions", regions.create, "region:create", body=NewRegionBody, status=201),
    _row("GET", "regions/{id}", REGION.show, "region:show", **OPEN),
    _row("PUT", "regions/{id}", regions.create_at, "region:create", body=NewRegionBody, status=201),
    _row("PATCH", "regions/{id}", regions.update, "region:update", body=RegionChangeBody),
    _row("DELETE", "regions/{id}", regions.delete, "region:delete", status=204),
]
