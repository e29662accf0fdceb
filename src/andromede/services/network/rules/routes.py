"""Security group rules over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede import ids
from andromede.http.context import Context
from andromede.http.operation import Operation, Reply
from andromede.services.network.addressgroups.store import GROUPS as ADDRESS_GROUPS
from andromede.services.network.common import handling
from andromede.services.network.common.errors import forbidden, in_use, missing
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.groups.schema import RULE
from andromede.services.network.groups.store import DEFAULT, GROUPS
from andromede.services.network.ports import plug
from andromede.services.network.quota import store as quota
from andromede.services.network.rules import check
from andromede.services.network.rules import store as rules
from andromede.services.network.rules.store import RULES

WHOLE = (1, 65_535)


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    held = groups.by_ids(context.conn, (row["security_group_id"] for row in found))
    return [
        rules.view(row, default=held[row["security_group_id"]]["name"] == DEFAULT) for row in found
    ]


def index(context: Context) -> object:
    return handling.index(context, RULES, views)


def show(context: Context) -> object:
    return handling.show(context, RULES, views)


def create(context: Context) -> object:
    return handling.create(context, RULE, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new rule; the networks that its group filters follow."""
    check.check(values)
    group = handling.find(context, GROUPS, values["security_group_id"])
    if group["project_id"] != values["project_id"] and not context.caller.admin:
        raise forbidden(f"Security group {group['id']} belongs to another project")
    remote = values["remote_group_id"]
    if remote and remote not in groups.existing(context.conn, [remote]):
        raise missing("security_group", remote)
    if remote:
        handling.find(context, GROUPS, remote)
    if values["remote_address_group_id"]:
        handling.find(context, ADDRESS_GROUPS, values["remote_address_group_id"])
    if (values["port_range_min"], values["port_range_max"]) == WHOLE:
        values |= {"port_range_min": None, "port_range_max": None}
    row = {**RULE.stored(values), "project_id": group["project_id"]}
    same = rules.same(context.conn, row)
    if same is not None:
        raise in_use(
            "SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {same}."
        )
    quota.require(context.conn, group["project_id"], "security_group_rule")
    made = rules.insert(context.conn, {**row, "id": ids.new()})
    _follow(context, group)
    return rules.view(made, default=group["name"] == DEFAULT)


def update(context: Context) -> object:
    row = handling.find_own(context, RULES, "update")
    rules.update(context.conn, row["id"], RULE.stored(handling.read_change(context, RULE)))
    return handling.one(context, RULES, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, RULES, "delete")
    rules.delete(context.conn, row["id"])
    group = groups.by_id(context.conn, row["security_group_id"])
    assert group is not None
    _follow(context, group)
    return handling.gone()


def _follow(context: Context, group: Row) -> None:
    groups.update(context.conn, group["id"], {})
    plug.touch_groups(context.conn, [group["id"]], group["project_id"], context.request_id)


OPERATIONS: list[Operation] = rows(
    "security_group_rule",
    "security-group-rules",
    index=index,
    show=show,
    create=create,
    update=update,
    delete=delete,
    places={},  # filters hold no data and open no way that was not admitted
)
