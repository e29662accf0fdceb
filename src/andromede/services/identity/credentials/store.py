"""The rows of application credentials and of the roles each carries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table
from andromede.services.identity.rows import Row, by_id

application_credential = table(
    "application_credential",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    identifier("user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    identifier(
        "project_id", sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=True),
    sa.Column("unrestricted", sa.Boolean, nullable=False),
    # made with a token of two factors, or by the cloud's start: it counts as two
    sa.Column("two_factor", sa.Boolean, nullable=False, server_default=sa.false()),
    # made while another than its user may have known the user's password
    sa.Column("password_known", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("user_id", "name"),
    sa.Index(None, "user_id", "id"),
)
application_credential_role = table(
    "application_credential_role",
    metadata,
    identifier(
        "credential_id",
        sa.ForeignKey("application_credential.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    identifier(
        "role_id", sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


def get(connection: Connection, credential_id: str) -> Row | None:
    return by_id(connection, application_credential, credential_id)


def by_name(connection: Connection, user_id: str, name: str) -> Row | None:
    return connection.execute(
        sa.select(application_credential).where(
            application_credential.c.user_id == user_id, application_credential.c.name == name
        )
    ).first()


def of_known_password(connection: Connection, user_id: str) -> list[str]:
    """The ids of a user's credentials that somebody who knew its password may have made."""
    table = application_credential.c
    wanted = sa.select(table.id).where(table.user_id == user_id, table.password_known.is_(True))
    return list(connection.execute(wanted).scalars())


def role_ids(connection: Connection, credential_ids: Iterable[str]) -> dict[str, list[str]]:
    """The roles of each credential."""
    found: dict[str, list[str]] = {each: [] for each in credential_ids}
    rows = connection.execute(
        sa.select(application_credential_role)
        .where(application_credential_role.c.credential_id.in_(found))
        .order_by(application_credential_role.c.role_id)
    )
    for row in rows:
        found[row.credential_id].append(row.role_id)
    return found


def set_roles(connection: Connection, credential_id: str, roles: Iterable[str]) -> None:
    """Replace a credential's roles."""
    link = application_credential_role
    connection.execute(sa.delete(link).where(link.c.credential_id == credential_id))
    rows = [{"credential_id": credential_id, "role_id": each} for each in sorted(set(roles))]
    if rows:
        connection.execute(sa.insert(link), rows)


def delete(connection: Connection, credential_ids: Sequence[str]) -> None:
    connection.execute(
        sa.delete(application_credential).where(application_credential.c.id.in_(credential_ids))
    )
