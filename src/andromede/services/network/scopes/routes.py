"""Address scopes over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede import ids
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.network.common import handling
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.pools import store as pools
from andromede.services.network.scopes import store as scopes
from andromede.services.network.scopes.schema import SCOPE
from andromede.services.network.scopes.store import SCOPES
from andromede.services.network.shares import store as shares

KIND = "address_scope"


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    mine = shares.shared_with(context.conn, context.project_id, (row["id"] for row in found))
    return [scopes.view(row, row["id"] in mine) for row in found]


def index(context: Context) -> object:
    return handling.index(context, SCOPES, views)


def show(context: Context) -> object:
    return handling.show(context, SCOPES, views)


def create(context: Context) -> object:
    return handling.create(context, SCOPE, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new scope, shared with every project if an operator says so."""
    row = scopes.insert(context.conn, {**SCOPE.stored(values), "id": ids.new()})
    if values["shared"]:
        shares.share(context.conn, row["project_id"], KIND, row["id"])
    return views(context, [row])[0]


def update(context: Context) -> object:
    row = handling.find_own(context, SCOPES, "update")
    values = handling.read_change(context, SCOPE)
    shared = shares.found(context.conn, row["id"], shares.SHARED, shares.EVERYONE)
    if values.get("shared") is False and shared:
        raise BadRequest(
            f"Unable to update address scope {row['id']} : Shared address scope can't be unshared.",
            type="AddressScopeUpdateError",
        )
    if values.get("shared"):
        shares.set_everyone(context.conn, row["project_id"], KIND, row["id"], shares.SHARED, True)
    scopes.rename(context.conn, row["id"], str(values.get("name", row["name"])))
    return handling.one(context, SCOPES, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, SCOPES, "delete")
    if pools.of_scope(context.conn, row["id"]):
        raise in_use(
            "AddressScopeInUse",
            f"Unable to complete operation on address scope {row['id']}. There are one or more "
            f"subnet pools in use on the address scope.",
        )
    scopes.delete(context.conn, row["id"])
    return handling.gone()


OPERATIONS: list[Operation] = rows(
    "address_scope",
    "address-scopes",
    index=index,
    show=show,
    create=create,
    update=update,
    delete=delete,
    places={},  # a name for addresses: it holds no data, and opens no way to any
)
