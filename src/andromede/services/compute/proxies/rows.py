"""What the proxies have in common: their rows, their bounds, and how refusals are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from andromede.http.access import PROJECT_MEMBER, PROJECT_READER
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, OverLimit
from andromede.http.forward import ask
from andromede.http.microversion import Version
from andromede.http.operation import Operation
from andromede.http.paging import read_page
from andromede.services.compute import values

LAST: Version = (2, 35)
OVER_QUOTA = "OverQuota"

T = TypeVar("T")


def row(method: str, path: str, handler: Any, action: str, **more: Any) -> Operation:
    """A row that microversions until 2.35 have, unless `until` says otherwise."""
    return Operation(
        method=method, path=f"/v2.1{path}", handler=handler, action=f"compute:{action}",
        allow=PROJECT_READER if method == "GET" else PROJECT_MEMBER,
        **{"until": LAST, **more},
    )  # fmt: skip


def network(context: Context, method: str, path: str, body: Any = None, **query: str) -> Any:
    """Ask the network service. Where it answers a conflict, compute's older API has others.

    Errors: OverLimit for a quota; BadRequest for any other conflict; the network's own.
    """
    try:
        return ask(context, "network", method, f"/v2.0/{path}", body, query=list(query.items()))
    except ApiError as error:
        if error.status != 409:
            raise
        refusal = OverLimit if error.type == OVER_QUOTA else BadRequest
        raise refusal(error.message, type=error.type) from error


def mine(context: Context) -> dict[str, str]:
    """The query that keeps a list of the network's to the caller's project."""
    everything = context.caller.admin and context.first("all_tenants") is not None
    return {} if everything or not context.project_id else {"project_id": context.project_id}


def part(context: Context, found: Sequence[T]) -> Sequence[T]:
    """The part of a list that `limit` and `offset` ask for.

    Errors: BadRequest for a faulty one.
    """
    size = read_page(context.query).size(values.MOST_LISTED)
    start = values.whole(context.first("offset") or "0", "offset", 0)
    return found[start : start + size]


def identifier(text: str, name: str) -> str:
    """Errors: BadRequest for what is no UUID."""
    try:
        UUID(text)
    except ValueError as error:
        raise BadRequest(f"{name} {text} is not accepted: a UUID is.") from error
    return text
