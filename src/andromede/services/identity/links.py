"""Links and envelopes of the identity API's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.paging import next_link


def own(context: Context, path: str) -> dict[str, str]:
    """The `links` of one resource at `path` below /v3."""
    return {"self": context.url(f"/v3/{path}")}


def several(
    context: Context, key: str, items: Sequence[dict[str, Any]], *, more: bool = False
) -> dict[str, Any]:
    """A list in its envelope, with the link to the page that follows."""
    path = "/".join(
        context.params.get(part[1:-1], part) if part.startswith("{") else part
        for part in context.operation.path.strip("/").split("/")
    )
    url = context.url(f"/{path}")
    following = next_link(url, context.query, items[-1]["id"]) if more else None
    return {key: list(items), "links": {"self": url, "previous": None, "next": following}}
