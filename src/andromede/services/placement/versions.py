"""Placement's microversions, and its way of telling errors and making rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.access import ADMIN, Rule
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, reason
from andromede.http.microversion import Microversions
from andromede.http.operation import Operation

MICROVERSIONS = Microversions(service="placement", lowest=(1, 0), latest=(1, 39))


def errors_shape(error: ApiError) -> Any:
    """Source: the API SIG's errors, as placement answers them."""
    return {
        "errors": [{"status": error.status, "title": reason(error.status), "detail": error.message}]
    }


def since(context: Context, minor: int) -> bool:
    """Whether the client asked for 1.`minor` or later."""
    return context.version >= (1, minor)


def read(
    path: str, handler: Callable[..., Any], verb: str, *, minor: int = 0, allow: Rule = ADMIN
) -> Operation:
    """A row that shows something, from 1.`minor` on."""
    return Operation(
        method="GET", path=path, handler=handler, action=f"placement:{verb}", allow=allow,
        since=(1, minor),
    )  # fmt: skip


def known(context: Context, accepted: dict[str, int]) -> dict[str, str]:
    """The query by name; `accepted` names each parameter with the minor version it came with.

    Errors: BadRequest for one that the version does not know.
    """
    allowed = [name for name, minor in accepted.items() if since(context, minor)]
    for name, _ in context.query:
        if name not in allowed:
            raise BadRequest(
                f"Invalid query string parameters: {name} is not accepted; accepted at this "
                f"version: {', '.join(allowed) or 'none'}."
            )
    return dict(context.query)


def link(context: Context, path: str) -> str:
    """Placement's links are paths, without the host."""
    return f"{context.service.mount}{path}"
