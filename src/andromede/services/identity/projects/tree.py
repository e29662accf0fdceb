"""What may be done to the tree of domains and projects, and what follows from it: the tokens that
die, the grants and defaults that go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.services.identity import takeover
from andromede.services.identity.bodies import check_immutable
from andromede.services.identity.first_start import DEFAULT_DOMAIN
from andromede.services.identity.grants import store as grants
from andromede.services.identity.groups import store as groups
from andromede.services.identity.projects import store
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.users import store as users
from andromede.sovereignty import ending

HEX = re.compile(r"[0-9a-f]{32}")


def check_parent(connection: Connection, parent_id: str, domain_id: str) -> None:
    """Refuse a parent that is unknown, of another domain, too deep or disabled.

    Errors: BadRequest, Forbidden.
    """
    parent = store.get(connection, parent_id)
    if parent is None:
        raise BadRequest(f"Could not find project: {parent_id}.")
    if parent.id == domain_id:
        return
    if parent.domain_id != domain_id:
        raise BadRequest(
            f"Cannot create project, since its parent {parent_id} is not in domain {domain_id}, "
            "which it must share."
        )
    above = [parent, *store.ancestors(connection, parent)]
    if len(above) >= store.DEEPEST:
        raise Forbidden(
            f"Max hierarchy depth reached for {parent_id} branch: at most {store.DEEPEST} levels "
            "of projects below a domain are accepted."
        )
    if not all(row.enabled for row in above):
        raise Forbidden(
            f"Cannot create project in a branch containing a disabled project: {parent_id}."
        )


def check_switch(connection: Connection, row: Row, enabled: bool) -> None:
    """Refuse to disable above what is enabled, and to enable below what is disabled.

    Errors: Forbidden.
    """
    if enabled == row.enabled or row.is_domain:
        return
    if not enabled and any(each.enabled for each in store.subtree(connection, row.id)):
        raise Forbidden(
            f"Cannot disable project {row.id} since its subtree contains enabled projects."
        )
    if enabled and not all(each.enabled for each in store.ancestors(connection, row)):
        raise Forbidden(f"Cannot enable project {row.id} since it has disabled parents")


def switched(context: Context, row: Row, values: Mapping[str, Any]) -> None:
    """Kill the tokens of what was just disabled; let the users of a domain in that was just enabled.

    Errors: Refused.
    """
    connection = context.conn
    context.places_nothing()
    if row.is_domain and not row.enabled and values.get("enabled") is True:
        inside = {each.id for each in store.of_domain(connection, row.id)}
        takeover.reopen(context, users.of_domain(connection, row.id), inside)
    if row.enabled and values.get("enabled") is False:
        subject = revocations.domain_subject if row.is_domain else revocations.project_subject
        revocations.revoke(connection, [subject(row.id)])


def delete_project(context: Context, row: Row) -> None:
    """Delete a project that has none below it, with its grants, credentials and tokens, its policy,
    findings and consents.

    Errors: Forbidden.
    """
    connection = context.conn
    check_immutable(row, "delete", "project", None)
    if store.children(connection, [row.id]):
        raise Forbidden(
            f"Cannot delete the project {row.id} since it is not a leaf in the hierarchy."
        )
    revocations.revoke(connection, [revocations.project_subject(row.id)])
    grants.forget_targets(connection, "project", [row.id])
    users.forget_default_project(connection, [row.id])
    context.notes |= ending.projects(connection, [row.id], context.caller.user_id)
    store.delete(connection, [row.id])


def delete_domain(context: Context, row: Row) -> None:
    """Delete a disabled domain with everything in it.

    Errors: Forbidden while it is enabled, and always for the default domain.
    """
    connection = context.conn
    check_immutable(row, "delete", "domain", None)
    if row.id == DEFAULT_DOMAIN:
        raise Forbidden(
            "You are not authorized to perform the requested action: delete the default domain."
        )
    if row.enabled:
        raise Forbidden("Cannot delete a domain that is enabled, please disable it first.")
    _end(context, row)
    inside = store.in_domain(row.id)
    members = groups.members(connection, groups.in_domain(row.id))
    names = [revocations.user_subject(each) for each in members]
    revocations.revoke(connection, [revocations.domain_subject(row.id), *names])
    grants.forget_targets(connection, "project", inside)
    grants.forget_targets(connection, "domain", [row.id])
    grants.forget_actors(connection, "user", users.in_domain(row.id))
    grants.forget_actors(connection, "group", groups.in_domain(row.id))
    grants.forget_roles(connection, roles.in_domain(row.id))
    users.forget_default_project(connection, inside)
    users.delete(connection, users.in_domain(row.id))
    groups.delete(connection, groups.in_domain(row.id))
    roles.delete(connection, roles.in_domain(row.id))
    store.delete(connection, inside)
    store.delete(connection, [row.id])


def _end(context: Context, row: Row) -> None:
    """End what a domain's policies, projects and users leave behind."""
    connection, actor = context.conn, context.caller.user_id
    names = [each.id for each in store.of_domain(connection, row.id)]
    counts = Counter(ending.projects(connection, names, actor))
    counts.update(ending.domain(connection, row.id, actor))
    ending.users(connection, users.of_domain(connection, row.id))
    context.notes |= counts


def domain_id_of(explicit: str | None, fresh: str) -> str:
    """The id of a new domain: the client's when it is a UUID without dashes.

    Errors: BadRequest.
    """
    if explicit is None:
        return fresh
    if not HEX.fullmatch(explicit):
        raise BadRequest("Domain ID does not conform to required UUID format.")
    return explicit
