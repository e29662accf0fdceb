"""The rows of users."""

from __future__ import annotations

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, Moment, identifier, table
from andromede.services.identity.rows import Ids, Row, by_id

user = table(
    "user",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, index=True),
    identifier("domain_id", sa.ForeignKey("project.id"), nullable=False),
    identifier("default_project_id", nullable=True, index=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=True),
    sa.Column("password_expires_at", Moment, nullable=True),
    # somebody else set it, and may know it until the user sets one of its own
    sa.Column("password_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name"),
)


def get(connection: Connection, user_id: str) -> Row | None:
    return by_id(connection, user, user_id)


def password_known(connection: Connection, user_id: str) -> bool:
    """Whether another than the user set the password that it has."""
    row = get(connection, user_id)
    return row is not None and row.password_known


def by_name(connection: Connection, domain_id: str, name: str) -> Row | None:
    return connection.execute(
        sa.select(user).where(user.c.domain_id == domain_id, user.c.name == name)
    ).first()


def in_domain(domain_id: str) -> sa.Select[tuple[str]]:
    """The ids of all users of a domain."""
    return sa.select(user.c.id).where(user.c.domain_id == domain_id)


def of_domain(connection: Connection, domain_id: str) -> list[str]:
    """The ids of all users of a domain."""
    rows = connection.execute(sa.select(user.c.id).where(user.c.domain_id == domain_id))
    return [str(each) for each in rows.scalars()]


def forget_default_project(connection: Connection, project_ids: Ids) -> None:
    """Clear a deleted project from the users who log in to it by default."""
    connection.execute(
        sa.update(user)
        .where(user.c.default_project_id.in_(project_ids))
        .values(default_project_id=None)
    )


def delete(connection: Connection, user_ids: Ids) -> None:
    connection.execute(sa.delete(user).where(user.c.id.in_(user_ids)))
