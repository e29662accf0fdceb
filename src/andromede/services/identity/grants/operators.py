"""Who is an operator: holds the admin role anywhere, or any role on the system."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.identity.grants import store
from andromede.services.identity.roles import store as roles


def holds(connection: Connection, user_id: str) -> bool:
    """Whether a user could log in as an operator, by its own grants or its groups'."""
    rows = store.of_user(connection, user_id)
    if any(row.target_kind == store.SYSTEM for row in rows):
        return True
    reached = roles.closure(roles.implications(connection), {row.role_id for row in rows})
    return "admin" in roles.named(connection, reached).values()
