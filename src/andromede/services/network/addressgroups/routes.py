"""Address groups over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from andromede import ids
from andromede.http.access import PROJECT_MEMBER
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.network.addressgroups import store as addressgroups
from andromede.services.network.addressgroups.schema import ADDRESS_GROUP, addresses
from andromede.services.network.addressgroups.store import GROUPS
from andromede.services.network.common import handling
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.ports import plug
from andromede.services.network.rules import store as rules
from andromede.services.network.templates import store as templates


def views(_: Context, found: Sequence[Row]) -> list[Row]:
    return [addressgroups.view(row) for row in found]


def index(context: Context) -> object:
    return handling.index(context, GROUPS, views)


def show(context: Context) -> object:
    return handling.show(context, GROUPS, views)


def create(context: Context) -> object:
    return handling.create(context, ADDRESS_GROUP, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    columns = {**ADDRESS_GROUP.stored(values), "addresses": values["addresses"]}
    row = addressgroups.insert(context.conn, {**columns, "id": ids.new()})
    return views(context, [row])[0]


def update(context: Context) -> object:
    row = handling.find_own(context, GROUPS, "update")
    values = handling.read_change(context, ADDRESS_GROUP)
    addressgroups.update(context.conn, row["id"], ADDRESS_GROUP.stored(values))
    return handling.one(context, GROUPS, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, GROUPS, "delete")
    named = templates.naming(context.conn, row["id"])
    if named or rules.naming_addresses(context.conn, row["id"]):
        raise in_use(
            "AddressGroupInUse",
            f"Address group {row['id']} is in use on one or more security group rules.",
        )
    addressgroups.delete(context.conn, row["id"])
    return handling.gone()


def add(context: Context) -> object:
    return _write(context, lambda held, sent: sorted({*held, *sent}))


def remove(context: Context) -> object:
    return _write(context, lambda held, sent: [each for each in held if each not in sent])


def _write(context: Context, merge: Callable[[list[str], list[str]], list[str]]) -> object:
    """Change the list of addresses; every network that rules with it filter follows.

    Errors: BadRequest.
    """
    row = handling.find_own(context, GROUPS, "update")
    body: Any = context.body
    sent = body.get(ADDRESS_GROUP.name, body) if isinstance(body, dict) else None
    if not isinstance(sent, dict) or set(sent) != {"addresses"}:
        raise BadRequest("Invalid body: an object with the list 'addresses' is accepted")
    try:
        wanted = addresses(merge(row["addresses"], addresses(sent["addresses"])))
    except ValueError as error:
        raise BadRequest(f"Invalid input for addresses. Reason: {error}.") from None
    if wanted != row["addresses"]:
        addressgroups.update(context.conn, row["id"], {"addresses": wanted})
        named = rules.naming_addresses(context.conn, row["id"])
        plug.touch_groups(context.conn, named, row["project_id"], context.request_id)
    return handling.one(context, GROUPS, views, row["id"])


def _action(name: str, handler: Callable[[Context], object]) -> Operation:
    return Operation(
        method="PUT", path=f"/v2.0/address-groups/{{id}}/{name}", handler=handler,
        action=f"network:address_group:{name}", allow=PROJECT_MEMBER,
    )  # fmt: skip


OPERATIONS: list[Operation] = [
    *rows(
        "address_group",
        "address-groups",
        index=index,
        show=show,
        create=create,
        update=update,
        delete=delete,
        places={},  # filters hold no data and open no way that was not admitted
    ),
    _action("add_addresses", add),
    _action("remove_addresses", remove),
]
