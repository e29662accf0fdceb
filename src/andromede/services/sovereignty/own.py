"""What lists of the sovereignty API have in common: whose rows a caller sees, and their pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.paging import next_link, read_page

MOST = 1000
Fetch = Callable[[sa.RowMapping | None, int], Sequence[sa.RowMapping]]


def project_of(context: Context) -> str | None:
    """The project whose rows are asked for; None, for operators: every project's.

    Errors: Forbidden for another's.
    """
    wanted = context.first("project_id")
    caller = context.caller
    if caller.admin:
        return wanted
    if wanted not in (None, caller.project_id):
        raise Forbidden(f"What concerns project {wanted} is for that project and for operators.")
    return caller.project_id


def page(
    context: Context,
    noun: str,
    find: Callable[[str], sa.RowMapping | None],
    fetch: Fetch,
    view: Callable[[Sequence[sa.RowMapping]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """A page of rows with its link to the next one.

    Errors: BadRequest for a faulty parameter.
    """
    asked = read_page(context.query)
    after = None
    if asked.marker is not None:
        after = find(asked.marker)
        if after is None:
            raise BadRequest(f"marker {asked.marker!r} is not valid: it is none of the {noun}.")
    size = asked.size(MOST)
    rows = fetch(after, size + 1)
    body: dict[str, Any] = {noun: view(rows[:size])}
    if size and len(rows) > size:
        href = next_link(context.url(f"/v1/{noun}"), context.query, rows[size - 1]["id"])
        body[f"{noun}_links"] = [{"rel": "next", "href": href}]
    return body


def moment(value: int | None) -> str | None:
    return None if value is None else clock.iso_micro(value)
