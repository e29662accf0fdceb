"""The links compute puts into its bodies: to a resource, and to the next page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.paging import Page, next_link


def resource_links(context: Context, collection: str, resource_id: str) -> list[dict[str, str]]:
    """The link to a resource with the API's version and the bookmark without."""
    return [
        {"rel": "self", "href": context.url(f"/v2.1/{collection}/{resource_id}")},
        {"rel": "bookmark", "href": context.url(f"/{collection}/{resource_id}")},
    ]


def next_page(
    context: Context, path: str, page: Page, most: int, markers: Sequence[str]
) -> list[dict[str, Any]] | None:
    """The link to what follows a full page; None when this page is the last."""
    size = page.size(most)
    if not size or len(markers) < size:
        return None
    href = next_link(context.url(f"/v2.1/{path}"), context.query, markers[-1])
    return [{"rel": "next", "href": href}]
