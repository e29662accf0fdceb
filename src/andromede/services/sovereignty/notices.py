"""Handlers of notices: what customers are told, and that they have read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.services.sovereignty import own
from andromede.sovereignty.findings import notices as store


def index(context: Context) -> object:
    """The notices to a project and to everyone, newest first; operators see all.

    Errors: BadRequest for a faulty parameter; Forbidden for another project.
    """
    project = own.project_of(context)
    return own.page(
        context,
        "notices",
        lambda key: store.get(context.conn, key, project),
        lambda after, limit: store.page(context.conn, project, after, limit),
        lambda rows: _view(context, rows),
    )


def _view(context: Context, rows: Sequence[sa.RowMapping]) -> list[dict[str, Any]]:
    keys = [row["id"] for row in rows]
    seen = store.readers(context.conn, keys, context.project_id)
    moments = ("opened_at", "deadline")
    return [
        {
            **row,
            **{name: own.moment(row[name]) for name in moments},
            "read_at": own.moment(seen.get(row["id"])),
        }
        for row in rows
    ]


def read(context: Context) -> object:
    """Note that the caller's project has read a notice.

    Errors: Forbidden without a project; NotFound.
    """
    if not context.project_id:
        raise Forbidden("Notices are read by projects: a token scoped to one is accepted.")
    key = context.params["id"]
    row = store.get(context.conn, key, context.project_id)
    if row is None:
        raise NotFound(f"Notice {key} could not be found.")
    store.read(context.conn, key, context.project_id, context.caller.user_id)
    context.concerns(key, context.project_id)
    return _view(context, [row])[0]
