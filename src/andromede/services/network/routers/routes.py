"""Routers over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from andromede import ids
from andromede.http.access import PROJECT_MEMBER
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.network import intents
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common import handling, store
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.quota import store as quota
from andromede.services.network.removals import store as removals
from andromede.services.network.routers import gateway, legs, touch
from andromede.services.network.routers import store as routers
from andromede.services.network.routers.schema import MOST_ROUTES, ROUTER
from andromede.services.network.routers.store import ROUTERS


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    tags = store.tags_of(context.conn, (row["id"] for row in found))
    outside = [row["gateway_port_id"] for row in found if row["gateway_port_id"]]
    held = addresses.of_ports(context.conn, outside)
    return [
        routers.view(row, held.get(row["gateway_port_id"], ()), tags[row["id"]]) for row in found
    ]


def index(context: Context) -> object:
    return handling.index(context, ROUTERS, views)


def show(context: Context) -> object:
    return handling.show(context, ROUTERS, views)


def create(context: Context) -> object:
    return handling.create(context, ROUTER, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new router, with its gateway if one is asked for."""
    project_id = values["project_id"]
    context.admit(project_id)
    quota.require(context.conn, project_id, "router")
    row = routers.insert(
        context.conn,
        {
            **ROUTER.stored(values),
            "id": ids.new(),
            "status": "BUILD",
            "gateway_network_id": None,
            "gateway_port_id": None,
            "enable_snat": True,
            "routes": [],
            "zone_hints": values["availability_zone_hints"],
        },
    )
    if values["external_gateway_info"] is not None:
        columns = gateway.change(context, row, values["external_gateway_info"], "create")
        routers.update(context.conn, row["id"], columns)
    touch.follow(context.conn, row["id"], project_id, context.request_id)
    made = routers.by_id(context.conn, row["id"])
    assert made is not None
    return views(context, [made])[0]


def update(context: Context) -> object:
    row = handling.find_own(context, ROUTERS, "update")
    values = handling.read_change(context, ROUTER)
    columns = ROUTER.stored(values)
    context.places_nothing()
    if values.get("external_gateway_info"):
        context.admit(row["project_id"])
    if "external_gateway_info" in values:
        columns |= gateway.change(context, row, values["external_gateway_info"], "update")
    if "routes" in values:
        columns["routes"] = _routes(context, {**row, **columns}, values["routes"])
    elif "external_gateway_info" in values:
        legs.check_routes(context, {**row, **columns}, row["routes"])
    return _write(context, row, columns)


def _routes(context: Context, router: Row, routes: list[dict[str, str]]) -> list[dict[str, str]]:
    if len(routes) > MOST_ROUTES:
        raise BadRequest(
            f"Unable to complete operation for {router['id']}. The number of routes exceeds the "
            f"maximum {MOST_ROUTES}.",
            type="RoutesExhausted",
        )
    legs.check_routes(context, router, routes)
    return routes


def _write(context: Context, row: Row, columns: Row) -> object:
    routers.update(context.conn, row["id"], columns)
    touch.follow(context.conn, row["id"], row["project_id"], context.request_id)
    return handling.one(context, ROUTERS, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, ROUTERS, "delete")
    if routers.interfaces(context.conn, row["id"]):
        raise in_use("RouterInUse", f"Router {row['id']} still has ports")
    gateway.clear(context, row)
    store.drop_tags(context.conn, row["id"])
    routers.delete(context.conn, row["id"])
    removals.bury(context.conn, "router", row)
    intents.converge(context.conn, intents.ROUTER, row["id"], row["project_id"], context.request_id)
    return handling.gone()


def add_interface(context: Context) -> object:
    row = handling.find_own(context, ROUTERS, "add_router_interface")
    port, blocks = legs.add(context, row, legs.wanted(context))
    return _moved(context, row, port, blocks)


def remove_interface(context: Context) -> object:
    row = handling.find_own(context, ROUTERS, "remove_router_interface")
    port, blocks = legs.remove(context, row, legs.wanted(context, removal=True))
    return _moved(context, row, port, blocks)


def _moved(context: Context, row: Row, port: Row, blocks: Sequence[Row]) -> Row:
    routers.update(context.conn, row["id"], {})
    touch.follow(context.conn, row["id"], row["project_id"], context.request_id)
    keys = [block["id"] for block in blocks]
    return {
        "id": row["id"],
        "project_id": row["project_id"],
        "tenant_id": row["project_id"],
        "network_id": port["network_id"],
        "port_id": port["id"],
        "subnet_id": keys[0],
        "subnet_ids": keys,
    }


def add_routes(context: Context) -> object:
    return _reroute(context, lambda held, sent: held + [each for each in sent if each not in held])


def remove_routes(context: Context) -> object:
    return _reroute(context, lambda held, sent: [each for each in held if each not in sent])


def _reroute(
    context: Context,
    merge: Callable[[list[dict[str, str]], list[dict[str, str]]], list[dict[str, str]]],
) -> object:
    row = handling.find_own(context, ROUTERS, "update")
    values = handling.read_change(context, ROUTER)
    if set(values) != {"routes"}:
        raise BadRequest("Invalid body: a router with routes alone is accepted")
    routes = _routes(context, row, merge(row["routes"], values["routes"]))
    return _write(context, row, {"routes": routes})


def _action(
    name: str, verb: str, handler: Callable[[Context], object], places: str | None = None
) -> Operation:
    return Operation(
        method="PUT",
        path=f"/v2.0/routers/{{id}}/{name}",
        handler=handler,
        action=f"network:router:{verb}",
        allow=PROJECT_MEMBER,
        places=places,
    )


OPERATIONS: list[Operation] = [
    *rows(
        "router",
        "routers",
        index=index,
        show=show,
        create=create,
        update=update,
        delete=delete,
        places={"create": "create", "update": "expose"},
    ),
    _action("add_router_interface", "add_interface", add_interface, places="create"),
    _action("remove_router_interface", "remove_interface", remove_interface),
    _action("add_extraroutes", "add_routes", add_routes),
    _action("remove_extraroutes", "remove_routes", remove_routes),
]
