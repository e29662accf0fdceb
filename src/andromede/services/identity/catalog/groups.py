"""Rows of /v3/OS-EP-FILTER and their handlers: which endpoints the catalog of a project holds, one by
one or by groups. Source: the identity API's extension OS-EP-FILTER."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import ids
from andromede.http.access import ADMIN, ADMIN_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity.bodies import check_change, check_query, given, known_query
from andromede.services.identity.catalog import entries, store
from andromede.services.identity.catalog.entries import FIXED, Item
from andromede.services.identity.catalog.nouns import ENDPOINT
from andromede.services.identity.catalog.schema import (
    GroupChange,
    GroupChangeBody,
    NewGroup,
    NewGroupBody,
)
from andromede.services.identity.links import own, several
from andromede.services.identity.projects import store as projects
from andromede.services.identity.projects.view import project_view
from andromede.services.identity.rows import Row, page_of
from andromede.sovereignty.log.leaves import EVERYONE

BASE = "OS-EP-FILTER"


def _view(context: Context, row: Row) -> Item:
    return {
        "id": row.id, "name": row.name, "description": row.description, "filters": row.filters,
        "links": own(context, f"{BASE}/endpoint_groups/{row.id}"),
    }  # fmt: skip


def _group(context: Context) -> Row:
    """The endpoint group of the path. Errors: NotFound."""
    identifier = context.params["group_id"]
    row = store.get_group(context.conn, identifier)
    if row is None:
        raise NotFound(f"Could not find endpoint group: {identifier}.")
    context.concerns(identifier, EVERYONE)
    return row


def _project(context: Context) -> str:
    """The project of the path. Errors: NotFound."""
    identifier = context.params["project_id"]
    if projects.get(context.conn, identifier) is None:
        raise NotFound(f"Could not find project: {identifier}.")
    return identifier


def _show_one(context: Context, group_id: str) -> Item:
    row = store.get_group(context.conn, group_id)
    assert row is not None
    return {"endpoint_group": _view(context, row)}


def list_groups(context: Context) -> Item:
    known_query(context, "name")
    check_query(context)
    name = context.first("name")
    where = [] if name is None else [store.group.c.name == name]
    rows, more = page_of(context.conn, store.group, where, read_page(context.query))
    return several(context, "endpoint_groups", [_view(context, row) for row in rows], more=more)


def create(context: Context) -> Item:
    body: NewGroup = context.body.endpoint_group
    filters = body.filters.document()
    if not filters:
        raise BadRequest("filters field is required and cannot be empty")
    values: Item = {
        "id": ids.new_hex(), "name": body.name, "description": body.description,
        "filters": filters,
    }  # fmt: skip
    context.conn.execute(sa.insert(store.group), values)
    context.concerns(values["id"], EVERYONE)
    return _show_one(context, values["id"])


def show(context: Context) -> Item:
    return {"endpoint_group": _view(context, _group(context))}


def update(context: Context) -> Item:
    row = _group(context)
    body: GroupChange = context.body.endpoint_group
    check_change(context, "endpoint_group", row.id, "endpoint group")
    values = given(body, "name", "description", "filters")
    if "filters" in values:
        values["filters"] = values["filters"].document()
    store.change_group(context.conn, row.id, values)
    return _show_one(context, row.id)


def delete(context: Context) -> Reply:
    store.delete(context.conn, store.group, [_group(context).id])
    return Reply(204)


def _endpoints(context: Context) -> list[Item]:
    """Every endpoint, whoever made it."""
    rows = store.everything(context.conn, store.endpoint)
    return entries.merged(entries.own_endpoints(context), rows, FIXED[store.endpoint])


def _shown(context: Context, found: list[Item]) -> Item:
    return several(context, "endpoints", [ENDPOINT.view(context, each) for each in found])


def endpoints_of_group(context: Context) -> Item:
    filters = _group(context).filters
    return _shown(context, [x for x in _endpoints(context) if entries.matches(x, filters)])


def endpoints_of_project(context: Context) -> Item:
    named, filters = store.filters_of(context.conn, _project(context))
    found = [
        each for each in _endpoints(context)
        if each["id"] in named or any(entries.matches(each, one) for one in filters)
    ]  # fmt: skip
    return _shown(context, found)


def groups_of_project(context: Context) -> Item:
    links = store.associated(context.conn, store.group_project, project_id=_project(context))
    rows = [store.get_group(context.conn, each["endpoint_group_id"]) for each in links]
    found = [_view(context, row) for row in rows if row is not None]
    return several(context, "endpoint_groups", found)


def _projects(context: Context, links: list[Item]) -> Item:
    names = [each["project_id"] for each in links]
    tags = projects.tags(context.conn, names)
    rows = projects.several(context.conn, names)
    return several(context, "projects", [project_view(context, x, tags[x.id]) for x in rows])


def projects_of_group(context: Context) -> Item:
    row = _group(context)
    return _projects(
        context, store.associated(context.conn, store.group_project, endpoint_group_id=row.id)
    )


def projects_of_endpoint(context: Context) -> Item:
    item = ENDPOINT.require(context)
    link = store.endpoint_project
    return _projects(context, store.associated(context.conn, link, endpoint_id=item["id"]))


def _group_link(context: Context) -> Item:
    ends = {"endpoint_group_id": _group(context).id, "project_id": _project(context)}
    context.concerns(ends["endpoint_group_id"], ends["project_id"])
    return ends


def _endpoint_link(context: Context) -> Item:
    ends = {"endpoint_id": ENDPOINT.require(context)["id"], "project_id": _project(context)}
    context.concerns(ends["endpoint_id"], ends["project_id"])
    return ends


def _require(context: Context, link: sa.Table, ends: Item) -> None:
    if not store.associated(context.conn, link, **ends):
        named = ", ".join(f"{name} {value}" for name, value in ends.items())
        raise NotFound(f"Could not find an association of {named}.")


def show_group_link(context: Context) -> Item:
    ends = _group_link(context)
    _require(context, store.group_project, ends)
    path = f"{BASE}/endpoint_groups/{ends['endpoint_group_id']}/projects/{ends['project_id']}"
    return {"project_endpoint_group": {**ends, "links": own(context, path)}}


def _add(context: Context, link: sa.Table, ends: Item) -> Reply:
    if not store.associated(context.conn, link, **ends):
        store.associate(context.conn, link, **ends)
    return Reply(204)


def add_group(context: Context) -> Reply:
    return _add(context, store.group_project, _group_link(context))


def remove_group(context: Context) -> Reply:
    ends = _group_link(context)
    _require(context, store.group_project, ends)
    store.part(context.conn, store.group_project, **ends)
    return Reply(204)


def check_endpoint(context: Context) -> Reply:
    _require(context, store.endpoint_project, _endpoint_link(context))
    return Reply(204)


def add_endpoint(context: Context) -> Reply:
    return _add(context, store.endpoint_project, _endpoint_link(context))


def remove_endpoint(context: Context) -> Reply:
    ends = _endpoint_link(context)
    _require(context, store.endpoint_project, ends)
    store.part(context.conn, store.endpoint_project, **ends)
    return Reply(204)


def _row(method: str, path: str, handler: Any, action: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/{BASE}/{path}", handler=handler, action=f"identity:{action}",
        allow=ADMIN_READER if method == "GET" else ADMIN, **more,
    )  # fmt: skip


ONE = "endpoint_groups/{group_id}"
LINK = "endpoint_groups/{group_id}/projects/{project_id}"
ENDPOINT_LINK = "projects/{project_id}/endpoints/{id}"
OPERATIONS = [
    _row("GET", "endpoint_groups", list_groups, "endpoint_group:list"),
    _row("POST", "endpoint_groups", create, "endpoint_group:create", body=NewGroupBody, status=201),
    _row("GET", ONE, show, "endpoint_group:show"),
    _row("PATCH", ONE, update, "endpoint_group:update", body=GroupChangeBody),
    _row("DELETE", ONE, delete, "endpoint_group:delete", status=204),
    _row("GET", f"{ONE}/endpoints", endpoints_of_group, "endpoint_group:list_endpoints"),
    _row("GET", f"{ONE}/projects", projects_of_group, "endpoint_group:list_projects"),
    _row("GET", LINK, show_group_link, "project_endpoint_group:show"),
    _row("PUT", LINK, add_group, "project_endpoint_group:add", status=204),
    _row("DELETE", LINK, remove_group, "project_endpoint_group:remove", status=204),
    _row("GET", "endpoints/{id}/projects", projects_of_endpoint, "project_endpoint:list_projects"),
    _row("GET", "projects/{project_id}/endpoints", endpoints_of_project, "project_endpoint:list"),
    _row(
        "GET", "projects/{project_id}/endpoint_groups", groups_of_project,
        "project_endpoint_group:list",
    ),
    _row("GET", ENDPOINT_LINK, check_endpoint, "project_endpoint:check", status=204),
    _row("PUT", ENDPOINT_LINK, add_endpoint, "project_endpoint:add", status=204),
    _row("DELETE", ENDPOINT_LINK, remove_endpoint, "project_endpoint:remove", status=204),
]  # fmt: skip
