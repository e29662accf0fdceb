"""Default security group rules over HTTP: operators make them, everybody sees them."""

from __future__ import annotations

from typing import Any

from andromede import ids
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.network.addressgroups.store import GROUPS as ADDRESS_GROUPS
from andromede.services.network.common import attributes, handling, listing
from andromede.services.network.common.errors import OverQuota, in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.groups.store import GROUPS
from andromede.services.network.rules import check
from andromede.services.network.templates import store as templates
from andromede.services.network.templates.schema import PARENT, TEMPLATE

KEYS = (
    "id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
    "remote_ip_prefix", "remote_group_id", "remote_address_group_id",
)  # fmt: skip


def index(context: Context) -> object:
    """The list; what it is filtered by are its attributes."""
    wanted = [(name, value) for name, value in context.query if name in TEMPLATE.table]
    found = [templates.view(row) for row in templates.every(context.conn)]
    for name, value in wanted:
        found = [row for row in found if _spelled(row.get(name)) == value.lower()]
    return {TEMPLATE.plural: listing.few(context, found, KEYS)}


def _spelled(value: object) -> str:
    return "" if value is None else str(value).lower()


def _find(context: Context) -> Row:
    key = context.params["id"]
    for row in templates.every(context.conn):
        if row["id"] == key:
            return row
    raise NotFound(
        f"Default Security Group rule {key} does not exist",
        type="DefaultSecurityGroupRuleNotFound",
    )


def show(context: Context) -> object:
    return {TEMPLATE.name: templates.view(_find(context))}


def create(context: Context) -> object:
    """New default rules; groups that are there keep theirs."""
    sent, bulk = attributes.documents(TEMPLATE, context.body)
    made = [templates.view(make(context, each)) for each in sent]
    context.concerns(made[0]["id"])
    return {TEMPLATE.plural: made} if bulk else {TEMPLATE.name: made[0]}


def make(context: Context, sent: dict[str, Any]) -> Row:
    values = attributes.read_values(TEMPLATE, sent, context)
    check.check(values)
    _check_remote(context, values)
    held = templates.every(context.conn)
    for row in held:
        if all(row[name] == values[name] for name in (*templates.FIELDS, *USES)):
            raise in_use(
                "DefaultSecurityGroupRuleExists",
                f"Default Security group rule already exists. Rule id is {row['id']}.",
            )
    if len(held) >= templates.MOST:
        raise OverQuota(f"There are {len(held)} default rules; at most {templates.MOST} may be.")
    columns = {name: values[name] for name in ("description", *templates.FIELDS, *USES)}
    return templates.insert(context.conn, {**columns, "id": ids.new()})


USES = ("used_in_default_sg", "used_in_non_default_sg")


def _check_remote(context: Context, values: dict[str, Any]) -> None:
    remote = values["remote_group_id"]
    if remote not in (None, PARENT):
        handling.find(context, GROUPS, remote)
    if values["remote_address_group_id"]:
        handling.find(context, ADDRESS_GROUPS, values["remote_address_group_id"])
    if not any(values[name] for name in USES):
        raise BadRequest("A default rule is used in default groups, in others, or in both")


def delete(context: Context) -> Reply:
    row = _find(context)
    templates.delete(context.conn, row["id"])
    return handling.gone()


OPERATIONS: list[Operation] = rows(
    "default_security_group_rule",
    "default-security-group-rules",
    index=index,
    show=show,
    create=create,
    delete=delete,
    write=ADMIN,
    places={},  # filters hold no data and open no way that was not admitted
)
