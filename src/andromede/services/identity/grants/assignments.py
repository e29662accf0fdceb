"""The row of /v3/role_assignments and its handler. Source: the identity API v3."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation
from andromede.http.paging import next_link, read_page
from andromede.services.identity import policy
from andromede.services.identity.bodies import truth
from andromede.services.identity.grants import expand, listing
from andromede.services.identity.grants.listing import Wanted
from andromede.services.identity.grants.names import Names

INHERITED = "scope.OS-INHERIT:inherited_to"


def _wanted(context: Context) -> Wanted:
    values = dict(context.query)
    if values.get("scope.domain.id") == "":
        raise BadRequest(
            "Invalid input for field 'scope.domain.id': the id of a domain is accepted."
        )
    wanted = Wanted(
        user_id=values.get("user.id"),
        group_id=values.get("group.id"),
        role_id=values.get("role.id"),
        project_id=values.get("scope.project.id"),
        domain_id=values.get("scope.domain.id"),
        system="scope.system" in values,
        inherited=values[INHERITED] == "projects" if INHERITED in values else None,
        effective=truth(values.get("effective")),
        subtree=truth(values.get("include_subtree")),
        within=None if policy.system_reader(context.caller) else context.caller.domain_id,
    )
    _check(wanted)
    return wanted


def _check(wanted: Wanted) -> None:
    """Refuse filters that exclude each other. Errors: BadRequest."""
    scopes = [wanted.project_id is not None, wanted.domain_id is not None, wanted.system]
    refused = {
        "Specify one of system, domain and project, not several": sum(scopes) > 1,
        "Specify a user or group, not both": None not in (wanted.user_id, wanted.group_id),
        "Combining effective and group filter will always result in an empty list.": (
            wanted.effective and wanted.group_id is not None
        ),
        "Combining effective, domain and inherited filters will always result in an empty list.": (
            wanted.effective and bool(wanted.inherited) and wanted.domain_id is not None
        ),
        "scope.project.id must be specified if include_subtree is also specified": (
            wanted.subtree and wanted.project_id is None
        ),
    }
    for message, applies in refused.items():
        if applies:
            raise BadRequest(message)


def list_assignments(context: Context) -> dict[str, Any]:
    wanted = _wanted(context)
    rows, more = listing.page(context.conn, wanted, read_page(context.query))
    found = expand.plain(rows)
    if wanted.effective:
        found = expand.expand(context.conn, rows, wanted)
    names = None
    if truth(context.first("include_names")):
        names = Names(context.conn, found)
    url = context.url("/v3/role_assignments")
    following = next_link(url, context.query, listing.marker(rows[-1])) if more else None
    return {
        "role_assignments": [_view(context, each, names) for each in found],
        "links": {"self": url, "previous": None, "next": following},
    }


def _view(context: Context, each: expand.Assignment, names: Names | None) -> dict[str, Any]:
    scope: dict[str, Any] = {"system": {"all": True}}
    if each.target_kind != "system":
        place = names.place(each.target_id) if names else {"id": each.target_id}
        scope = {each.target_kind: place}
    if each.inherited:
        scope["OS-INHERIT:inherited_to"] = "projects"
    actor = names.actor(each.actor_kind, each.actor_id) if names else {"id": each.actor_id}
    return {
        "role": names.role(each.role_id) if names else {"id": each.role_id},
        each.actor_kind: actor,
        "scope": scope,
        "links": _links(context, each),
    }


def _links(context: Context, each: expand.Assignment) -> dict[str, str]:
    """Where the grant behind an assignment is, and by which membership or implication it came."""
    kind, actor = ("group", each.by_group) if each.by_group else (each.actor_kind, each.actor_id)
    place = "system" if each.from_kind == "system" else f"{each.from_kind}s/{each.from_id}"
    path = f"{place}/{kind}s/{actor}/roles/{each.by_role or each.role_id}"
    if each.inherited:
        path = f"OS-INHERIT/{path}/inherited_to_projects"
    links = {"assignment": context.url(f"/v3/{path}")}
    if each.by_group:
        links["membership"] = context.url(f"/v3/groups/{each.by_group}/users/{each.actor_id}")
    if each.by_role:
        links["prior_role"] = context.url(f"/v3/roles/{each.by_role}/implies/{each.role_id}")
    return links


OPERATIONS = [
    Operation(
        method="GET", path="/v3/role_assignments", handler=list_assignments,
        action="identity:role_assignment:list", allow=policy.DOMAIN_READER,
    ),
]  # fmt: skip
