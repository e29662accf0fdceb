"""Paging by marker, as every OpenStack list does it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from msgspec import Struct

from andromede.http.errors import BadRequest


class Page(Struct, frozen=True, kw_only=True):
    """What part of a list is wanted. `limit` None: all that the service allows at once."""

    limit: int | None = None
    marker: str | None = None
    reverse: bool = False

    def size(self, most: int) -> int:
        """How many rows to answer, at most `most`."""
        return most if self.limit is None else min(self.limit, most)


def read_page(query: Iterable[tuple[str, str]]) -> Page:
    """Read `limit`, `marker` and `page_reverse`.

    Errors: BadRequest naming the parameter and what it accepts.
    """
    values = dict(query)
    limit: int | None = None
    if "limit" in values:
        raw = values["limit"]
        if not (raw.isascii() and raw.isdigit() and len(raw) <= 10):
            raise BadRequest(f"limit {raw!r} is not valid: a whole number from 0 is accepted")
        limit = int(raw)
    reverse = values.get("page_reverse", "false").lower() in {"true", "1", "yes"}
    return Page(limit=limit, marker=values.get("marker") or None, reverse=reverse)


def next_link(url: str, query: Iterable[tuple[str, str]], marker: str) -> str:
    """The URL of the following page: the same query with another marker."""
    pairs = [(key, value) for key, value in query if key != "marker"]
    return f"{url}?{urlencode([*pairs, ('marker', marker)])}"
