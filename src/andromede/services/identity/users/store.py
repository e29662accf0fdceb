"""The rows of users."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from andromede import clock
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
    sa.Column("password_created_at", Moment, nullable=True),
    sa.Column("password_self_service", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("failed_count", sa.Integer, nullable=False, server_default="0"),  # in a row
    sa.Column("failed_at", Moment, nullable=False, server_default="0"),
    sa.Column("created_at", Moment, nullable=True),
    sa.Column("last_active_at", Moment, nullable=True),  # the day of a login
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name"),
    sa.Index(None, "domain_id", "id"),
)

former_password = table(
    "former_password",
    metadata,
    identifier("user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("replaced_at", Moment, primary_key=True),
    sa.Column("password_hash", sa.Text, nullable=False),
)


def get(connection: Connection, user_id: str) -> Row | None:
    return by_id(connection, user, user_id)


def password_known(connection: Connection, user_id: str) -> bool:
    """Whether another than the user set the password that it has."""
    row = get(connection, user_id)
    return row is not None and row.password_known


def several(connection: Connection, user_ids: Sequence[str]) -> Sequence[Row]:
    """The users with these ids, by id."""
    return connection.execute(
        sa.select(user).where(user.c.id.in_(user_ids)).order_by(user.c.id)
    ).all()


def by_name(connection: Connection, domain_id: str, name: str) -> Row | None:
    return connection.execute(
        sa.select(user).where(user.c.domain_id == domain_id, user.c.name == name)
    ).first()


def note(connection: Connection, user_id: str, values: dict[str, int]) -> None:
    """Write what the cloud notes of a user's logins."""
    connection.execute(sa.update(user).where(user.c.id == user_id).values(**values))


def begin_attempt(connection: Connection, user_id: str, most: int, pause: int) -> bool:
    """Count a try of a password; False when there were as many, and the last one is less than
    `pause` seconds ago (0: ever)."""
    now = clock.now()
    rested = user.c.failed_at <= now - pause * clock.SECOND if pause else sa.false()
    changed = connection.execute(
        sa.update(user)
        .where(user.c.id == user_id, sa.or_(rested, user.c.failed_count < most))
        .values(failed_count=sa.case((rested, 1), else_=user.c.failed_count + 1), failed_at=now)
    )
    return changed.rowcount > 0


def former_hashes(connection: Connection, user_id: str, count: int) -> list[str]:
    """The hashes of the passwords a user had last, without its present one."""
    found = (
        sa.select(former_password.c.password_hash)
        .where(former_password.c.user_id == user_id)
        .order_by(former_password.c.replaced_at.desc())
        .limit(max(0, count))
    )
    return list(connection.execute(found).scalars())


def keep_former(connection: Connection, user_id: str, password_hash: str, count: int) -> None:
    """Keep a password that was just replaced, and only so many."""
    kept = former_hashes(connection, user_id, count - 1) if count > 0 else []
    table = former_password
    connection.execute(
        sa.delete(table).where(table.c.user_id == user_id, table.c.password_hash.not_in(kept))
    )
    if count > 0:
        row = {"user_id": user_id, "replaced_at": clock.now(), "password_hash": password_hash}
        connection.execute(sa.insert(table), row)


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
