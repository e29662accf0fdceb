"""QoS policies and the kinds of their rules over HTTP. Operators and managers of projects make them;
members put on their ports what they see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede import ids
from andromede.http.access import PROJECT_MANAGER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.network.common import handling, listing, store
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.qos import rules, users
from andromede.services.network.qos import store as qos
from andromede.services.network.qos.schema import POLICY, TYPES
from andromede.services.network.qos.store import POLICIES
from andromede.services.network.shares import store as shares

KIND = "qos_policy"


def views(context: Context, found: Sequence[Row]) -> list[Row]:
    keys = [row["id"] for row in found]
    tags = store.tags_of(context.conn, keys)
    held = qos.rules_of(context.conn, keys)
    mine = shares.shared_with(context.conn, context.project_id, keys)
    return [
        qos.view(row, held[row["id"]], tags[row["id"]], shared=row["id"] in mine) for row in found
    ]


def index(context: Context) -> object:
    return handling.index(context, POLICIES, views)


def show(context: Context) -> object:
    return handling.show(context, POLICIES, views)


def create(context: Context) -> object:
    return handling.create(context, POLICY, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new policy without rules, shared with every project if an operator says so."""
    if values["is_default"]:
        _require_no_default(context, values["project_id"])
    row = qos.insert(context.conn, {**POLICY.stored(values), "id": ids.new()})
    if values["shared"]:
        shares.share(context.conn, row["project_id"], KIND, row["id"])
    return views(context, [row])[0]


def _require_no_default(context: Context, project_id: str) -> None:
    if qos.default_of(context.conn, project_id) is not None:
        raise in_use(
            "QoSPolicyDefaultAlreadyExists",
            f"A default QoS policy exists for project {project_id}.",
        )


def update(context: Context) -> object:
    row = handling.find_own(context, POLICIES, "update")
    values = handling.read_change(context, POLICY)
    if values.get("is_default") and not row["is_default"]:
        _require_no_default(context, row["project_id"])
    if "shared" in values:
        shares.set_everyone(
            context.conn, row["project_id"], KIND, row["id"], shares.SHARED, values["shared"]
        )
    qos.update(context.conn, row["id"], POLICY.stored(values))
    return handling.one(context, POLICIES, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, POLICIES, "delete")
    used = users.first_user(context.conn, row["id"])
    if used is not None:
        raise in_use("QosPolicyInUse", f"QoS Policy {row['id']} is used by {used[0]} {used[1]}.")
    qos.delete(context.conn, row["id"])
    return handling.gone()


def types(context: Context) -> object:
    """The kinds of rules that are enforced here."""
    return {"rule_types": listing.few(context, [{"type": kind} for kind in TYPES], ["type"])}


def one_type(context: Context) -> object:
    kind = context.params["type"]
    if kind not in TYPES:
        raise NotFound(f"Rule type {kind} could not be found.")
    driver = {"name": "andromede", "supported_parameters": TYPES[kind]}
    return {"rule_type": {"type": kind, "drivers": [driver]}}


def _type_row(tail: str, handler: Any, verb: str) -> Operation:
    return Operation(
        method="GET", path=f"/v2.0/qos/rule-types{tail}", handler=handler,
        action=f"network:qos_rule_type:{verb}", allow=PROJECT_READER,
    )  # fmt: skip


OPERATIONS: list[Operation] = [
    *rows(
        "qos_policy",
        "qos/policies",
        index=index,
        show=show,
        create=create,
        update=update,
        delete=delete,
        write=PROJECT_MANAGER,
        places={},  # a limit holds no data, and opens no way to any
    ),
    *rules.OPERATIONS,
    _type_row("", types, "list"),
    _type_row("/{type}", one_type, "show"),
]
