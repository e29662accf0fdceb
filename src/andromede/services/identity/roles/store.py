"""The rows of roles and of implications between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table
from andromede.services.identity.rows import Ids, Row, by_id

role = table(
    "role",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, index=True),
    identifier("domain_id", nullable=False),  # empty for a role of the whole cloud
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name"),
    sa.Index(None, "domain_id", "id"),
)
implied_role = table(
    "implied_role",
    metadata,
    identifier("prior_id", sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
    identifier(
        "implied_id", sa.ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
)


_ids_of = sa.select(role.c.id, role.c.name).where(
    role.c.name.in_(sa.bindparam("names", expanding=True)), role.c.domain_id == ""
)


def get(connection: Connection, role_id: str) -> Row | None:
    return by_id(connection, role, role_id)


def several(connection: Connection, role_ids: Iterable[str]) -> dict[str, Row]:
    """The roles with these ids, by id."""
    rows = connection.execute(sa.select(role).where(role.c.id.in_(sorted(set(role_ids)))))
    return {row.id: row for row in rows}


def by_name(connection: Connection, name: str, domain_id: str = "") -> Row | None:
    return connection.execute(
        sa.select(role).where(role.c.name == name, role.c.domain_id == domain_id)
    ).first()


def named(connection: Connection, role_ids: Iterable[str]) -> dict[str, str]:
    """The names of roles by id, without those that belong to one domain."""
    rows = connection.execute(
        sa.select(role.c.id, role.c.name).where(
            role.c.id.in_(list(role_ids)), role.c.domain_id == ""
        )
    )
    return {row.id: row.name for row in rows}


def ids_of(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """The ids of the cloud's roles by name."""
    rows = connection.execute(_ids_of, {"names": list(names)})
    return {row.name: row.id for row in rows}


def implications(connection: Connection) -> dict[str, list[str]]:
    """Every rule: prior role id to the ids it implies directly."""
    found: dict[str, list[str]] = {}
    rows = connection.execute(
        sa.select(implied_role).order_by(implied_role.c.prior_id, implied_role.c.implied_id)
    )
    for row in rows:
        found.setdefault(row.prior_id, []).append(row.implied_id)
    return found


def closure(rules: dict[str, list[str]], role_ids: Iterable[str]) -> set[str]:
    """The roles and all that they imply."""
    reached: set[str] = set()
    waiting = list(role_ids)
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += rules.get(each, [])
    return reached


def implies(connection: Connection, prior_id: str, implied_id: str) -> bool:
    return (
        connection.execute(
            sa.select(implied_role).where(
                implied_role.c.prior_id == prior_id, implied_role.c.implied_id == implied_id
            )
        ).first()
        is not None
    )


def add_implication(connection: Connection, prior_id: str, implied_id: str) -> None:
    """Let one role imply another; nothing changes when it does."""
    if not implies(connection, prior_id, implied_id):
        connection.execute(
            sa.insert(implied_role), {"prior_id": prior_id, "implied_id": implied_id}
        )


def remove_implication(connection: Connection, prior_id: str, implied_id: str) -> None:
    connection.execute(
        sa.delete(implied_role).where(
            implied_role.c.prior_id == prior_id, implied_role.c.implied_id == implied_id
        )
    )


def in_domain(domain_id: str) -> sa.Select[tuple[str]]:
    """The ids of the roles that belong to a domain."""
    return sa.select(role.c.id).where(role.c.domain_id == domain_id)


def delete(connection: Connection, role_ids: Ids) -> None:
    connection.execute(sa.delete(role).where(role.c.id.in_(role_ids)))
