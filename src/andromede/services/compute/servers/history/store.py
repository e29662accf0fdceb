"""The rows of acts on servers and of the events each act led to. The only SQL of this noun."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Moment, identifier, table
from andromede.http.errors import BadRequest

action = table(
    "server_action",
    metadata,
    identifier("server_id", sa.ForeignKey("server.id", ondelete="CASCADE"), primary_key=True),
    identifier("request_id", primary_key=True),
    sa.Column("action", sa.String(64), nullable=False),
    identifier("project_id", nullable=True),
    identifier("user_id", nullable=True),
    sa.Column("start_time", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("message", sa.Text, nullable=True),
    sa.Index("ix_server_action_newest", "server_id", "start_time", "request_id"),
)
event = table(
    "server_event",
    metadata,
    identifier(primary_key=True),
    identifier("server_id", sa.ForeignKey("server.id", ondelete="CASCADE"), nullable=False),
    identifier("request_id", nullable=False),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("start_time", Moment, nullable=False),
    sa.Column("finish_time", Moment, nullable=True),
    sa.Column("result", sa.String(32), nullable=True),
    sa.Column("details", sa.Text, nullable=True),
    sa.Column("host", sa.String(255), nullable=True),
    sa.Index("ix_server_event_act", "server_id", "request_id"),
)
_BEGIN = Statement(sa.insert(action))
_BEGIN_EVENT = Statement(
    "INSERT INTO server_event (id, server_id, request_id, event, start_time)"
    " VALUES (:id, :server_id, :request_id, :event, :start_time)"
)
_END = Statement(
    "UPDATE server_action SET updated_at = :now, message = :said"
    " WHERE server_id = :server AND request_id = :request"
)
_END_EVENT = Statement(
    "UPDATE server_event SET finish_time = :now, result = :outcome, details = :why, host = :where"
    " WHERE server_id = :server AND request_id = :request AND finish_time IS NULL"
)


def begin(
    conn: Connection,
    server_id: str,
    request_id: str,
    name: str,
    *,
    project_id: str | None,
    user_id: str | None,
    effect: str | None = None,
) -> None:
    """Note that an act was accepted; `effect` names what the worker will do for it."""
    now = clock.now()
    _BEGIN.run(
        conn,
        {
            "server_id": server_id, "request_id": request_id, "action": name, "message": None,
            "project_id": project_id, "user_id": user_id, "start_time": now, "updated_at": now,
        },
    )  # fmt: skip
    if effect is not None:
        _BEGIN_EVENT.run(
            conn,
            {
                "id": ids.new(), "server_id": server_id, "request_id": request_id,
                "event": effect, "start_time": now,
            },
        )  # fmt: skip


def end(
    conn: Connection, server_id: str, request_id: str, host: str | None, error: str | None = None
) -> None:
    """Note how the act of a request went; one that nobody began is none."""
    now = clock.now()
    act = {"server": server_id, "request": request_id, "now": now}
    result = "Error" if error else "Success"
    _END_EVENT.run(conn, {**act, "outcome": result, "why": error, "where": host})
    _END.run(conn, {**act, "said": "Error" if error else None})


def find(conn: Connection, server_id: str, request_id: str) -> sa.RowMapping | None:
    return (
        conn.execute(
            sa.select(action).where(
                action.c.server_id == server_id, action.c.request_id == request_id
            )
        )
        .mappings()
        .first()
    )


def events(conn: Connection, server_id: str, request_id: str) -> list[sa.RowMapping]:
    """The events of an act, newest first."""
    return list(
        conn.execute(
            sa.select(event)
            .where(event.c.server_id == server_id, event.c.request_id == request_id)
            .order_by(event.c.start_time.desc(), event.c.id.desc())
        ).mappings()
    )


def page(
    conn: Connection,
    server_id: str,
    *,
    limit: int,
    marker: str | None,
    since: int | None,
    before: int | None,
) -> list[sa.RowMapping]:
    """Acts on a server, newest first.

    Errors: BadRequest when the marker is none of them.
    """
    statement = sa.select(action).where(action.c.server_id == server_id)
    if since is not None:
        statement = statement.where(action.c.updated_at >= since)
    if before is not None:
        statement = statement.where(action.c.updated_at <= before)
    if marker is not None:
        last: Any = find(conn, server_id, marker)
        if last is None:
            raise BadRequest(f"Marker {marker} could not be found.")
        statement = statement.where(
            sa.tuple_(action.c.start_time, action.c.request_id)
            < sa.tuple_(last["start_time"], last["request_id"])
        )
    statement = statement.order_by(action.c.start_time.desc(), action.c.request_id.desc())
    return list(conn.execute(statement.limit(limit)).mappings())
