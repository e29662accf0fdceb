"""Subnet pools over HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from andromede import ids
from andromede.http.access import PROJECT_MEMBER
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.network.common import handling, store
from andromede.services.network.common.errors import invalid
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.pools import associate, plan
from andromede.services.network.pools import store as pools
from andromede.services.network.pools.schema import POOL, prefixes
from andromede.services.network.pools.store import POOLS
from andromede.services.network.quota import store as quota
from andromede.services.network.routers import store as routers
from andromede.services.network.routers import touch
from andromede.services.network.shares import store as shares

KIND = "subnetpool"


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    keys = [row["id"] for row in found]
    tags = store.tags_of(context.conn, keys)
    mine = shares.shared_with(context.conn, context.project_id, keys)
    return [pools.view(row, row["id"] in mine, tags[row["id"]]) for row in found]


def index(context: Context) -> object:
    return handling.index(context, POOLS, views)


def show(context: Context) -> object:
    return handling.show(context, POOLS, views)


def create(context: Context) -> object:
    return handling.create(context, POOL, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new pool, shared with every project if an operator says so."""
    quota.require(context.conn, values["project_id"], "subnetpool")
    ranges = plan.compact(values["prefixes"])
    row = {
        **POOL.stored(values),
        "id": ids.new(),
        "prefixes": ranges,
        "ip_version": ipaddress.ip_network(ranges[0]).version,
    }
    row |= plan.bounds(row)
    _check_default(context, row)
    associate.check(context, row)
    row = pools.insert(context.conn, row)
    if values["shared"]:
        shares.share(context.conn, row["project_id"], KIND, row["id"])
    return views(context, [row])[0]


def _check_default(context: Context, row: Row) -> None:
    if row["is_default"] and pools.default(context.conn, row["ip_version"]) is not None:
        raise invalid(
            "A default subnetpool for this IP family has already been set. Only one default may "
            "exist per IP family"
        )


def update(context: Context) -> object:
    row = handling.find_own(context, POOLS, "update")
    values = handling.read_change(context, POOL)
    columns = POOL.stored(values)
    if "prefixes" in values:
        columns["prefixes"] = plan.compact(values["prefixes"])
        if not plan.covers(columns["prefixes"], row["prefixes"]):
            raise BadRequest(
                "Illegal update to prefixes: Existing prefixes must be a subset of the new "
                "prefixes.",
                type="IllegalSubnetPoolPrefixUpdate",
            )
    changed = {**row, **columns}
    plan.bounds(changed)
    if not row["is_default"]:
        _check_default(context, changed)
    associate.check(context, changed)
    pools.update(context.conn, row["id"], columns)
    if changed["address_scope_id"] != row["address_scope_id"]:
        _reroute(context, row)
    return handling.one(context, POOLS, views, row["id"])


def _reroute(context: Context, row: Row) -> None:
    """Routers learn what they may route between, and what needs no translation."""
    for network_id in pools.networks_of(context.conn, row["id"]):
        for router_id in routers.legs_on(context.conn, network_id):
            touch.follow(context.conn, router_id, row["project_id"], context.request_id)


def delete(context: Context) -> Reply:
    row = handling.find_own(context, POOLS, "delete")
    if pools.blocks(context.conn, row["id"]):
        raise BadRequest(
            "Unable to delete subnet pool: Subnet pool has existing allocations.",
            type="SubnetPoolDeleteError",
        )
    pools.delete(context.conn, row["id"])
    return handling.gone()


def _sent(context: Context) -> list[str]:
    body: Any = context.body
    held = body.get("prefixes") if isinstance(body, dict) else None
    try:
        return prefixes(held)
    except ValueError as error:
        raise BadRequest(f"Invalid input for prefixes. Reason: {error}.") from None


def add_prefixes(context: Context) -> object:
    row = handling.find_own(context, POOLS, "update")
    wanted = plan.compact([*row["prefixes"], *_sent(context)])
    associate.check(context, {**row, "prefixes": wanted})
    return _write(context, row, wanted)


def remove_prefixes(context: Context) -> object:
    row = handling.find_own(context, POOLS, "update")
    gone = _sent(context)
    if plan.meets(gone, pools.blocks(context.conn, row["id"])):
        raise BadRequest(
            "Illegal update to prefixes: One or more the prefixes to be removed is in use by a "
            "subnet.",
            type="IllegalSubnetPoolPrefixUpdate",
        )
    return _write(context, row, plan.without(row["prefixes"], gone))


def _write(context: Context, row: Row, wanted: list[str]) -> Row:
    if wanted != row["prefixes"]:
        pools.update(context.conn, row["id"], {"prefixes": wanted})
    return {"prefixes": wanted}


def _action(name: str, handler: Callable[[Context], object]) -> Operation:
    return Operation(
        method="PUT", path=f"/v2.0/subnetpools/{{id}}/{name}", handler=handler,
        action=f"network:subnetpool:{name}", allow=PROJECT_MEMBER,
    )  # fmt: skip


OPERATIONS: list[Operation] = [
    *rows(
        "subnetpool",
        "subnetpools",
        index=index,
        show=show,
        create=create,
        update=update,
        delete=delete,
        places={},  # numbers to come: subnets that are cut from them place
    ),
    _action("add_prefixes", add_prefixes),
    _action("remove_prefixes", remove_prefixes),
]
