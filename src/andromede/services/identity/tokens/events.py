"""The row of /v3/OS-REVOKE/events and its handler: what killed tokens, for services that keep tokens
of their own. Source: the identity API's extension OS-REVOKE."""

from __future__ import annotations

from typing import Any

from andromede import clock
from andromede.http.access import Rule
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation
from andromede.http.paging import next_link, read_page
from andromede.services.identity.projects import store as projects
from andromede.services.identity.roles import store as roles
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens import store

MOST = 1000
ADMIN_OR_SERVICE = Rule("admin or service", lambda c: c.admin or "service" in c.roles)
NAMES = {"user": "user_id", "project": "project_id", "audit": "audit_id"}


def _event(context: Context, row: Row) -> dict[str, Any]:
    """One event: which tokens it killed, and that they were issued before it."""
    moment = clock.iso_micro(row.until - store.KEPT)
    return {**_whose(context, row.subject), "issued_before": moment, "revoked_at": moment}


def _whose(context: Context, subject: str) -> dict[str, Any]:
    kind, _, rest = subject.partition(":")
    if kind in NAMES:
        return {NAMES[kind]: rest}
    if kind == "domain":  # its users' tokens, and those that are scoped to it
        return {"domain_id": rest}
    if kind == "role":
        row = roles.by_name(context.conn, rest)
        return {"role_id": row.id} if row is not None else {}
    if kind == "credential":
        return {"application_credential_id": rest}
    user_id, _, target = rest.partition(":")
    place = projects.get(context.conn, target)
    if place is None:  # the system, or what is gone
        return {"user_id": user_id}
    scope = "domain_scope_id" if place.is_domain else "project_id"
    return {"user_id": user_id, scope: target}


def list_events(context: Context) -> dict[str, Any]:
    """Events of the time in which tokens they kill may still be around, oldest first.

    Errors: BadRequest for a `since` that is no moment, or a marker that no page gave.
    """
    text, since = context.first("since"), 0
    if text is not None:
        try:
            since = clock.parse(text)
        except ValueError as error:
            raise BadRequest(f"invalidate date format {text}: ISO 8601 is accepted.") from error
    page = read_page(context.query)
    rows = store.events(context.conn, since + store.KEPT, page.marker, page.size(MOST) + 1)
    shown = rows[: page.size(MOST)]
    url, following = context.url("/v3/OS-REVOKE/events"), None
    if shown and len(rows) > len(shown):
        following = next_link(url, context.query, f"{shown[-1].until}|{shown[-1].subject}")
    return {
        "events": [_event(context, row) for row in shown],
        "links": {"self": url, "previous": None, "next": following},
    }


OPERATIONS = [
    Operation(
        method="GET", path="/v3/OS-REVOKE/events", handler=list_events,
        action="identity:revoke_event:list", allow=ADMIN_OR_SERVICE,
    ),
]  # fmt: skip
