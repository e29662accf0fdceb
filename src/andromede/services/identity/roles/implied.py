"""Rows of /v3/roles/{prior_id}/implies and /v3/role_inferences, and their handlers."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, ADMIN_READER
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Operation, Reply
from andromede.services.identity import policy, takeover
from andromede.services.identity.links import own
from andromede.services.identity.roles import store
from andromede.services.identity.roles.routes import find
from andromede.services.identity.roles.view import role_short
from andromede.services.identity.rows import Row
from andromede.services.identity.tokens import store as revocations

PROHIBITED = "admin"  # implying it would make operators unawares


def _pair(context: Context) -> tuple[Row, Row]:
    prior = find(context, context.params["role_id"])
    implied = find(context, context.params["implied_id"])
    context.concerns(f"{prior.id}/{implied.id}")
    return prior, implied


def _require(context: Context, prior: Row, implied: Row) -> None:
    if not store.implies(context.conn, prior.id, implied.id):
        raise NotFound(f"{prior.id} does not imply {implied.id}.")


def _inference(context: Context, prior: Row, implied: Row) -> dict[str, Any]:
    return {
        "role_inference": {
            "prior_role": role_short(context, prior),
            "implies": role_short(context, implied),
        },
        "links": own(context, f"roles/{prior.id}/implies/{implied.id}"),
    }


def list_implied(context: Context) -> dict[str, Any]:
    prior = find(context, context.params["role_id"])
    implied = store.implications(context.conn).get(prior.id, [])
    return {
        "role_inference": {
            "prior_role": role_short(context, prior),
            "implies": [role_short(context, find(context, each)) for each in implied],
        },
        "links": own(context, f"roles/{prior.id}/implies"),
    }


def list_all(context: Context) -> dict[str, Any]:
    rules = store.implications(context.conn)
    return {
        "role_inferences": [
            {
                "prior_role": role_short(context, find(context, prior)),
                "implies": [role_short(context, find(context, each)) for each in implied],
            }
            for prior, implied in rules.items()
        ],
        "links": own(context, "role_inferences"),
    }


def show(context: Context) -> dict[str, Any]:
    prior, implied = _pair(context)
    _require(context, prior, implied)
    return _inference(context, prior, implied)


def check(context: Context) -> Reply:
    _require(context, *_pair(context))
    return Reply(204)


def add(context: Context) -> dict[str, Any]:
    """Let one role imply another.

    Errors: Forbidden for admin, and for a role of one domain that a role of the whole cloud would
    imply; BadRequest for a circle; Refused where it would open customers' projects further, without
    their consent.
    """
    prior, implied = _pair(context)
    if implied.name == PROHIBITED or (implied.domain_id and not prior.domain_id):
        raise Forbidden(f"{implied.id} cannot be an implied roles.")
    rules = store.implications(context.conn)
    if prior.id in store.closure(rules, [implied.id]):
        raise BadRequest(
            f"Role {prior.id} cannot imply {implied.id}, which itself implies {prior.id}."
        )
    context.places_nothing()
    before = _names(context, prior)
    store.add_implication(context.conn, prior.id, implied.id)
    if (_names(context, prior) - before) & policy.ACTING:
        takeover.widen(context, prior.id)
    return _inference(context, prior, implied)


def _names(context: Context, role: Row) -> set[str]:
    """The names of what a role gives its holders."""
    reached = store.closure(store.implications(context.conn), [role.id])
    return set(store.named(context.conn, reached).values())


def remove(context: Context) -> Reply:
    """Take an implication back; tokens that carry the prior role die."""
    prior, implied = _pair(context)
    _require(context, prior, implied)
    store.remove_implication(context.conn, prior.id, implied.id)
    revocations.revoke(
        context.conn, [revocations.role_subject(prior.name), revocations.role_subject(implied.name)]
    )
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return Operation(
        method=method, path=f"/v3/{path}", handler=handler,
        action=f"identity:implied_role:{verb}",
        allow=ADMIN_READER if method in ("GET", "HEAD") else ADMIN, **more,
    )  # fmt: skip


PAIR = "roles/{role_id}/implies/{implied_id}"
OPERATIONS = [
    _row("GET", "roles/{role_id}/implies", list_implied, "list"),
    _row("GET", PAIR, show, "show"),
    _row("HEAD", PAIR, check, "check", status=204),
    _row("PUT", PAIR, add, "create", status=201, places="expose"),
    _row("DELETE", PAIR, remove, "delete", status=204),
    _row("GET", "role_inferences", list_all, "list_all"),
]
