"""The SQL of address scopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.network.common.store import Collection, Row
from andromede.services.network.scopes.schema import SCOPE
from andromede.services.network.shares import store as shares

scope = table(
    "network_address_scope",
    metadata,
    identifier("id", primary_key=True),
    identifier("project_id", nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("ip_version", sa.Integer, nullable=False),
    sa.Index(None, "project_id", "id"),
)

SCOPES = Collection(SCOPE, scope, shares.seen(scope), {"shared": shares.filtering(scope)})


def insert(connection: Connection, values: Row) -> Row:
    connection.execute(sa.insert(scope), values)
    return values


def rename(connection: Connection, scope_id: str, name: str) -> None:
    connection.execute(sa.update(scope).where(scope.c.id == scope_id).values(name=name))


def delete(connection: Connection, scope_id: str) -> None:
    shares.forget(connection, scope_id)
    connection.execute(sa.delete(scope).where(scope.c.id == scope_id))


def view(row: Mapping[str, Any], shared: bool) -> Row:
    """An address scope as clients see it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "project_id": row["project_id"],
        "tenant_id": row["project_id"],
        "ip_version": row["ip_version"],
        "shared": shared,
    }
