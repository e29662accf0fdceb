"""Quotas over HTTP."""

from __future__ import annotations

from typing import Any

from andromede import quotas
from andromede.http.access import ADMIN, PROJECT_READER, Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation, Reply
from andromede.services.network.common import checks
from andromede.services.network.common.errors import forbidden
from andromede.services.network.quota import store

CHECK, FORCE = "check_limit", "force"
_limit = checks.integer(-1, store.MOST)


def _project(context: Context) -> str:
    """The project of the path, if the caller may read its quotas."""
    project_id = context.params["project_id"]
    if project_id != context.project_id and not context.caller.admin:
        raise forbidden("rule:get_quota is disallowed by policy: it is another project's")
    return project_id


def index(context: Context) -> object:
    """The projects whose quotas an operator set."""
    projects = store.overridden(context.conn)
    return {
        "quotas": [
            {"project_id": each, "tenant_id": each, **store.limits(context.conn, each)}
            for each in projects
        ]
    }


def show(context: Context) -> object:
    return {"quota": store.limits(context.conn, _project(context))}


def show_default(context: Context) -> object:
    _project(context)
    return {"quota": dict(store.DEFAULTS)}


def details(context: Context) -> object:
    project_id = _project(context)
    limits = store.limits(context.conn, project_id)
    return {
        "quota": {
            name: {
                "limit": limit,
                "used": store.used(context.conn, project_id, name),
                "reserved": 0,
            }
            for name, limit in limits.items()
        }
    }


def update(context: Context) -> object:
    """Set limits; with `check_limit` none falls below what the project uses."""
    project_id = context.params["project_id"]
    context.concerns(project_id, project_id)
    sent: Any = context.body.get("quota") if isinstance(context.body, dict) else None
    if not isinstance(sent, dict):
        raise BadRequest("Unable to find 'quota' in request body: an object is accepted")
    flags = {name: _flag(name, sent[name]) for name in (CHECK, FORCE) if name in sent}
    limits = {name: _read(name, value) for name, value in sent.items() if name not in flags}
    if flags.get(CHECK) and not flags.get(FORCE):
        _require_room(context, project_id, limits)
    quotas.set_limits(context.conn, store.SERVICE, project_id, limits)
    return {"quota": store.limits(context.conn, project_id)}


def _flag(name: str, value: Any) -> bool:
    try:
        return checks.boolean(value)
    except ValueError as error:
        raise BadRequest(f"Invalid input for {name}. Reason: {error}.") from None


def _read(name: str, value: Any) -> int:
    if name not in store.DEFAULTS:
        known = ", ".join(sorted(store.DEFAULTS))
        raise BadRequest(f"Unrecognized attribute(s) '{name}': accepted are {known}")
    try:
        return int(_limit(value))
    except ValueError as error:
        raise BadRequest(f"Invalid input for {name}. Reason: {error}.") from None


def _require_room(context: Context, project_id: str, limits: dict[str, int]) -> None:
    for name, limit in limits.items():
        used = store.used(context.conn, project_id, name)
        if limit != quotas.UNLIMITED and used > limit:
            raise BadRequest(
                f"Quota limit {limit} for {name} must be greater than or equal to already used {used}"
            )


def reset(context: Context) -> Reply:
    project_id = context.params["project_id"]
    context.concerns(project_id, project_id)
    quotas.reset(context.conn, store.SERVICE, project_id)
    return Reply(204)


def _row(method: str, tail: str, handler: Any, verb: str, allow: Rule) -> Operation:
    return Operation(
        method=method,
        path=f"/v2.0/quotas{tail}",
        handler=handler,
        action=f"network:quota:{verb}",
        allow=allow,
        status=204 if method == "DELETE" else 200,
    )


ONE = "/{project_id}"
OPERATIONS: list[Operation] = [
    _row("GET", "", index, "list", ADMIN),
    _row("GET", ONE, show, "show", PROJECT_READER),
    _row("GET", f"{ONE}/default", show_default, "default", PROJECT_READER),
    _row("GET", f"{ONE}/details.json", details, "details", PROJECT_READER),
    _row("GET", f"{ONE}/details", details, "details", PROJECT_READER),
    _row("PUT", ONE, update, "update", ADMIN),
    _row("DELETE", ONE, reset, "delete", ADMIN),
]
