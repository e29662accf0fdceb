"""What clients see of a consent."""

from __future__ import annotations

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.paging import next_link, read_page
from andromede.services.sovereignty.consent.schema import Link, Shown
from andromede.sovereignty.consent import rules, store

MOST = 1000


def shown(row: store.Row) -> Shown:
    return Shown(
        id=row["id"], status=rules.status(row), project_id=row["project_id"],
        operator=row["operator"], kinds=list(row["kinds"]), resource=row["resource"],
        reason=row["reason"], emergency=row["emergency"], seconds=row["seconds"],
        requested_by=row["requested_by"], created_at=clock.iso(row["created_at"]),
        granted_by=row["granted_by"], since=_moment(row["since"]), until=_moment(row["until"]),
        ended_by=row["ended_by"], ended_at=_moment(row["ended_at"]),
    )  # fmt: skip


def _moment(moment: int | None) -> str | None:
    return None if moment is None else clock.iso(moment)


def page(
    context: Context, path: str, project_id: str | None, emergency: bool | None
) -> tuple[list[Shown], list[Link]]:
    """A page of the list and the link to the next one.

    Errors: BadRequest for a faulty parameter.
    """
    asked = read_page(context.query)
    after = None
    if asked.marker is not None:
        after = store.get(context.conn, asked.marker)
        if after is None or project_id not in (None, after["project_id"]):
            raise BadRequest(f"marker {asked.marker!r} is not valid: it is nothing of this list.")
    size = asked.size(MOST)
    rows = store.page(context.conn, after, size + 1, project_id=project_id, emergency=emergency)
    links = []
    if size and len(rows) > size:
        href = next_link(context.url(path), context.query, rows[size - 1]["id"])
        links = [Link("next", href)]
    return [shown(row) for row in rows[:size]], links
