"""Rules of QoS policies over HTTP: one set of rows for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from andromede import ids
from andromede.http.access import PROJECT_MANAGER
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.network.common import attributes, handling, listing
from andromede.services.network.common import store as common
from andromede.services.network.common.errors import in_use
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Row
from andromede.services.network.qos import store, users
from andromede.services.network.qos.schema import RULES
from andromede.services.network.qos.store import KINDS, POLICIES


def _policy(context: Context, act: str = "") -> Row:
    key = context.params["policy_id"]
    if act:
        return handling.find_own(context, POLICIES, act, key)
    return handling.find(context, POLICIES, key)


def _views(_: Context, found: Sequence[Row]) -> list[Row]:
    return [store.rule_view(row) for row in found]


def index(kind: str, context: Context) -> object:
    """The rules of a policy that the caller sees, its own or not."""
    found = store.rules_of(context.conn, [_policy(context)["id"]])
    mine = [row for many in found.values() for row in many if row["kind"] == kind]
    schema = RULES[kind]
    query = listing.read_query(context, schema, frozenset())
    for name, values in query.filters.items():
        mine = [row for row in mine if str(row[name]) in values]
    return listing.answer(context, schema, query, _views(context, mine), False)


def _find(kind: str, context: Context, policy: Row) -> Row:
    row = common.by_key(context.conn, KINDS[kind], context.params["id"])
    if row is None or row["policy_id"] != policy["id"] or row["kind"] != kind:
        raise NotFound(
            f"QoS rule {context.params['id']} for policy {policy['id']} could not be found.",
            type="QosRuleNotFound",
        )
    return row


def show(kind: str, context: Context) -> object:
    row = _find(kind, context, _policy(context))
    return listing.shown(RULES[kind], store.rule_view(row), context)


def create(kind: str, context: Context) -> object:
    """A new rule; of one kind a policy has one, and of limits one for each direction."""
    policy = _policy(context, "create_rule")
    schema = RULES[kind]
    sent = attributes.envelope(schema, context.body)
    values = attributes.read_values(schema, sent, context)
    fields = {name: values[name] for name in store.FIELDS[kind]}
    row = {
        "id": ids.new(), "project_id": policy["project_id"], "policy_id": policy["id"],
        "kind": kind, **fields,
    }  # fmt: skip
    _require_alone(context, row)
    store.insert_rule(context.conn, row)
    _changed(context, policy)
    return {schema.name: store.rule_view(row)}


def _require_alone(context: Context, row: Row) -> None:
    for other in store.rules_of(context.conn, [row["policy_id"]])[row["policy_id"]]:
        same = (other["kind"], other["direction"]) == (row["kind"], row.get("direction"))
        if same and other["id"] != row["id"]:
            raise in_use(
                "QoSRulesConflict",
                f"Rule {row['kind']} conflicts with rule {other['id']} which already exists in "
                f"QoS Policy {row['policy_id']}.",
            )


def _changed(context: Context, policy: Row) -> None:
    store.update(context.conn, policy["id"], {})
    users.follow(context, policy["id"])


def update(kind: str, context: Context) -> object:
    policy = _policy(context, "update_rule")
    row = _find(kind, context, policy)
    schema = RULES[kind]
    sent = attributes.envelope(schema, context.body)
    columns = attributes.read_update(schema, sent, context)
    changed = {**row, **columns}
    _require_alone(context, changed)
    if columns:
        store.update_rule(context.conn, row["id"], columns)
        _changed(context, policy)
    return {schema.name: store.rule_view(changed)}


def delete(kind: str, context: Context) -> Reply:
    policy = _policy(context, "delete_rule")
    store.delete_rule(context.conn, _find(kind, context, policy)["id"])
    _changed(context, policy)
    return handling.gone()


def _of(kind: str) -> list[Operation]:
    def bound(handler: Callable[[str, Context], Any]) -> Callable[[Context], Any]:
        return partial(handler, kind)

    schema = RULES[kind]
    return rows(
        f"qos_{schema.name}",
        f"qos/policies/{{policy_id}}/{schema.plural}",
        index=bound(index),
        show=bound(show),
        create=bound(create),
        update=bound(update),
        delete=bound(delete),
        write=PROJECT_MANAGER,
        places={},  # a limit holds no data, and opens no way to any
    )


OPERATIONS: list[Operation] = [row for kind in RULES for row in _of(kind)]
