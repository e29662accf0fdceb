"""Handlers of policies: what the cloud, a domain or a project demands, and what is in force."""

from __future__ import annotations

from typing import Any

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Reply
from andromede.http.paging import next_link, read_page
from andromede.services.identity import api as identity
from andromede.services.sovereignty import loosening
from andromede.sovereignty.consent import places
from andromede.sovereignty.policy import merge, model, store
from andromede.sovereignty.policy.model import CLOUD, Policy, domain_scope, project_scope

MOST = 1000
EVERYONE = "*"  # the log's project of acts that concern every customer


def cloud(_: Context) -> str:
    return CLOUD


def domain(context: Context) -> str:
    """The scope of the path's domain, if the caller may know of it.

    Errors: NotFound.
    """
    wanted, caller = context.params["id"], context.caller
    own = wanted in (caller.domain_id, caller.project_domain_id)
    if own or (caller.admin and identity.domain_exists(context.conn, wanted)):
        return domain_scope(wanted)
    raise NotFound(f"Domain {wanted} could not be found.")


def project(context: Context) -> str:
    """The scope of the path's project, if the caller may know of it.

    Errors: NotFound.
    """
    wanted, caller = context.params["id"], context.caller
    own = wanted == caller.project_id
    if own or (caller.admin and identity.project_exists(context.conn, wanted)):
        return project_scope(wanted)
    raise NotFound(f"Project {wanted} could not be found.")


def _require_manager(context: Context, scope: str) -> None:
    """Managers set what binds their own domain or project; operators all.

    Errors: Forbidden.
    """
    caller = context.caller
    own = [domain_scope(caller.domain_id or ""), project_scope(caller.project_id or "")]
    if not (caller.admin or ("manager" in caller.roles and scope in own)):
        raise Forbidden(
            f"You are not authorized to perform the requested action: "
            f"{context.operation.action} (it asks for: a manager of {scope}, or an operator)."
        )


def _view(scope: str, policy: Policy, changed_at: int) -> dict[str, Any]:
    return {
        "scope": scope,
        "policy": model.plain(policy),
        "changed_at": clock.iso_micro(changed_at),
    }


def index(context: Context) -> object:
    """Every policy that is set, by scope."""
    page = read_page(context.query)
    size = page.size(MOST)
    rows = store.page(context.conn, page.marker, size + 1)
    body: dict[str, Any] = {"policies": [_view(*row) for row in rows[:size]]}
    if size and len(rows) > size:
        href = next_link(context.url("/v1/policies"), context.query, rows[size - 1][0])
        body["policies_links"] = [{"rel": "next", "href": href}]
    return body


def show(context: Context, scope_of: Any) -> object:
    """Errors: NotFound when the scope has no policy of its own."""
    scope = scope_of(context)
    found, when = store.get(context.conn, scope), store.changed_at(context.conn, scope)
    if found is None or when is None:
        raise NotFound(f"No policy is set on {scope}.")
    return _view(scope, found, when)


def replace(context: Context, scope_of: Any) -> object:
    """Put a scope's whole policy in place of the one it had.

    Errors: BadRequest for a faulty field; Forbidden, also where the caller itself would be outside
    of the places from which administration is allowed; Refused, for an operator who would take a
    customer's consent away; NotFound.
    """
    scope = scope_of(context)
    _require_manager(context, scope)
    wanted: Policy = context.body.policy
    try:
        model.check(wanted, scope)
    except ValueError as error:
        raise BadRequest(f"Invalid input: {error}") from error
    _put(context, scope, wanted)
    if scope == CLOUD:
        places.require(context.conn, context.remote)  # nobody shuts itself out
    return show(context, scope_of)


def delete(context: Context, scope_of: Any) -> Reply:
    """Errors: Forbidden; Refused, as in `replace`; NotFound when there is none."""
    scope = scope_of(context)
    _require_manager(context, scope)
    show(context, scope_of)
    _put(context, scope, None)
    return Reply(204)


def _put(context: Context, scope: str, wanted: Policy | None) -> None:
    loosened = loosening.Before(context, scope)
    _log(context, scope, store.put(context.conn, scope, wanted, context.caller.user_id), wanted)
    loosened.settle()


def _log(context: Context, scope: str, before: Policy | None, after: Policy | None) -> None:
    kind, _, key = scope.partition("/")
    context.concerns(scope, key if kind == "project" else EVERYONE)
    context.notes = {
        "before": None if before is None else model.plain(before),
        "after": None if after is None else model.plain(after),
    }


def effective(context: Context) -> object:
    """What is in force for a project: the strictest of each field, and where it was set."""
    project(context)
    wanted = context.params["id"]
    found = store.effective(context.conn, wanted)
    scopes = [each.scope for each in found.layers if each.scope != model.DEFAULTS]
    return {"project_id": wanted, "fields": merge.shown(found), "scopes": scopes}
