"""The servers that ran in a period. The only SQL of this noun."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection
from andromede.db.pages import beyond, merged
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.store import COLUMNS, read_row, server


class Window(Struct, frozen=True, kw_only=True):
    """A period in microseconds since the epoch, of one project's servers or of all."""

    start: int
    stop: int
    project_id: str | None


def page(conn: Connection, window: Window, limit: int, marker: str | None) -> list[Server]:
    """Servers that ran in the window, oldest first, deleted ones too; None as marker: from the first.

    A marker that names no server begins nowhere: the answer is empty.
    """
    where = [
        server.c.launched_at < window.stop,
        sa.or_(server.c.terminated_at.is_(None), server.c.terminated_at > window.start),
    ]
    if window.project_id is not None:
        where.append(server.c.project_id == window.project_id)
    if marker is not None:
        last = sa.select(server.c.created_at).where(server.c.id == marker).scalar_subquery()
        where.append(beyond([(server.c.created_at, last, False), (server.c.id, marker, False)]))
    either = [[server.c.deleted == 0, *where], [server.c.deleted == 1, *where]]
    statement = merged(server, either, [server.c.created_at, server.c.id], limit)
    return [read_row(row) for row in conn.execute(statement.with_only_columns(*COLUMNS))]


def exists(conn: Connection, server_id: str) -> bool:
    found = sa.select(server.c.id).where(server.c.id == server_id)
    return conn.execute(found).first() is not None
