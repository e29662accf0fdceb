"""Notices to customers: what changed that they must be told, until when, and who has read it.

Any part of the cloud opens one, in the transaction of what it tells about.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from andromede import clock, ids
from andromede.db import Connection, metadata
from andromede.db.pages import beyond, merged
from andromede.db.types import Moment, identifier, table

# Kinds in use: ownership, operator, sub-processor, finding, policy, emergency, log.
notice = table(
    "notice",
    metadata,
    identifier(primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    identifier("project_id", nullable=True),  # None: everyone's
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("deadline", Moment, nullable=True),
    sa.Column("text_fr", sa.Text, nullable=False),
    sa.Column("text_en", sa.Text, nullable=False),
    sa.Index("ix_notice_order", "opened_at", "id"),
    sa.Index("ix_notice_project", "project_id", "opened_at", "id"),
)
notice_read = table(
    "notice_read",
    metadata,
    identifier("notice_id", sa.ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True),
    identifier("project_id", primary_key=True),
    identifier("user_id", nullable=False),
    sa.Column("time", Moment, nullable=False),
)


def open(  # noqa: A001 (a notice is opened)
    connection: Connection,
    kind: str,
    project_id: str | None,
    text_fr: str,
    text_en: str,
    deadline: int | None = None,
) -> str:
    """Tell a project, or with None everyone, something in both languages; the notice's id.

    `deadline` (µs since the epoch): until when the customer must have been told, or may object.
    """
    row = {
        "id": ids.new(),
        "kind": kind,
        "project_id": project_id,
        "opened_at": clock.now(),
        "deadline": deadline,
        "text_fr": text_fr,
        "text_en": text_en,
    }
    connection.execute(sa.insert(notice), row)
    return str(row["id"])


def get(connection: Connection, notice_id: str, project_id: str | None) -> sa.RowMapping | None:
    """A notice that a project may see; None of any."""
    seen = [sa.or_(*_seen_by(project_id))] if project_id is not None else []
    wanted = sa.select(notice).where(notice.c.id == notice_id, *seen)
    return connection.execute(wanted).mappings().first()


def page(
    connection: Connection, project_id: str | None, after: sa.RowMapping | None, limit: int
) -> list[sa.RowMapping]:
    """The notices to a project and to everyone, newest first; with None those to anybody."""
    order = (notice.c.opened_at, notice.c.id)
    later = [] if after is None else [beyond([(each, after[each.name], True) for each in order])]
    reasons = [[each, *later] for each in _seen_by(project_id)] or [later]
    wanted = merged(notice, reasons, [each.desc() for each in order], limit)
    return list(connection.execute(wanted).mappings())


def readers(connection: Connection, notice_ids: Sequence[str], project_id: str) -> dict[str, int]:
    """When the project read each of the notices that it has read."""
    rows = connection.execute(
        sa.select(notice_read.c.notice_id, notice_read.c.time).where(
            notice_read.c.notice_id.in_(notice_ids), notice_read.c.project_id == project_id
        )
    )
    return {row.notice_id: row.time for row in rows}


def read(connection: Connection, notice_id: str, project_id: str, user_id: str) -> None:
    """Note that a project's user has read a notice; the first reader stays."""
    key = (notice_read.c.notice_id == notice_id, notice_read.c.project_id == project_id)
    if connection.execute(sa.select(notice_read.c.time).where(*key)).first() is None:
        row = {
            "notice_id": notice_id,
            "project_id": project_id,
            "user_id": user_id,
            "time": clock.now(),
        }
        connection.execute(sa.insert(notice_read), row)


def _seen_by(project_id: str | None) -> list[sa.ColumnElement[bool]]:
    """The reasons for which a project sees a notice; of None there are none, for it sees all."""
    if project_id is None:
        return []
    return [notice.c.project_id == project_id, notice.c.project_id.is_(None)]
