"""Sharing policies over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.errors import Conflict, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.network import intents
from andromede.services.network.common import handling, store
from andromede.services.network.common.errors import forbidden, in_use, invalid
from andromede.services.network.common.rows import rows
from andromede.services.network.common.store import Collection, Row, own
from andromede.services.network.networks import store as networks
from andromede.services.network.quota import store as quota
from andromede.services.network.shares import kinds
from andromede.services.network.shares import store as shares
from andromede.services.network.shares.kinds import KINDS
from andromede.services.network.shares.schema import POLICY
from andromede.services.network.shares.store import EVERYONE, EXTERNAL, SHARED, policy

POLICIES = Collection(POLICY, policy, own(policy.c.project_id))


def views(_: Context, found: Sequence[Row]) -> list[Row]:
    return [{**row, "tenant_id": row["project_id"]} for row in found]


def index(context: Context) -> object:
    return handling.index(context, POLICIES, views)


def show(context: Context) -> object:
    return handling.show(context, POLICIES, views)


def create(context: Context) -> object:
    return handling.create(context, POLICY, make)


def make(context: Context, values: dict[str, Any]) -> Row:
    """A new policy about an object of the caller's project; the object is exposed by it."""
    kind, action, target = values["object_type"], values["action"], values["target_tenant"]
    if action not in KINDS[kind].users:
        raise invalid(f"action '{action}' is not of type {kind}: {SHARED} is")
    thing = _object(context, kind, values["object_id"])
    _may_target(context, target, "create")
    if kind == "network":
        handling.require_way(context, thing)
    context.admit(thing["project_id"])
    project_id = thing["project_id"] if context.caller.admin else values["project_id"]
    quota.require(context.conn, project_id, "rbac_policy")
    _require_new(context, thing["id"], action, target)
    row = shares.share(context.conn, project_id, kind, thing["id"], action=action, target=target)
    _settle(context, kind, thing["id"])
    return views(context, [row])[0]


def _object(context: Context, kind: str, object_id: str) -> Row:
    row = store.find(context.conn, KINDS[kind].collection, context.caller, object_id)
    if row is None:
        raise NotFound(f"Object {object_id} not found.", type="ObjectNotFound")
    if row["project_id"] != context.project_id and not context.caller.admin:
        raise invalid("Only admins can manipulate policies on objects they do not own")
    return row


def _may_target(context: Context, target: str, act: str) -> None:
    if target == EVERYONE and not context.caller.admin:
        raise forbidden(
            f"rule:{act}_rbac_policy:target_tenant is disallowed by policy: only an operator "
            f"shares with every project"
        )


def _require_new(context: Context, object_id: str, action: str, target: str) -> None:
    if shares.found(context.conn, object_id, action, target):
        raise Conflict(
            "An RBAC policy already exists with those values.", type="DuplicateRbacPolicy"
        )


def update(context: Context) -> object:
    row = handling.find_own(context, POLICIES, "update")
    values = handling.read_change(context, POLICY)
    context.places_nothing()
    target = str(values.get("target_tenant", row["target_tenant"]))
    if target != row["target_tenant"]:
        _may_target(context, target, "update")
        if row["object_type"] == "network":
            handling.require_way(context, {**row, "id": row["object_id"]})
        context.admit(row["project_id"])
        _require_new(context, row["object_id"], row["action"], target)
        _require_unused(context, row, target)
        shares.retarget(context.conn, row["id"], target)
        _settle(context, row["object_type"], row["object_id"])
    return handling.one(context, POLICIES, views, row["id"])


def delete(context: Context) -> Reply:
    row = handling.find_own(context, POLICIES, "delete")
    _require_unused(context, row)
    shares.end(context.conn, row["id"])
    _settle(context, row["object_type"], row["object_id"])
    return handling.gone()


def _require_unused(context: Context, row: Row, instead: str = "") -> None:
    """Errors: Conflict (RbacPolicyInUse)."""
    if instead == EVERYONE:
        return
    thing = store.by_key(context.conn, KINDS[row["object_type"]].collection, row["object_id"])
    owner = thing["project_id"] if thing is not None else row["project_id"]
    if kinds.in_use(
        context.conn, row["object_type"], row["object_id"], owner, row["action"],
        row["target_tenant"],
    ):  # fmt: skip
        raise in_use(
            "RbacPolicyInUse",
            f"RBAC policy on object {row['object_id']} cannot be removed because other objects "
            f"depend on it.",
        )


def _settle(context: Context, kind: str, object_id: str) -> None:
    """Keep a network's own columns as its policies say; the host learns when it becomes external, or
    is it no more."""
    if kind != "network":
        return
    row = networks.by_id(context.conn, object_id)
    assert row is not None
    held = shares.of_object(context.conn, object_id)
    outward = {each["target_tenant"] for each in held if each["action"] == EXTERNAL}
    shared = shares.found(context.conn, object_id, SHARED, EVERYONE)
    columns = {
        "shared": shared,
        "external": bool(outward),
        "external_to_all": EVERYONE in outward,
    }
    if any(row[name] != value for name, value in columns.items()):
        networks.update(context.conn, object_id, columns)
    if row["external"] != columns["external"]:
        intents.converge(
            context.conn, intents.NETWORK, object_id, row["project_id"], context.request_id
        )


OPERATIONS: list[Operation] = rows(
    "rbac_policy",
    "rbac-policies",
    index=index,
    show=show,
    create=create,
    update=update,
    delete=delete,
    places={"create": "share", "update": "share"},
)
