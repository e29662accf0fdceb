"""Handlers of the transparency log: a project's own leaves, and the signed checkpoint."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Reply
from andromede.http.paging import next_link, read_page
from andromede.sovereignty.log import leaves as store
from andromede.sovereignty.log.sequencer import latest_note

MOST = 1000
NOTE = "text/plain; charset=utf-8"


def leaves(context: Context) -> object:
    """A page of a project's leaves, oldest first. `position` is null until one is numbered.

    Errors: Forbidden for another project; BadRequest for a faulty parameter.
    """
    page = read_page(context.query)
    project = context.first("project_id") or context.caller.project_id
    if project != context.caller.project_id and not context.caller.admin:
        raise Forbidden(f"The leaves of project {project} are for that project and for operators.")
    after = None
    if page.marker is not None:
        after = store.arrival(context.conn, page.marker, project)
        if after is None:
            raise BadRequest(f"marker {page.marker!r} is not valid: it is no leaf of the project.")
    size = page.size(MOST)
    rows = store.page(context.conn, project, after, size + 1)
    body: dict[str, Any] = {"leaves": [_view(row) for row in rows[:size]]}
    if size and len(rows) > size:
        href = next_link(context.url("/v1/log/leaves"), context.query, rows[size - 1]["id"])
        body["leaves_links"] = [{"rel": "next", "href": href}]
    return body


def _view(row: sa.RowMapping) -> dict[str, Any]:
    shown = (
        "id", "action", "subject", "request_id", "status", "actor", "actor_project", "project_id",
        "detail", "position",
    )  # fmt: skip
    return {
        **{name: row[name] for name in shown},
        "time": row["time"],
        "time_iso": clock.iso_micro(row["time"]),
        "hash": row["hash"].hex() if row["hash"] is not None else None,
    }


def checkpoint(context: Context) -> Reply:
    """The newest checkpoint, a C2SP signed note.

    Errors: NotFound while the log is empty.
    """
    note = latest_note(context.conn)
    if note is None:
        raise NotFound("The log has no checkpoint yet: it is empty.")
    return Reply(200, note.encode(), media_type=NOTE)
