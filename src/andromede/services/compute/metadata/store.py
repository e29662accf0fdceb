"""The password a guest set for its administrator, encrypted by the guest itself."""

from __future__ import annotations

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table

server_password = table(
    "server_password",
    metadata,
    identifier("server_id", sa.ForeignKey("server.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("password", sa.Text, nullable=False),
)


def password(connection: Connection, server_id: str) -> str | None:
    """What the guest set; None when it set nothing."""
    return connection.execute(
        sa.select(server_password.c.password).where(server_password.c.server_id == server_id)
    ).scalar()


def set_password(connection: Connection, server_id: str, text: str) -> None:
    """Keep what the guest set. It may do so once: check first."""
    connection.execute(sa.insert(server_password), {"server_id": server_id, "password": text})


def clear_password(connection: Connection, server_id: str) -> None:
    """Forget what the guest set, so that it may set another."""
    connection.execute(sa.delete(server_password).where(server_password.c.server_id == server_id))
