"""The rows of access rules, and which application credentials have which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from andromede import ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import identifier, table
from andromede.http.access import AccessRule
from andromede.services.identity.rows import Row, by_id

access_rule = table(
    "access_rule",
    metadata,
    identifier("id", primary_key=True),
    identifier("user_id", sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    sa.Column("service", sa.String(255), nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("path", sa.String(255), nullable=False),
    sa.UniqueConstraint("user_id", "service", "method", "path"),
    sa.Index(None, "user_id", "id"),
)
link = table(
    "application_credential_access_rule",
    metadata,
    identifier(
        "credential_id",
        sa.ForeignKey("application_credential.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    identifier("access_rule_id", sa.ForeignKey("access_rule.id"), primary_key=True, index=True),
)

_of_credential = Statement(
    "SELECT service, method, path FROM access_rule WHERE id IN"
    " (SELECT access_rule_id FROM application_credential_access_rule"
    " WHERE credential_id = :credential)"
)


def of_credential(connection: Connection, credential_id: str) -> tuple[AccessRule, ...] | None:
    """The rules of an application credential; None when it has none, and is for every request."""
    rows = _of_credential.rows(connection, {"credential": credential_id})
    return tuple(AccessRule(*row) for row in rows) or None


def get(connection: Connection, rule_id: str) -> Row | None:
    return by_id(connection, access_rule, rule_id)


def of_credentials(
    connection: Connection, credential_ids: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """The rules of each of several application credentials, as the API shows them."""
    found: dict[str, list[dict[str, Any]]] = {each: [] for each in credential_ids}
    rows = connection.execute(
        sa.select(link.c.credential_id, access_rule)
        .join(access_rule, access_rule.c.id == link.c.access_rule_id)
        .where(link.c.credential_id.in_(found))
        .order_by(access_rule.c.id)
    )
    for row in rows:
        found[row.credential_id].append(
            {"id": row.id, "path": row.path, "method": row.method, "service": row.service}
        )
    return found


def made(connection: Connection, user_id: str, rule: AccessRule) -> str:
    """The id of a user's rule, which is made when it is not there."""
    columns = access_rule.c
    found = connection.execute(
        sa.select(columns.id).where(
            columns.user_id == user_id, columns.service == rule.service,
            columns.method == rule.method, columns.path == rule.path,
        )
    ).scalar()  # fmt: skip
    if found is not None:
        return str(found)
    row = {
        "id": ids.new_hex(), "user_id": user_id, "service": rule.service, "method": rule.method,
        "path": rule.path,
    }  # fmt: skip
    connection.execute(sa.insert(access_rule), row)
    return row["id"]


def attach(connection: Connection, credential_id: str, rule_ids: Sequence[str]) -> None:
    rows = [{"credential_id": credential_id, "access_rule_id": each} for each in rule_ids]
    if rows:
        connection.execute(sa.insert(link), rows)


def used(connection: Connection, rule_id: str) -> bool:
    """Whether an application credential has the rule."""
    found = sa.select(link.c.credential_id).where(link.c.access_rule_id == rule_id).limit(1)
    return connection.execute(found).first() is not None


def delete(connection: Connection, rule_id: str) -> None:
    connection.execute(sa.delete(access_rule).where(access_rule.c.id == rule_id))
