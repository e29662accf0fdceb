"""What each server claims, and what projects claim in all.

Source: the placement API, allocations and usages.
"""

from __future__ import annotations

from typing import Any

from andromede.http.access import PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.services.compute import api as compute
from andromede.services.placement import hosts
from andromede.services.placement.versions import known, read, since

INSTANCE = "INSTANCE"  # the only type of consumer there is


def allocations(context: Context) -> dict[str, Any]:
    """A consumer that is unknown claims nothing."""
    server = compute.claimant(context.conn, context.params["id"])
    if server is None:
        return {"allocations": {}}
    host = next(each for each in hosts.every(context) if each.name == server.host)
    shown: dict[str, Any] = {
        "allocations": {host.id: {"generation": host.generation, "resources": server.resources}}
    }
    if since(context, 12):
        shown |= {"project_id": server.project_id, "user_id": server.user_id}
    if since(context, 28):
        shown["consumer_generation"] = 1
    if since(context, 38):
        shown["consumer_type"] = INSTANCE
    return shown


def usages(context: Context) -> dict[str, Any]:
    """What the servers of a project, or of one of its users, claim.

    Errors: BadRequest without a project; Forbidden for another project.
    """
    query = known(context, {"project_id": 9, "user_id": 9, "consumer_type": 38})
    project = query.get("project_id")
    if not project:
        raise BadRequest("Invalid query string parameters: project_id is a required parameter.")
    if not context.caller.admin and project != context.project_id:
        raise Forbidden(f"The usages of project {project} are for its own users and operators.")
    wanted = query.get("consumer_type", "all")
    count, claimed = compute.claimed_by(context.conn, project, query.get("user_id"))
    if not since(context, 38):
        return {"usages": claimed if count else {}}
    if not count or wanted not in ("all", INSTANCE):
        return {"usages": {}}
    return {"usages": {wanted if wanted == "all" else INSTANCE: {
        **claimed, "consumer_count": count}}}  # fmt: skip


OPERATIONS = [
    read("/allocations/{id}", allocations, "allocation:show"),
    read("/usages", usages, "usage:total", minor=9, allow=PROJECT_READER),
]
