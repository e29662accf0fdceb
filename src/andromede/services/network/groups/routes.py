"""Security groups over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from andromede import ids
from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.network.common import handling, store
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.groups.schema import GROUP
from andromede.services.network.groups.store import DEFAULT, GROUPS
from andromede.services.network.ports import plug
from andromede.services.network.quota import store as quota
from andromede.services.network.rules import store as rules
from andromede.services.network.shares import store as shares


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    keys = [row["id"] for row in found]
    tags = store.tags_of(context.conn, keys)
    held = rules.of_groups(context.conn, keys)
    mine = shares.shared_with(context.conn, context.project_id, keys)
    return [
        groups.view(row, held[row["id"]], tags[row["id"]], shared=row["id"] in mine)
        for row in found
    ]


def index(context: Context) -> object:
    """The list; a project's first one already shows its default group, made now if it was not."""
    database, project_id = context.cloud.database, context.project_id
    with database.read() as connection:
        if not project_id or groups.default_id(connection, project_id) is not None:
            return _index(context, connection)
    database.transact(lambda connection: groups.ensure_default(connection, project_id))
    with database.read() as connection:
        return _index(context, connection)


def _index(context: Context, connection: Connection) -> object:
    context.conn = connection
    try:
        return handling.index(context, GROUPS, views)
    finally:
        context.conn = None


def show(context: Context) -> object:
    return handling.show(context, GROUPS, views)


def create(context: Context) -> object:
    return handling.create(context, GROUP, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new group that lets everything leave; the project's default one is made before it."""
    project_id = values["project_id"]
    if values["name"].lower() == DEFAULT:
        raise in_use("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
    groups.ensure_default(context.conn, project_id)
    quota.require(context.conn, project_id, "security_group")
    row = groups.insert(context.conn, {**GROUP.stored(values), "id": ids.new()})
    quota.require(context.conn, project_id, "security_group_rule", 0)
    return views(context, [row])[0]


def update(context: Context) -> object:
    row = handling.find_own(context, GROUPS, "update")
    values = handling.read_change(context, GROUP)
    if values.get("name", row["name"]) != row["name"]:
        if row["name"] == DEFAULT:
            raise in_use(
                "SecurityGroupCannotUpdateDefault",
                "Updating default security group not allowed.",
            )
        if values["name"].lower() == DEFAULT:
            raise in_use(
                "SecurityGroupDefaultAlreadyExists", "Default security group already exists."
            )
    restated = values.get("stateful", row["stateful"]) != row["stateful"]
    if restated and groups.has_members(context.conn, row["id"]):
        raise _used(row)
    groups.update(context.conn, row["id"], GROUP.stored(values))
    return handling.one(context, GROUPS, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, GROUPS, "delete")
    if groups.has_members(context.conn, row["id"]):
        raise _used(row)
    if row["name"] == DEFAULT and not context.caller.admin:
        raise in_use(
            "SecurityGroupCannotRemoveDefault",
            "Insufficient rights for removing default security group.",
        )
    naming = rules.naming(context.conn, row["id"])
    store.drop_tags(context.conn, row["id"])
    groups.delete(context.conn, row["id"])
    plug.touch_groups(context.conn, naming, row["project_id"], context.request_id)
    return handling.gone()


def _used(row: Row) -> Exception:
    return in_use("SecurityGroupInUse", f"Security Group {row['id']} in use.")


OPERATIONS: list[Operation] = [
    replace(each, transaction=Transaction.OWN) if each.handler is index else each
    for each in rows(
        "security_group",
        "security-groups",
        index=index,
        show=show,
        create=create,
        update=update,
        delete=delete,
        places={},  # filters hold no data and open no way that was not admitted
    )
]
