"""The tables of server groups and of which servers are in them. The only SQL of this noun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table

group = table(
    "server_group",
    metadata,
    identifier(primary_key=True),
    identifier("project_id", nullable=False),
    identifier("user_id", nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("policy", sa.String(32), nullable=False),
    sa.Column("most", sa.Integer, nullable=True),  # of its servers on one host
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_server_group_project", "project_id", "created_at", "id"),
    sa.Index("ix_server_group_all", "created_at", "id"),
)
member = table(
    "server_group_member",
    metadata,
    identifier("server_id", primary_key=True),
    identifier("group_id", sa.ForeignKey("server_group.id", ondelete="CASCADE"), nullable=False),
    sa.Index("ix_server_group_member_group", "group_id"),
)


class Group(Struct, frozen=True, kw_only=True):
    """A server group. `most`: how many of its servers one host may have, where that was asked."""

    id: str
    project_id: str
    user_id: str
    name: str
    policy: str
    most: int | None
    created_at: int


def get(conn: Connection, group_id: str) -> Group | None:
    row = conn.execute(sa.select(group).where(group.c.id == group_id)).mappings().first()
    return None if row is None else Group(**row)


def add(conn: Connection, new: Group) -> None:
    names = Group.__struct_fields__
    conn.execute(sa.insert(group), {name: getattr(new, name) for name in names})


def remove(conn: Connection, group_id: str) -> None:
    """Forget a group; its servers live on."""
    conn.execute(sa.delete(member).where(member.c.group_id == group_id))
    conn.execute(sa.delete(group).where(group.c.id == group_id))


def count(conn: Connection, project_id: str) -> int:
    """How many groups a project has."""
    counted = sa.select(sa.func.count()).where(group.c.project_id == project_id)
    return int(conn.execute(counted).scalar_one())


def page(conn: Connection, project_id: str | None, limit: int, offset: int) -> list[Group]:
    """A project's groups, or everybody's, oldest first."""
    statement = sa.select(group).order_by(group.c.created_at, group.c.id)
    if project_id is not None:
        statement = statement.where(group.c.project_id == project_id)
    rows = conn.execute(statement.limit(limit).offset(offset)).mappings()
    return [Group(**row) for row in rows]


def members(conn: Connection, group_ids: Iterable[str]) -> dict[str, list[str]]:
    """The servers of some groups."""
    wanted = list(group_ids)
    found: dict[str, list[str]] = {each: [] for each in wanted}
    rows = conn.execute(
        sa.select(member).where(member.c.group_id.in_(wanted)).order_by(member.c.server_id)
    )
    for row in rows:
        found[row.group_id].append(row.server_id)
    return found


def join(conn: Connection, group_id: str, server_ids: Iterable[str]) -> None:
    rows: list[dict[str, Any]] = [{"group_id": group_id, "server_id": each} for each in server_ids]
    conn.execute(sa.insert(member), rows)


def leave(conn: Connection, server_id: str) -> None:
    """A server is no more."""
    conn.execute(sa.delete(member).where(member.c.server_id == server_id))
