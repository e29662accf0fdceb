"""The rows of registered limits, and of what differs from them for a project or a domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import identifier, table
from andromede.services.identity.projects.store import project
from andromede.services.identity.rows import Row

registered_limit = table(
    "registered_limit",
    metadata,
    identifier("id", primary_key=True),
    identifier("service_id", nullable=False),
    sa.Column("region_id", sa.String(255), nullable=False),  # empty: of every region
    sa.Column("resource_name", sa.String(255), nullable=False),
    sa.Column("default_limit", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.UniqueConstraint("service_id", "region_id", "resource_name"),
)
limit = table(
    "project_limit",
    metadata,
    identifier("id", primary_key=True),
    identifier("registered_limit_id", sa.ForeignKey("registered_limit.id"), nullable=False),
    identifier("owner_id", sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
    sa.Column("resource_limit", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.UniqueConstraint("registered_limit_id", "owner_id"),
    sa.Index(None, "owner_id", "id"),
)


def registered(
    connection: Connection, service_id: str, region_id: str, resource_name: str
) -> Row | None:
    """The registered limit of a resource."""
    columns = registered_limit.c
    return connection.execute(
        sa.select(registered_limit).where(
            columns.service_id == service_id,
            columns.region_id == region_id,
            columns.resource_name == resource_name,
        )
    ).first()


def used(connection: Connection, registered_id: str) -> bool:
    """Whether a project or a domain has a limit of its own in place of this one."""
    found = sa.select(limit.c.id).where(limit.c.registered_limit_id == registered_id).limit(1)
    return connection.execute(found).first() is not None


def named_by(connection: Connection, column: str, values: Sequence[str]) -> bool:
    """Whether a registered limit is of any of these services, or regions."""
    wanted = registered_limit.c[column].in_(values)
    return connection.execute(sa.select(registered_limit.c.id).where(wanted)).first() is not None


def described(connection: Connection, limit_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Limits with what they are of and whose they are, by id."""
    rows = connection.execute(
        sa.select(
            limit, registered_limit.c.service_id, registered_limit.c.region_id,
            registered_limit.c.resource_name, project.c.is_domain,
        )
        .join(registered_limit, registered_limit.c.id == limit.c.registered_limit_id)
        .join(project, project.c.id == limit.c.owner_id)
        .where(limit.c.id.in_(limit_ids))
    )  # fmt: skip
    return {row["id"]: dict(row) for row in rows.mappings()}


def of_registered(**values: str) -> sa.ColumnElement[bool]:
    """The condition that a limit is of a resource with these columns."""
    where = [registered_limit.c[name] == value for name, value in values.items()]
    return limit.c.registered_limit_id.in_(sa.select(registered_limit.c.id).where(*where))


def of_domain(domain_id: str) -> sa.ColumnElement[bool]:
    """The condition that a limit is a domain's, or of a project in it."""
    inside = sa.select(project.c.id).where(project.c.domain_id == domain_id)
    return sa.or_(limit.c.owner_id == domain_id, limit.c.owner_id.in_(inside))


def delete(connection: Connection, table_: sa.Table, identifier_: str) -> None:
    connection.execute(sa.delete(table_).where(table_.c.id == identifier_))
