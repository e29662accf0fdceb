"""Flavors over HTTP: everybody lists and shows, operators make, describe and remove."""

from __future__ import annotations

from typing import Any

from andromede import ids
from andromede.http.access import ADMIN, AUTHENTICATED, PROJECT_READER, Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation
from andromede.http.paging import read_page
from andromede.services.compute import links, values
from andromede.services.compute.flavors import access, extra_specs, store
from andromede.services.compute.flavors.schema import (
    ChangedFlavorBody,
    FlavorQuery,
    NewFlavorBody,
    columns,
)
from andromede.services.compute.flavors.store import Flavor

QUERY = ("limit", "marker", "is_public", "minRam", "minDisk", "sort_key", "sort_dir")


def view(context: Context, flavor: Flavor) -> dict[str, Any]:
    """A flavor as the latest microversion shows it."""
    return {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": flavor.swap,
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "OS-FLV-DISABLED:disabled": False,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": flavor.is_public,
        "rxtx_factor": flavor.rxtx_factor,
        "links": links.resource_links(context, "flavors", flavor.id),
        "description": flavor.description,
        "extra_specs": flavor.extra_specs,
    }


def brief(context: Context, flavor: Flavor) -> dict[str, Any]:
    return {
        "id": flavor.id,
        "name": flavor.name,
        "links": links.resource_links(context, "flavors", flavor.id),
        "description": flavor.description,
    }


def read_query(context: Context) -> FlavorQuery:
    """The filters and the order of a list.

    Errors: BadRequest naming the parameter and what it accepts.
    """
    values.known_query(context, QUERY)
    sort_key = context.first("sort_key")
    sort_key = "flavorid" if sort_key is None else sort_key
    sort_dir = context.first("sort_dir") or "asc"
    if sort_key not in store.SORT_KEYS:
        known = ", ".join(sorted(store.SORT_KEYS))
        raise BadRequest(f"Invalid input for query parameter sort_key: {sort_key}. One of {known}.")
    if sort_dir not in ("asc", "desc"):
        raise BadRequest(f"Invalid input for query parameter sort_dir: {sort_dir}. asc or desc.")
    return FlavorQuery(
        public=_public(context),
        min_ram=_least(context, "minRam"),
        min_disk=_least(context, "minDisk"),
        sort_key=sort_key,
        descending=sort_dir == "desc",
    )


def _public(context: Context) -> bool | None:
    wanted = context.first("is_public")
    if not context.caller.admin or wanted is None:
        return True
    if wanted.lower() == "none":
        return None
    try:
        return values.boolean(wanted, "is_public")
    except BadRequest as error:
        raise BadRequest(f"Invalid is_public filter [{wanted}]") from error


def _least(context: Context, name: str) -> int | None:
    wanted = context.first(name)
    if wanted is None:
        return None
    try:
        return values.whole(wanted.strip(), name, -values.LARGEST)
    except BadRequest as error:
        raise BadRequest(f"Invalid {name} filter [{wanted}]") from error


def _list(context: Context, path: str, show: Any) -> dict[str, Any]:
    query, page = read_query(context), read_page(context.query)
    flavors = store.page(context.conn, context.caller, query, page)
    body: dict[str, Any] = {"flavors": [show(context, each) for each in flavors]}
    following = links.next_page(
        context, path, page, values.MOST_LISTED, [each.id for each in flavors]
    )
    if following:
        body["flavors_links"] = following
    return body


def list_brief(context: Context) -> dict[str, Any]:
    return _list(context, "flavors", brief)


def list_detail(context: Context) -> dict[str, Any]:
    return _list(context, "flavors/detail", view)


def show(context: Context) -> dict[str, Any]:
    return {"flavor": view(context, store.get(context.conn, context.params["id"], context.caller))}


def create(context: Context) -> dict[str, Any]:
    new = context.body.flavor
    flavor_id = ids.new() if new.id is None else str(new.id)
    flavor = store.insert(context.conn, {"id": flavor_id, **columns(new)})
    context.concerns(flavor.id)
    return {"flavor": view(context, flavor)}


def update(context: Context) -> dict[str, Any]:
    flavor_id = context.params["id"]
    store.get(context.conn, flavor_id, context.caller)
    text = values.description(context.body.flavor.description)
    store.set_description(context.conn, flavor_id, text)
    context.concerns(flavor_id)
    return show(context)


def delete(context: Context) -> None:
    store.delete(context.conn, context.params["id"])
    context.concerns(context.params["id"])


def _row(method: str, path: str, handler: Any, verb: str, allow: Rule, **more: Any) -> Operation:
    return Operation(
        method=method,
        path=f"/v2.1/flavors{path}",
        handler=handler,
        action=f"compute:flavor:{verb}",
        allow=allow,
        **more,
    )


OPERATIONS = [
    _row("GET", "", list_brief, "list", AUTHENTICATED),
    _row("GET", "/detail", list_detail, "detail", AUTHENTICATED),
    _row("POST", "", create, "create", ADMIN, body=NewFlavorBody),
    _row("GET", "/{id}", show, "show", AUTHENTICATED),
    _row("PUT", "/{id}", update, "update", ADMIN, body=ChangedFlavorBody, since=(2, 55)),
    _row("DELETE", "/{id}", delete, "delete", ADMIN, status=202),
    *extra_specs.operations(PROJECT_READER),
    *access.OPERATIONS,
]
