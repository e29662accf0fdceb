"""Quotas: what a project may have of each resource, shared by the services that count.

Defaults are the services' own; a row overrides one of them. -1 means no limit.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import identifier, table
from andromede.http.errors import ApiError, OverLimit

UNLIMITED = -1

quota = table(
    "quota",
    metadata,
    identifier("project_id", primary_key=True),
    sa.Column("service", sa.String(32), primary_key=True),
    sa.Column("resource", sa.String(64), primary_key=True),
    sa.Column("hard_limit", sa.Integer, nullable=False),
)
_LIMITS = Statement(
    "SELECT resource, hard_limit FROM quota WHERE project_id = :project AND service = :service"
)


def limits(
    connection: Connection, service: str, project_id: str, defaults: Mapping[str, int]
) -> dict[str, int]:
    """Every limit of a project in one service."""
    held = _LIMITS.rows(connection, {"project": project_id, "service": service})
    return {**defaults, **dict(held)}


def set_limits(
    connection: Connection, service: str, project_id: str, values: Mapping[str, int]
) -> None:
    """Override some limits of a project."""
    for resource, value in values.items():
        where = (
            quota.c.project_id == project_id,
            quota.c.service == service,
            quota.c.resource == resource,
        )
        changed = connection.execute(sa.update(quota).where(*where).values(hard_limit=value))
        if changed.rowcount == 0:
            connection.execute(
                sa.insert(quota),
                {
                    "project_id": project_id,
                    "service": service,
                    "resource": resource,
                    "hard_limit": value,
                },
            )


def reset(connection: Connection, service: str, project_id: str) -> None:
    """Go back to the defaults."""
    connection.execute(
        sa.delete(quota).where(quota.c.project_id == project_id, quota.c.service == service)
    )


def require(
    limit: int, used: int, wanted: int, say: str, error: type[ApiError] = OverLimit
) -> None:
    """Refuse when `used + wanted` would pass the limit.

    Errors: `error` with the message `say`.
    """
    if limit != UNLIMITED and used + wanted > limit:
        raise error(say)
