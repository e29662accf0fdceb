"""Rows of /v3/projects and their handlers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from andromede import ids
from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.http.paging import read_page
from andromede.services.identity import policy, takeover
from andromede.services.identity.bodies import (
    check_change,
    check_immutable,
    check_query,
    extras,
    given,
    truth,
)
from andromede.services.identity.home import home_domain, require_domain
from andromede.services.identity.links import several
from andromede.services.identity.projects import filters, store, tree
from andromede.services.identity.projects.schema import (
    NewProject,
    NewProjectBody,
    ProjectChange,
    ProjectChangeBody,
)
from andromede.services.identity.projects.view import project_view
from andromede.services.identity.rows import Row, duplicate, page_of, refusing


def find(context: Context, project_id: str) -> Row:
    """A project that the caller may see.

    Errors: Forbidden when it may not, whether or not there is one; NotFound.
    """
    row = store.get(context.conn, project_id)
    caller = context.caller
    domain = row and (row.domain_id or row.id)
    seen = policy.domain_reader(caller, domain) or caller.project_id == project_id
    policy.require(context, seen)
    if row is None:
        raise NotFound(f"Could not find project: {project_id}.")
    return row


def manage(context: Context, project_id: str) -> Row:
    """A project that the caller may change; domains change by /v3/domains, or by an admin.

    Errors: Forbidden, NotFound.
    """
    row = store.get(context.conn, project_id)
    policy.require(context, policy.domain_manager(context.caller, row and row.domain_id))
    if row is None:
        raise NotFound(f"Could not find project: {project_id}.")
    context.concerns(row.id, None if row.is_domain else row.id)
    return row


def show_one(context: Context, row: Row) -> dict[str, Any]:
    tags = store.tags(context.conn, [row.id])[row.id]
    return {"project": project_view(context, row, tags)}


def list_projects(context: Context) -> dict[str, Any]:
    check_query(context, 64)
    where = filters.conditions(context.query)
    if context.caller.domain_id is not None and not policy.system_reader(context.caller):
        where.append(store.project.c.domain_id == context.caller.domain_id)
    rows, more = page_of(context.conn, store.project, where, read_page(context.query))
    tags = store.tags(context.conn, [row.id for row in rows])
    items = [project_view(context, row, tags[row.id]) for row in rows]
    return several(context, "projects", items, more=more)


def create(context: Context) -> dict[str, Any]:
    body: NewProject = context.body.project
    values = _top(context, body) if body.is_domain else _below(context, body)
    row: dict[str, Any] = {
        **values,
        "id": ids.new_hex(),
        "name": body.name,
        "is_domain": body.is_domain,
        "enabled": body.enabled,
        "description": body.description or "",
        "options": body.options.document(),
        "extra": extras(context, "project", NewProject),
    }
    with refusing("project", duplicate(body.name, values["domain_id"])):
        context.conn.execute(sa.insert(store.project), row)
    store.set_tags(context.conn, row["id"], body.tags)
    takeover.born(context.conn, row["id"])
    context.concerns(row["id"], row["id"])
    made = store.get(context.conn, row["id"])
    assert made is not None
    return show_one(context, made)


def _top(context: Context, body: NewProject) -> dict[str, Any]:
    """Where a project that acts as a domain goes: nowhere but the top."""
    policy.require(context, context.caller.admin)
    if body.parent_id is not None or body.domain_id is not None:
        raise BadRequest(
            "A project acting as a domain has no parent and no domain: parent_id and domain_id "
            "must be left out."
        )
    return {"domain_id": "", "parent_id": None}


def _below(context: Context, body: NewProject) -> dict[str, Any]:
    parent = store.get(context.conn, body.parent_id) if body.parent_id else None
    domain_id = body.domain_id or (parent and (parent.domain_id or parent.id))
    domain_id = domain_id or home_domain(context)
    policy.require(context, policy.domain_manager(context.caller, domain_id))
    require_domain(context, domain_id)
    parent_id = body.parent_id or domain_id
    tree.check_parent(context.conn, parent_id, domain_id)
    return {"domain_id": domain_id, "parent_id": parent_id}


def show(context: Context) -> dict[str, Any]:
    row = find(context, context.params["project_id"])
    as_list, as_ids = (truth(context.first(f"parents_as_{each}")) for each in ("list", "ids"))
    below, below_ids = (truth(context.first(f"subtree_as_{each}")) for each in ("list", "ids"))
    if (as_list and as_ids) or (below and below_ids):
        raise BadRequest("Cannot use the _as_list and _as_ids query params at the same time.")
    body = show_one(context, row)
    project = body["project"]
    if as_list:
        project["parents"] = [
            show_one(context, each) for each in store.ancestors(context.conn, row)
        ]
    if as_ids:
        project["parents"] = filters.nested_parents(store.ancestors(context.conn, row), row)
    if below:
        project["subtree"] = [
            show_one(context, each) for each in store.subtree(context.conn, row.id)
        ]
    if below_ids:
        project["subtree"] = filters.nested_children(store.subtree(context.conn, row.id), row.id)
    return body


def update(context: Context) -> dict[str, Any]:
    row = manage(context, context.params["project_id"])
    body: ProjectChange = context.body.project
    check_change(context, "project", row.id, "project")
    _check_fixed(row, body)
    values = given(body, "name", "enabled", "description")
    if not isinstance(body.options, msgspec.UnsetType):
        values["options"] = {**row.options, **body.options.document()}
    check_immutable(row, "update", "project", values.get("options"))
    if "description" in values:
        values["description"] = values["description"] or ""
    values["extra"] = {**row.extra, **extras(context, "project", ProjectChange)}
    if "enabled" in values:
        tree.check_switch(context.conn, row, values["enabled"])
    with refusing("project", duplicate(values.get("name", row.name), row.domain_id)):
        context.conn.execute(
            sa.update(store.project).where(store.project.c.id == row.id).values(**values)
        )
    if not isinstance(body.tags, msgspec.UnsetType):
        store.set_tags(context.conn, row.id, body.tags)
    tree.switched(context, row, values)
    return show_one(context, store.get(context.conn, row.id) or row)


def _check_fixed(row: Row, body: ProjectChange) -> None:
    """Refuse to move a project. Errors: BadRequest, Forbidden."""
    moved = given(body, "parent_id", "domain_id", "is_domain")
    if moved.get("parent_id", row.parent_id) != row.parent_id:
        raise Forbidden("Update of `parent_id` is not allowed.")
    if moved.get("domain_id", row.domain_id or None) != (row.domain_id or None):
        raise BadRequest(f"Cannot change the domain of project {row.id}.")
    if moved.get("is_domain", row.is_domain) != row.is_domain:
        raise BadRequest("Update of `is_domain` is not allowed.")


def delete(context: Context) -> Reply:
    row = manage(context, context.params["project_id"])
    if row.is_domain:
        tree.delete_domain(context, row)
    else:
        tree.delete_project(context, row)
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/projects{path}", handler=handler,
        action=f"identity:project:{verb}", **{"allow": AUTHENTICATED, **more},
    )  # fmt: skip


ONE = "/{project_id}"
OPERATIONS = [
    _row("GET", "", list_projects, "list", allow=policy.DOMAIN_READER),
    _row(
        "POST", "", create, "create", allow=policy.DOMAIN_MANAGER, body=NewProjectBody, status=201
    ),
    _row("GET", ONE, show, "show"),
    _row(
        "PATCH",
        ONE,
        update,
        "update",
        allow=policy.DOMAIN_MANAGER,
        body=ProjectChangeBody,
        places="expose",
    ),
    _row("DELETE", ONE, delete, "delete", allow=policy.DOMAIN_MANAGER, status=204),
]
