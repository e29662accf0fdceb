"""Server groups over HTTP. Source: the compute API's reference, "Server groups"."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from andromede import clock, ids
from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.quotas import UNLIMITED
from andromede.services.compute import values
from andromede.services.compute.limits import store as limits
from andromede.services.compute.servers import store as servers
from andromede.services.compute.servers.groups import store
from andromede.services.compute.servers.groups.schema import GroupBody
from andromede.services.compute.servers.groups.store import Group

PATH = "/v2.1/os-server-groups"


def _view(group: Group, members: list[str]) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "policy": group.policy,
        "rules": {} if group.most is None else {"max_server_per_host": group.most},
        "members": members,
        "project_id": group.project_id,
        "user_id": group.user_id,
    }


def _find(context: Context) -> Group:
    """The group of the path, if it is the caller's project's or the caller is an operator.

    Errors: NotFound.
    """
    group_id = context.params["id"]
    group = store.get(context.conn, group_id)
    if group is None or not (context.caller.admin or group.project_id == context.project_id):
        raise NotFound(f"Instance group {group_id} could not be found.")
    context.touches(group.id, group.project_id)
    return group


def create(context: Context) -> dict[str, Any]:
    """Errors: BadRequest; Forbidden beyond the project's quota."""
    body: GroupBody = context.body
    asked = body.server_group
    name = values.printable(asked.name, "name")
    refuse_null(context, "server_group", "rules")
    most: int | None = None
    if asked.rules is not None and asked.rules.max_server_per_host is not UNSET:
        if asked.policy != "anti-affinity":
            raise BadRequest("Only anti-affinity policy supports rules.")
        most = values.whole(asked.rules.max_server_per_host, "max_server_per_host", 1)
    if not context.project_id:
        raise Forbidden("Server groups belong to a project: a token scoped to one is accepted.")
    allowed = limits.limits(context.conn, context.project_id)["server_groups"]
    if allowed != UNLIMITED and store.count(context.conn, context.project_id) >= allowed:
        raise Forbidden("Quota exceeded, too many server groups.")
    group = Group(
        id=ids.new(), project_id=context.project_id, user_id=context.caller.user_id, name=name,
        policy=asked.policy, most=most, created_at=clock.now(),
    )  # fmt: skip
    store.add(context.conn, group)
    context.concerns(group.id, group.project_id)
    return {"server_group": _view(group, [])}


def show(context: Context) -> dict[str, Any]:
    group = _find(context)
    return {"server_group": _view(group, store.members(context.conn, [group.id])[group.id])}


def index(context: Context) -> dict[str, Any]:
    """`all_projects` is for operators; others have it ignored, as upstream does."""
    values.known_query(context, ("all_projects", "limit", "offset"))
    limit = values.counted(context, "limit", values.MOST_LISTED)
    offset = values.counted(context, "offset", 0)
    everyone = context.caller.admin and context.first("all_projects") is not None
    project_id = None if everyone else context.project_id
    found = store.page(context.conn, project_id, min(limit, values.MOST_LISTED), offset)
    for group in found:
        context.touches(group.id, group.project_id)
    members = store.members(context.conn, (group.id for group in found))
    return {"server_groups": [_view(group, members[group.id]) for group in found]}


def delete(context: Context) -> Reply:
    group = _find(context)
    context.concerns(group.id, group.project_id)
    for server_id in store.members(context.conn, [group.id])[group.id]:
        server = servers.get(context.conn, server_id, with_user_data=False)
        if server is not None:
            hints = {name: hint for name, hint in server.hints.items() if name != "group"}
            servers.change(context.conn, server.id, hints=hints, updated_at=server.updated_at)
    store.remove(context.conn, group.id)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    allow = PROJECT_READER if method == "GET" else PROJECT_MEMBER
    return Operation(
        method=method, path=f"{PATH}{path}", handler=handler,
        action=f"compute:server-group:{verb}", allow=allow, **more,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", index, "list"),
    _row("POST", "", create, "create", body=GroupBody),
    _row("GET", "/{id}", show, "show"),
    _row("DELETE", "/{id}", delete, "delete", status=204),
]
