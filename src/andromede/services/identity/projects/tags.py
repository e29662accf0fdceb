"""Rows of /v3/projects/{project_id}/tags and their handlers."""

from __future__ import annotations

from typing import Any

import msgspec

from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.identity import policy
from andromede.services.identity.bodies import Tag
from andromede.services.identity.links import own
from andromede.services.identity.projects import store
from andromede.services.identity.projects.routes import find, manage
from andromede.services.identity.projects.schema import TagsBody

MOST = 80


def _answer(context: Context, project_id: str) -> dict[str, Any]:
    tags = store.tags(context.conn, [project_id])[project_id]
    return {"tags": tags, "links": own(context, f"projects/{project_id}/tags")}


def list_tags(context: Context) -> dict[str, Any]:
    return _answer(context, find(context, context.params["project_id"]).id)


def replace(context: Context) -> dict[str, Any]:
    row = manage(context, context.params["project_id"])
    store.set_tags(context.conn, row.id, context.body.tags)
    return _answer(context, row.id)


def clear(context: Context) -> Reply:
    row = manage(context, context.params["project_id"])
    store.set_tags(context.conn, row.id, [])
    return Reply(204)


def check(context: Context) -> Reply:
    row = find(context, context.params["project_id"])
    _require(context, row.id)
    return Reply(204)


def add(context: Context) -> Reply:
    """201 with the place of the tag, whether or not it was there."""
    row = manage(context, context.params["project_id"])
    try:
        name = msgspec.convert(context.params["tag"], Tag)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Invalid input for field 'tag': {error}") from error
    names = set(store.tags(context.conn, [row.id])[row.id]) | {name}
    if len(names) > MOST:
        raise BadRequest(f"Project {row.id} has {MOST} tags, which is as many as are accepted.")
    store.set_tags(context.conn, row.id, names)
    where = own(context, f"projects/{row.id}/tags/{name}")["self"]
    return Reply(201, None, {"Location": where})


def remove(context: Context) -> Reply:
    row = manage(context, context.params["project_id"])
    names = _require(context, row.id)
    store.set_tags(context.conn, row.id, [each for each in names if each != context.params["tag"]])
    return Reply(204)


def _require(context: Context, project_id: str) -> list[str]:
    names = store.tags(context.conn, [project_id])[project_id]
    if context.params["tag"] not in names:
        raise NotFound(f"Could not find project tag: {context.params['tag']}.")
    return names


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/projects/{{project_id}}/tags{path}", handler=handler,
        action=f"identity:project_tag:{verb}",
        allow=AUTHENTICATED if method == "GET" else policy.DOMAIN_MANAGER, **more,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", list_tags, "list"),
    _row("PUT", "", replace, "replace", body=TagsBody),
    _row("DELETE", "", clear, "clear", status=204),
    _row("GET", "/{tag}", check, "check", status=204),
    _row("PUT", "/{tag}", add, "add", status=201),
    _row("DELETE", "/{tag}", remove, "remove", status=204),
]
