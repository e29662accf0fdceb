"""Handlers of findings: what is not where its policies let it be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.services.sovereignty import own
from andromede.sovereignty.findings import state as evaluation
from andromede.sovereignty.findings import store

STATES = ("open", "closed", "all")


def _view(rows: Sequence[sa.RowMapping]) -> list[dict[str, Any]]:
    moments = ("opened_at", "deadline", "closed_at")
    return [{**row, **{name: own.moment(row[name]) for name in moments}} for row in rows]


def index(context: Context) -> object:
    """A project's findings, newest first; operators see all. `state`: open (default), closed, all.

    Errors: BadRequest for a faulty parameter; Forbidden for another project.
    """
    project = own.project_of(context)
    state = context.first("state") or "open"
    if state not in STATES:
        raise BadRequest(f"state {state!r} is not valid: {', '.join(STATES)} are accepted.")
    body = own.page(
        context,
        "findings",
        lambda key: store.get(context.conn, key, project),
        lambda after, limit: store.page(context.conn, project, state, after, limit),
        _view,
    )
    last = evaluation.last(context.conn)
    return {**body, "evaluated_at": own.moment(last.time if last else None)}


def show(context: Context) -> object:
    """Errors: NotFound."""
    key = context.params["id"]
    row = store.get(context.conn, key, own.project_of(context))
    if row is None:
        raise NotFound(f"Finding {key} could not be found.")
    return _view([row])[0]
