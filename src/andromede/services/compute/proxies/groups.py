"""Security groups through compute.

Source: the compute API's reference, "Security groups".
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.compute.proxies import rows
from andromede.services.compute.servers import memberships

LONGEST = 255


class Group(Struct, forbid_unknown_fields=True):
    name: str
    description: str


class GroupBody(Struct, forbid_unknown_fields=True):
    security_group: Group


def _views(context: Context, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups = [{**each, "rules": each["security_group_rules"]} for each in found]
    named = {rule["remote_group_id"] for group in groups for rule in group["rules"]} - {None}
    names = {group["id"]: group["name"] for group in groups}
    for missing in sorted(named - names.keys()):
        there = rows.network(context, "GET", "security-groups", id=missing)["security_groups"]
        names |= {group["id"]: group["name"] for group in there}
    return [memberships.view(group, names) for group in groups]


def find(context: Context, group_id: str) -> dict[str, Any]:
    """A group as the network service shows it.

    Errors: BadRequest for what is no UUID; NotFound.
    """
    path = f"security-groups/{rows.identifier(group_id, 'Security group')}"
    found: dict[str, Any] = rows.network(context, "GET", path)["security_group"]
    return found


def list_groups(context: Context) -> dict[str, Any]:
    found = rows.network(context, "GET", "security-groups", **rows.mine(context))
    shown = _views(context, found["security_groups"])
    return {"security_groups": rows.part(context, shown)}


def show(context: Context) -> dict[str, Any]:
    [shown] = _views(context, [find(context, context.params["id"])])
    return {"security_group": shown}


def _asked(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for a name or a description that is empty or too long."""
    body: GroupBody = context.body
    asked = body.security_group
    if not asked.name.strip() or len(asked.name) > LONGEST:
        raise BadRequest(f"Security group name: 1 to {LONGEST} characters are accepted.")
    if len(asked.description) > LONGEST:
        raise BadRequest(f"Security group description: at most {LONGEST} characters are accepted.")
    return {"security_group": {"name": asked.name, "description": asked.description}}


def create(context: Context) -> dict[str, Any]:
    made = rows.network(context, "POST", "security-groups", _asked(context))
    [shown] = _views(context, [made["security_group"]])
    return {"security_group": shown}


def update(context: Context) -> dict[str, Any]:
    asked, group = _asked(context), find(context, context.params["id"])
    changed = rows.network(context, "PUT", f"security-groups/{group['id']}", asked)
    [shown] = _views(context, [changed["security_group"]])
    return {"security_group": shown}


def remove(context: Context) -> Reply:
    """Errors: BadRequest while servers are its members, and for the default one."""
    group = find(context, context.params["id"])
    rows.network(context, "DELETE", f"security-groups/{group['id']}")
    return Reply(202)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return rows.row(method, f"/os-security-groups{path}", handler, f"group:{verb}", **more)


OPERATIONS = [
    _row("GET", "", list_groups, "list", transaction=Transaction.OWN),
    _row("POST", "", create, "create", body=GroupBody),
    _row("GET", "/{id}", show, "show"),
    _row("PUT", "/{id}", update, "update", body=GroupBody),
    _row("DELETE", "/{id}", remove, "delete", status=202),
]
