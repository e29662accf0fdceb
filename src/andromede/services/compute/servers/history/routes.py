"""Reads of the acts on a server. Source: the compute API's reference, "Servers actions log"."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.http.access import PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation
from andromede.http.paging import next_link
from andromede.services.compute import values
from andromede.services.compute.servers import guards, views
from andromede.services.compute.servers.history import store
from andromede.services.compute.servers.model import Server

MOST = 1000
QUERY_SINCE = {
    "limit": (2, 58), "marker": (2, 58), "changes-since": (2, 58), "changes-before": (2, 66),
}  # fmt: skip


def _server(context: Context) -> Server:
    return guards.readable(context, deleted=context.version >= (2, 21), param="server_id")


def _time(moment: int) -> str:
    return clock.iso_micro(moment).removesuffix("Z")


def _action(row: sa.RowMapping) -> dict[str, Any]:
    return {
        "action": row["action"],
        "instance_uuid": row["server_id"],
        "request_id": row["request_id"],
        "project_id": row["project_id"],
        "user_id": row["user_id"],
        "start_time": _time(row["start_time"]),
        "updated_at": _time(row["updated_at"]),
        "message": row["message"],
    }


def _event(context: Context, server: Server, row: sa.RowMapping) -> dict[str, Any]:
    finished = row["finish_time"]
    shown = {
        "event": row["event"],
        "start_time": _time(row["start_time"]),
        "finish_time": None if finished is None else _time(finished),
        "result": row["result"],
        "hostId": views.host_id(server),
    }
    if context.caller.admin:
        shown |= {"host": row["host"], "details": row["details"], "traceback": None}
    return shown


def list_actions(context: Context) -> dict[str, Any]:
    server = _server(context)
    query = _query(context)
    values.once(context, "limit")
    moments = {
        name: values.moment(query.get(name), name) for name in ("changes-since", "changes-before")
    }
    since, before = moments.values()
    if since is not None and before is not None and before < since:
        raise BadRequest("The value of changes-since must be less than or equal to changes-before.")
    raw = query.get("limit", str(MOST))
    if not (raw.isascii() and raw.isdigit()):
        raise BadRequest(f"limit {raw!r} is not valid: a whole number from 0 is accepted.")
    limit = min(int(raw[:20]), MOST)
    rows = store.page(
        context.conn, server.id, limit=limit, marker=query.get("marker"), since=since, before=before
    )
    body: dict[str, Any] = {"instanceActions": [_action(row) for row in rows]}
    if limit and len(rows) == limit and context.version >= (2, 58):
        url = context.url(f"/v2.1/servers/{server.id}/os-instance-actions")
        link = next_link(url, context.query, rows[-1]["request_id"])
        body["links"] = [{"rel": "next", "href": link}]
    return body


def _query(context: Context) -> dict[str, str]:
    accepted = {name for name, since in QUERY_SINCE.items() if context.version >= since}
    unknown = {key for key, _ in context.query} - accepted
    if unknown and context.version >= (2, 58):
        raise BadRequest(
            f"Additional properties are not allowed ({', '.join(sorted(unknown))}). "
            f"Accepted: {', '.join(sorted(accepted))}."
        )
    return {key: value for key, value in context.query if key in accepted}


def show_action(context: Context) -> dict[str, Any]:
    server = _server(context)
    request_id = context.params["request_id"]
    row = store.find(context.conn, server.id, request_id)
    if row is None:
        raise NotFound(f"Action {request_id} not found")
    shown = _action(row)
    if context.caller.admin or context.version >= (2, 51):
        rows = store.events(context.conn, server.id, request_id)
        shown["events"] = [_event(context, server, each) for each in rows]
    return {"instanceAction": shown}


OPERATIONS = [
    Operation(
        method="GET",
        path="/v2.1/servers/{server_id}/os-instance-actions",
        handler=list_actions,
        action="compute:server-action:list",
        allow=PROJECT_READER,
    ),
    Operation(
        method="GET",
        path="/v2.1/servers/{server_id}/os-instance-actions/{request_id}",
        handler=show_action,
        action="compute:server-action:show",
        allow=PROJECT_READER,
    ),
]
