"""The rows of groups and their members."""

from __future__ import annotations

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table
from andromede.services.identity.rows import Ids, Row, by_id

group = table(
    "group",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    identifier("domain_id", sa.ForeignKey("project.id"), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name"),
    sa.Index(None, "domain_id", "id"),
)
group_member = table(
    "group_member",
    metadata,
    identifier("group_id", sa.ForeignKey("group.id", ondelete="CASCADE"), primary_key=True),
    identifier(
        "user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


def get(connection: Connection, group_id: str) -> Row | None:
    return by_id(connection, group, group_id)


def members(connection: Connection, group_ids: Ids) -> list[str]:
    """The ids of the users in any of the groups."""
    found = connection.execute(
        sa.select(group_member.c.user_id).where(group_member.c.group_id.in_(group_ids)).distinct()
    )
    return list(found.scalars())


def of_user(connection: Connection, user_id: str) -> list[str]:
    """The ids of the groups a user is in."""
    found = connection.execute(
        sa.select(group_member.c.group_id).where(group_member.c.user_id == user_id)
    )
    return list(found.scalars())


def has(connection: Connection, group_id: str, user_id: str) -> bool:
    return (
        connection.execute(
            sa.select(group_member.c.user_id).where(
                group_member.c.group_id == group_id, group_member.c.user_id == user_id
            )
        ).first()
        is not None
    )


def add(connection: Connection, group_id: str, user_id: str) -> None:
    """Put a user into a group; nothing changes when it is there."""
    if not has(connection, group_id, user_id):
        connection.execute(sa.insert(group_member), {"group_id": group_id, "user_id": user_id})


def remove(connection: Connection, group_id: str, user_id: str) -> None:
    connection.execute(
        sa.delete(group_member).where(
            group_member.c.group_id == group_id, group_member.c.user_id == user_id
        )
    )


def in_domain(domain_id: str) -> sa.Select[tuple[str]]:
    """The ids of all groups of a domain."""
    return sa.select(group.c.id).where(group.c.domain_id == domain_id)


def delete(connection: Connection, group_ids: Ids) -> None:
    connection.execute(sa.delete(group).where(group.c.id.in_(group_ids)))
