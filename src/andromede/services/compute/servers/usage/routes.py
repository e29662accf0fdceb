"""Usage over HTTP. Source: the compute API's reference, "Usage reports"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from andromede import clock
from andromede.http.access import ADMIN, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.operation import Operation
from andromede.http.paging import next_link
from andromede.services.compute import values
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.usage import store
from andromede.services.compute.servers.usage.store import Window

FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
HOUR = 3600 * clock.SECOND
PAGED = (2, 40)


def _moment(text: str | None) -> int:
    """A moment of the query, now when there is none. Errors: BadRequest."""
    if not text:
        return clock.now()
    for form in FORMATS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(found.timestamp() * clock.SECOND)
    raise BadRequest(
        f"Datetime is in invalid format: {text!r}; as in 2030-01-31T10:00:00 it is accepted."
    )


def _window(context: Context, project_id: str | None) -> Window:
    asked = context.first("start")
    start, stop = _moment(asked), _moment(context.first("end"))
    if start > stop or (asked and start == stop):
        raise BadRequest("Invalid start time. The start time cannot occur after the end time.")
    return Window(start=start, stop=min(stop, clock.now()), project_id=project_id)


def _page(context: Context, window: Window) -> tuple[list[Server], int]:
    limit, marker = values.MOST_LISTED, None
    if context.version >= PAGED:
        given = context.first("limit")
        limit = values.whole(given, "limit", 0) if given is not None else limit
        limit, marker = min(limit, values.MOST_LISTED), context.first("marker")
        if marker is not None and not store.exists(context.conn, marker):
            raise BadRequest(f"Marker {marker} could not be found.")
    found: list[Server] = store.page(context.conn, window, limit, marker)
    for server in found:
        context.touches(server.id, server.project_id)
    return found, limit


def _spoken(moment: int) -> str:
    return clock.iso_micro(moment).removesuffix("Z")


def _one(server: Server, window: Window) -> dict[str, Any]:
    """What one server used; hours are counted inside the window alone."""
    began, ended = server.launched_at or server.created_at, server.terminated_at
    inside = min(window.stop, ended or window.stop) - max(window.start, began)
    return {
        "hours": max(0, inside) / HOUR,
        "flavor": server.flavor.original_name,
        "instance_id": server.id,
        "name": server.name,
        "tenant_id": server.project_id,
        "memory_mb": server.flavor.ram,
        "local_gb": server.root_disk,
        "vcpus": server.flavor.vcpus,
        "started_at": _spoken(began),
        "ended_at": None if ended is None else _spoken(ended),
        "state": "terminated" if ended is not None else server.vm_state,
        "uptime": ((ended or clock.now()) - began) // clock.SECOND,
    }


def _summaries(servers: list[Server], window: Window) -> list[dict[str, Any]]:
    """What each project used, with its servers, in the order in which they were made."""
    found: dict[str, dict[str, Any]] = {}
    for server in servers:
        one = _one(server, window)
        summary = found.setdefault(
            server.project_id,
            {
                "tenant_id": server.project_id, "server_usages": [],
                "total_local_gb_usage": 0.0, "total_vcpus_usage": 0.0,
                "total_memory_mb_usage": 0.0, "total_hours": 0.0,
                "start": _spoken(window.start), "stop": _spoken(window.stop),
            },
        )  # fmt: skip
        summary["server_usages"].append(one)
        summary["total_hours"] += one["hours"]
        for name in ("local_gb", "vcpus", "memory_mb"):
            summary[f"total_{name}_usage"] += one[name] * one["hours"]
    return list(found.values())


def _links(context: Context, path: str, servers: list[Server], limit: int) -> list[dict[str, str]]:
    if context.version < PAGED or not limit or len(servers) < limit:
        return []
    href = next_link(context.url(path), context.query, servers[-1].id)
    return [{"rel": "next", "href": href}]


def _known(context: Context, *more: str) -> None:
    paging = ("limit", "marker") if context.version >= PAGED else ()
    values.known_query(context, ("start", "end", *paging, *more))


def index(context: Context) -> dict[str, Any]:
    _known(context, "detailed")
    window = _window(context, None)
    servers, limit = _page(context, window)
    usages = _summaries(servers, window)
    if context.first("detailed") != "1":
        for each in usages:
            del each["server_usages"]
    body: dict[str, Any] = {"tenant_usages": usages}
    if links := _links(context, "/v2.1/os-simple-tenant-usage", servers, limit):
        body["tenant_usages_links"] = links
    return body


def show(context: Context) -> dict[str, Any]:
    """Errors: Forbidden for another's project, except to operators."""
    _known(context)
    project_id = context.params["id"]
    if project_id != context.project_id and not context.caller.admin:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:os-simple-tenant-usage:show to be performed."
        )
    window = _window(context, project_id)
    servers, limit = _page(context, window)
    usages = _summaries(servers, window)
    body: dict[str, Any] = {"tenant_usage": usages[0] if usages else {}}
    if links := _links(context, f"/v2.1/os-simple-tenant-usage/{project_id}", servers, limit):
        body["tenant_usage_links"] = links
    return body


OPERATIONS = [
    Operation(
        method="GET", path="/v2.1/os-simple-tenant-usage", handler=index,
        action="compute:usage:list", allow=ADMIN,
    ),
    Operation(
        method="GET", path="/v2.1/os-simple-tenant-usage/{id}", handler=show,
        action="compute:usage:show", allow=PROJECT_READER,
    ),
]  # fmt: skip
