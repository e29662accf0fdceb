"""Handlers of policies and sites: where a project's data may lie."""

from __future__ import annotations

import re

from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Reply
from andromede.sovereignty.admit import allowed_sites, set_allowed_sites

PROJECT = re.compile(r"[A-Za-z0-9-]{1,64}")


def _project(context: Context) -> str:
    """The project of the path, if the caller may know of it.

    Errors: NotFound.
    """
    project = context.params["id"]
    if PROJECT.fullmatch(project) and (context.caller.admin or project == context.project_id):
        return project
    raise NotFound(f"Project {project} could not be found.")


def show(context: Context) -> object:
    """Errors: NotFound when the project has no policy, which allows every site."""
    project = _project(context)
    sites = allowed_sites(context.conn, project)
    if sites is None:
        raise NotFound(f"Project {project} has no policy: every site of this cloud is allowed.")
    return {"policy": {"allowed_sites": sites}}


def replace(context: Context) -> object:
    project = _project(context)
    set_allowed_sites(context.conn, project, context.body.policy.allowed_sites)
    context.concerns(project, project)
    context.notes = {"allowed_sites": allowed_sites(context.conn, project) or []}
    return show(context)


def delete(context: Context) -> Reply:
    """Errors: NotFound when there is none."""
    project = _project(context)
    show(context)
    set_allowed_sites(context.conn, project, None)
    context.concerns(project, project)
    return Reply(204)
