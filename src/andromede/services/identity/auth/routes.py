"""Rows of /v3/auth: tokens, and what a bearer could be scoped to."""

from __future__ import annotations

from typing import Any

from andromede.http.access import AUTHENTICATED
from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.http.operation import Operation, Reply, Transaction
from andromede.services.identity import policy
from andromede.services.identity.access_rules import store as access_rules
from andromede.services.identity.auth import reach
from andromede.services.identity.auth.login import VARY, login, ring_of
from andromede.services.identity.auth.render import render
from andromede.services.identity.auth.schema import AuthBody
from andromede.services.identity.catalog.entries import catalog
from andromede.services.identity.links import own, several
from andromede.services.identity.projects.view import domain_view, project_view
from andromede.services.identity.tokens import store as revocations
from andromede.services.identity.tokens import strength
from andromede.services.identity.tokens.token import Token, unpack
from andromede.services.identity.tokens.verify import (
    Dead,
    operators,
    refuse_operator,
    role_names,
    verify,
)


def _subject(context: Context) -> tuple[Token, str]:
    """The living token in X-Subject-Token, and its text.

    Errors: NotFound when there is none or it is dead.
    """
    text = context.headers.get("x-subject-token", "")
    if not text:
        raise NotFound("No token in the request: X-Subject-Token names the token to act on.")
    if text == context.headers.get("x-auth-token"):
        return unpack(ring_of(context).open(text)), text  # just verified, in this snapshot
    late = (context.first("allow_expired") or "").lower() in {"1", "true", "yes"}
    grace = revocations.EXPIRED_WINDOW if late else 0
    try:
        return verify(context.conn, ring_of(context), text, grace=grace), text
    except Dead as dead:
        raise NotFound(f"Failed to validate token: {dead}.") from dead


def _require_understood(context: Context, token: Token) -> None:
    """Let only services that know of access rules validate a token that has some: others would let
    it do anything. The bearer itself is known to be allowed this request.

    Errors: NotFound.
    """
    credential, mine = token.credential_id, token.audit_id == context.caller.audit_id
    if credential is None or mine or "openstack-identity-access-rules" in context.headers:
        return
    if access_rules.of_credential(context.conn, credential) is not None:
        raise NotFound(
            "Failed to validate token: it has access rules, and the request does not say by the "
            "header OpenStack-Identity-Access-Rules that the service understands them."
        )


def _require_place(context: Context, token: Token, roles: tuple[str, ...]) -> None:
    """Find no operator's token on the public listener, nor one that is too weak: the services that
    validate tokens there would let it do what it may not do here.

    Errors: NotFound.
    """
    if not operators(token.kind, roles):
        return
    if context.listener == "public":
        raise NotFound(f"Failed to validate token: {refuse_operator().message}")
    weak = strength.refusal(context.conn, token.methods, token.credential_id)
    if weak is not None:
        raise NotFound(f"Failed to validate token: {weak.message}")


def validate(context: Context) -> Reply:
    token, text = _subject(context)
    _require_understood(context, token)
    roles = role_names(context.conn, token)
    _require_place(context, token, roles)
    caller = context.caller
    allowed = policy.system_reader(caller) or "service" in caller.roles
    policy.require(context, allowed or token.user_id == caller.user_id)
    body = render(context.conn, context, token, roles)
    return Reply(200, body, {"X-Subject-Token": text, **VARY})


def revoke(context: Context) -> Reply:
    token, _ = _subject(context)
    caller = context.caller
    policy.require(context, caller.admin or token.user_id == caller.user_id)
    revocations.revoke(context.conn, [revocations.audit_subject(token.audit_id)])
    context.concerns(token.audit_id)
    return Reply(204)


def show_catalog(context: Context) -> dict[str, Any]:
    caller = context.caller
    if caller.project_id is None:
        raise Forbidden("A project-scoped token is required to produce a service catalog.")
    found = catalog(context.conn, context, user_id=caller.user_id, project_id=caller.project_id)
    return {"catalog": found, "links": own(context, "auth/catalog")}


def list_projects(context: Context) -> dict[str, Any]:
    rows = reach.projects_of(context.conn, context.caller.user_id)
    tags = reach.tags_of(context.conn, rows)
    return several(context, "projects", [project_view(context, row, tags[row.id]) for row in rows])


def list_domains(context: Context) -> dict[str, Any]:
    rows = reach.domains_of(context.conn, context.caller.user_id)
    return several(context, "domains", [domain_view(context, row) for row in rows])


def show_system(context: Context) -> dict[str, Any]:
    system = [{"all": True}] if reach.system_of(context.conn, context.caller.user_id) else []
    return {"system": system, "links": own(context, "auth/system")}


def _row(method: str, path: str, handler: Any, action: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/auth/{path}", handler=handler, allow=AUTHENTICATED,
        action=f"identity:{action}", **more,
    )  # fmt: skip


OPERATIONS = [
    Operation(
        method="POST", path="/v3/auth/tokens", handler=login, action="identity:token:issue",
        allow=None, body=AuthBody, status=201, transaction=Transaction.NONE,
    ),
    _row("GET", "tokens", validate, "token:validate"),
    _row("DELETE", "tokens", revoke, "token:revoke", status=204),
    _row("GET", "catalog", show_catalog, "catalog:show"),
    _row("GET", "projects", list_projects, "auth_project:list"),
    _row("GET", "domains", list_domains, "auth_domain:list"),
    _row("GET", "system", show_system, "auth_system:show"),
]  # fmt: skip
