"""The table of tasks: one row for each import that was asked for, and its only SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Json, Moment, identifier, table

task = table(
    "image_task",
    metadata,
    identifier(primary_key=True),
    identifier("image_id", sa.ForeignKey("image.id", ondelete="CASCADE"), nullable=False),
    identifier("owner", nullable=False),
    identifier("user_id", nullable=False),
    identifier("request_id", nullable=False),
    sa.Column("type", sa.String(32), nullable=False, server_default="api_image_import"),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("input", Json, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("uri", sa.Text, nullable=True),  # what the courier is to fetch
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_image_task_image", "image_id", "created_at"),
    sa.Index("ix_image_task_created", "created_at", "id"),
    sa.Index("ix_image_task_status", "status", "created_at", "id"),
    sa.Index("ix_image_task_type", "type", "created_at", "id"),
)
TYPES = ("api_image_import", "import")  # of an image that was there; with an image of its own
OPEN = ("pending", "processing")
KEPT = 10  # tasks of one image


class Task(Struct, kw_only=True):
    """One import: `status` is pending, processing, success or failure."""

    id: str
    image_id: str
    owner: str
    user_id: str
    request_id: str
    type: str
    status: str
    input: dict[str, Any]
    message: str
    uri: str | None
    created_at: int
    updated_at: int


def get(connection: Connection, task_id: str) -> Task | None:
    found = _found(connection, sa.select(task).where(task.c.id == task_id))
    return found[0] if found else None


def _found(connection: Connection, query: sa.Select[Any]) -> list[Task]:
    return [Task(**row) for row in connection.execute(query).mappings()]


def of(connection: Connection, image_id: str) -> list[Task]:
    """The tasks of an image, the oldest first."""
    query = sa.select(task).where(task.c.image_id == image_id)
    return _found(connection, query.order_by(task.c.created_at, task.c.id))


def page(
    connection: Connection, wanted: Mapping[str, str], limit: int, marker: Task | None
) -> list[Task]:
    """Up to `limit` tasks of all projects after the marker, the newest first; `wanted` by status and
    type."""
    query = sa.select(task).order_by(task.c.created_at.desc(), task.c.id.desc()).limit(limit)
    query = query.where(*(task.c[name] == value for name, value in wanted.items()))
    if marker is not None:
        at = sa.tuple_(sa.literal(marker.created_at), sa.literal(marker.id))
        query = query.where(sa.tuple_(task.c.created_at, task.c.id) < at)
    return _found(connection, query)


def to_fetch(connection: Connection, limit: int) -> list[Task]:
    """Open tasks whose data the courier is to fetch, the oldest first."""
    query = sa.select(task).where(task.c.status.in_(OPEN), task.c.uri.is_not(None))
    return _found(connection, query.order_by(task.c.created_at, task.c.id).limit(limit))


def insert(connection: Connection, new: Task) -> None:
    """Add a task; of an image's the newest are kept."""
    older = [each.id for each in of(connection, new.image_id)]
    gone = older[: max(0, len(older) - KEPT + 1)]
    connection.execute(sa.delete(task).where(task.c.id.in_(gone)))
    values = {name: getattr(new, name) for name in Task.__struct_fields__}
    connection.execute(sa.insert(task), values)


def update(connection: Connection, task_id: str, **values: Any) -> bool:
    """Change an open task; False when it ended already, or is gone."""
    changed = connection.execute(
        sa.update(task)
        .where(task.c.id == task_id, task.c.status.in_(OPEN))
        .values(updated_at=clock.now(), **values)
    )
    return changed.rowcount == 1
