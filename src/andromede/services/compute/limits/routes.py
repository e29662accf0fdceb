"""Quotas and limits over HTTP: projects see their own, operators see and set everybody's."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, PROJECT, PROJECT_READER, Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.operation import Operation
from andromede.quotas import UNLIMITED
from andromede.services.compute import values
from andromede.services.compute.limits import store
from andromede.services.compute.limits.schema import (
    FileQuotaClassSetBody,
    FileQuotaSetBody,
    NetworkQuotaClassSetBody,
    NetworkQuotaSetBody,
    QuotaClassSetBody,
    QuotaSetBody,
)
from andromede.services.compute.limits.versions import hide
from andromede.services.compute.projects import require_project
from andromede.services.compute.servers import store as servers
from andromede.services.compute.servers.groups import store as groups
from andromede.sovereignty.log.leaves import EVERYONE

LIMIT_NAMES = {
    "ram": "maxTotalRAMSize",
    "instances": "maxTotalInstances",
    "cores": "maxTotalCores",
    "key_pairs": "maxTotalKeypairs",
    "metadata_items": "maxServerMeta",
    "server_groups": "maxServerGroups",
    "server_group_members": "maxServerGroupMembers",
}
USED_NAMES = {
    "ram": "totalRAMUsed",
    "cores": "totalCoresUsed",
    "instances": "totalInstancesUsed",
    "server_groups": "totalServerGroupsUsed",
}


def _project(context: Context) -> str:
    """The project a path names.

    Errors: Forbidden for another's, except to operators.
    """
    values.known_query(context, ("user_id",))
    return _own(context, context.params["id"])


def _own(context: Context, project_id: str) -> str:
    if project_id != context.project_id and not context.caller.admin:
        raise Forbidden(
            f"Policy doesn't allow {context.operation.action} to be performed on project "
            f"{project_id}; a token of that project may, or an admin."
        )
    return project_id


def _used(context: Context, project_id: str, user_id: str | None = None) -> dict[str, int]:
    """What a project uses, or one of its users; what counts per server uses nothing."""
    instances, cores, ram = (
        servers.usage_of_user(context.conn, project_id, user_id)
        if user_id
        else servers.usage(context.conn, project_id)
    )
    nothing = dict.fromkeys((*store.DEFAULTS, *store.FORMER), 0)
    in_groups = groups.count(context.conn, project_id)
    counted = {"instances": instances, "cores": cores, "ram": ram, "server_groups": in_groups}
    return {**nothing, **counted}


def _limits(context: Context, project_id: str) -> dict[str, int]:
    """The limits of a project, or of the user in it whom the query names."""
    allowed = store.limits(context.conn, project_id)
    user_id = context.first("user_id")
    return allowed | (store.of_user(context.conn, project_id, user_id) if user_id else {})


def show(context: Context) -> dict[str, Any]:
    project_id = _project(context)
    return {"quota_set": {"id": project_id, **hide(_limits(context, project_id))}}


def defaults(context: Context) -> dict[str, Any]:
    return {"quota_set": {"id": context.params["id"], **hide(store.defaults(context.conn))}}


def detail(context: Context) -> dict[str, Any]:
    project_id = _project(context)
    used = _used(context, project_id, context.first("user_id"))
    whole: dict[str, Any] = {
        name: {"limit": limit, "in_use": used[name], "reserved": 0}
        for name, limit in _limits(context, project_id).items()
    }
    return {"quota_set": {"id": project_id, **hide(whole)}}


def update(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for a faulty limit, one below what is used unless forced, and a user's that
    is none of users or beyond the project's."""
    project_id, user_id = _project(context), context.first("user_id")
    require_project(context.conn, project_id)
    new = context.body.quota_set
    wanted = new.wanted()
    if user_id:
        _require_of_user(wanted, store.limits(context.conn, project_id))
    if not values.boolean(new.force, "force"):
        used = _used(context, project_id, user_id)
        for name, limit in wanted.items():
            if limit != UNLIMITED and limit < used[name]:
                raise BadRequest(
                    f"Quota limit {limit} for {name} must be greater than or equal to already "
                    f"used and reserved {used[name]}."
                )
    if user_id:
        store.set_user(context.conn, project_id, user_id, wanted)
    else:
        store.set_limits(context.conn, project_id, wanted)
    context.concerns(project_id, project_id)
    return {"quota_set": hide(_limits(context, project_id))}


