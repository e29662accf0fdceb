"""The table of servers' resizes. The only SQL of this noun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.http.errors import BadRequest

BEGUN, MOVING, FINISHED = "pre-migrating", "migrating", "finished"
CONFIRMED, REVERTED, ERROR = "confirmed", "reverted", "error"
OPEN = (BEGUN, MOVING, FINISHED)

move = table(
    "server_move",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    identifier("id", nullable=False, unique=True),
    identifier("server_id", sa.ForeignKey("server.id", ondelete="CASCADE"), nullable=False),
    identifier("project_id", nullable=False),
    identifier("user_id", nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("old_flavor", sa.String(255), nullable=False),
    sa.Column("new_flavor", sa.String(255), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=True),
    sa.Index("ix_server_move_server", "server_id", "number"),
    sa.Index("ix_server_move_project", "project_id", "number"),
)


class Move(Struct, frozen=True, kw_only=True):
    """A server that changed its flavor, on the host where it is."""

    number: int
    id: str
    server_id: str
    project_id: str
    user_id: str
    host: str
    old_flavor: str
    new_flavor: str
    status: str
    created_at: int
    updated_at: int | None


def begin(conn: Connection, **values: Any) -> None:
    """Note a resize that begins; one that was never ended came to nothing."""
    note(conn, values["server_id"], ERROR)
    conn.execute(
        sa.insert(move), {"id": ids.new(), "status": BEGUN, "created_at": clock.now(), **values}
    )


def note(conn: Connection, server_id: str, status: str) -> None:
    """Note how far a server's resize is, if one is under way."""
    conn.execute(
        sa.update(move)
        .where(move.c.server_id == server_id, move.c.status.in_(OPEN))
        .values(status=status, updated_at=clock.now())
    )


def page(
    conn: Connection,
    wanted: Mapping[str, Any],
    since: int | None,
    before: int | None,
    limit: int,
    marker: str | None,
) -> Sequence[Move]:
    """Newest first: those with all these values, that changed within these moments.

    Errors: BadRequest for a marker that is none.
    """
    changed = sa.func.coalesce(move.c.updated_at, move.c.created_at)
    where = [move.c[name] == value for name, value in wanted.items()]
    where += [changed >= since] if since is not None else []
    where += [changed <= before] if before is not None else []
    if marker is not None:
        at = conn.execute(sa.select(move.c.number).where(move.c.id == marker)).scalar()
        if at is None:
            raise BadRequest(f"Marker {marker} could not be found.")
        where.append(move.c.number < at)
    found = sa.select(move).where(*where).order_by(move.c.number.desc()).limit(limit)
    return [Move(**row._mapping) for row in conn.execute(found)]
