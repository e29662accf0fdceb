"""Handlers of the log as its customers read it: their own leaves, live."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct, to_builtins

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.paging import next_link, read_page
from andromede.sovereignty.log import leaves as store
from andromede.sovereignty.log.leaves import EVERYONE

MOST = 1000


class LeafView(Struct, kw_only=True):
    """A leaf in full. The log commits to its first ten members, under the salt.

    `time` is in microseconds since the epoch; `salt` and `commitment` are hexadecimal; `index` is
    null until the leaf is numbered.
    """

    action: str
    actor: str | None
    actor_project: str | None
    detail: dict[str, Any]
    id: str
    project_id: str | None
    request_id: str
    status: int
    subject: str
    time: int
    time_iso: str
    salt: str
    commitment: str
    index: int | None


class LeafList(Struct, kw_only=True, omit_defaults=True):
    leaves: list[LeafView]
    leaves_links: list[dict[str, str]] = []


def leaves(context: Context) -> LeafList:
    """A page of the leaves that a project may read, oldest first: its own and everyone's.

    Errors: Forbidden for another project; BadRequest for a faulty parameter.
    """
    page = read_page(context.query)
    project = project_of(context)
    after = None
    if page.marker is not None:
        after = store.arrival(context.conn, page.marker, project)
        if after is None:
            raise BadRequest(f"marker {page.marker!r} is not valid: it is no leaf of the project.")
    size = page.size(MOST)
    rows = store.page(context.conn, project, after, size + 1)
    body = LeafList(leaves=[_view(row) for row in rows[:size]])
    if size and len(rows) > size:
        href = next_link(context.url("/v1/log/leaves"), context.query, rows[size - 1]["id"])
        body.leaves_links = [{"rel": "next", "href": href}]
    return body


def project_of(context: Context) -> str | None:
    """Whose leaves are asked for: the caller's project, or another one by an operator.

    Errors: Forbidden.
    """
    project = context.first("project_id") or context.caller.project_id
    if project not in (context.caller.project_id, EVERYONE) and not context.caller.admin:
        raise Forbidden(f"The leaves of project {project} are for that project and for operators.")
    return project


def _view(row: sa.RowMapping) -> LeafView:
    content = store.of_row(row)
    return LeafView(
        **to_builtins(content),
        time_iso=clock.iso_micro(row["time"]),
        salt=row["salt"].hex(),
        commitment=store.commitment_of(row).hex(),
        index=row["position"],
    )