def _require_of_user(wanted: dict[str, int], allowed: dict[str, int]) -> None:
    for name, limit in wanted.items():
        if name not in store.OF_USERS:
            raise BadRequest(
                f"Quota limit for {name} is kept per project; for users, "
                f"{', '.join(store.OF_USERS)} are accepted."
            )
        if allowed[name] != UNLIMITED and not 0 <= limit <= allowed[name]:
            raise BadRequest(
                f"Quota limit {limit} for {name} must be less than or equal to {allowed[name]}."
            )


def reset(context: Context) -> None:
    project_id, user_id = _project(context), context.first("user_id")
    if user_id:
        store.reset_user(context.conn, project_id, user_id)
    else:
        store.reset(context.conn, project_id)
    context.concerns(project_id, project_id)


def show_class(context: Context) -> dict[str, Any]:
    """Every class answers the defaults: there is one."""
    found = hide(store.defaults(context.conn))
    return {"quota_class_set": {"id": context.params["id"], **found}}


def update_class(context: Context) -> dict[str, Any]:
    if context.params["id"] != "default":
        raise BadRequest(f"Quota class {context.params['id']} cannot be set: default can.")
    store.set_defaults(context.conn, context.body.quota_class_set.wanted())
    context.concerns("default", EVERYONE)
    return {"quota_class_set": hide(store.defaults(context.conn))}


def show_limits(context: Context) -> dict[str, Any]:
    values.known_query(context, ("tenant_id",))
    project_id = _own(context, context.first("tenant_id") or context.project_id)
    limits = store.limits(context.conn, project_id)
    used = _used(context, project_id)
    absolute = {shown: limits[name] for name, shown in LIMIT_NAMES.items()}
    absolute |= {shown: used[name] for name, shown in USED_NAMES.items()}
    return {"limits": {"rate": [], "absolute": absolute}}


def _set(method: str, tail: str, handler: Any, verb: str, allow: Rule, **more: Any) -> Operation:
    return Operation(
        method=method,
        path=f"/v2.1/os-quota-sets/{{id}}{tail}",
        handler=handler,
        action=f"compute:quota_set:{verb}",
        allow=allow,
        **more,
    )


OPERATIONS = [
    _set("GET", "", show, "show", PROJECT_READER),
    _set("GET", "/defaults", defaults, "defaults", PROJECT),
    _set("GET", "/detail", detail, "detail", PROJECT_READER),
    _set("PUT", "", update, "update", ADMIN, body=NetworkQuotaSetBody, until=(2, 35)),
    _set("PUT", "", update, "update", ADMIN, body=FileQuotaSetBody, since=(2, 36), until=(2, 56)),
    _set("PUT", "", update, "update", ADMIN, body=QuotaSetBody, since=(2, 57)),
    _set("DELETE", "", reset, "reset", ADMIN, status=202),
    Operation(
        method="GET",
        path="/v2.1/os-quota-class-sets/{id}",
        handler=show_class,
        action="compute:quota_class_set:show",
        allow=ADMIN,
    ),
    *(
        Operation(
            method="PUT",
            path="/v2.1/os-quota-class-sets/{id}",
            handler=update_class,
            action="compute:quota_class_set:update",
            allow=ADMIN,
            body=body,
            since=since,
            until=until,
        )
        for body, since, until in (
            (NetworkQuotaClassSetBody, None, (2, 49)),
            (FileQuotaClassSetBody, (2, 50), (2, 56)),
            (QuotaClassSetBody, (2, 57), None),
        )
    ),
    Operation(
        method="GET",
        path="/v2.1/limits",
        handler=show_limits,
        action="compute:limits:show",
        allow=PROJECT,
    ),
]
