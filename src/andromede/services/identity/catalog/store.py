"""The rows of regions, services and endpoints that operators add, and of what they change of those
that this cloud serves itself: such a row bears the id of what it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import Json, identifier, table
from andromede.services.identity.rows import Row, by_id

region = table(
    "catalog_region",
    metadata,
    sa.Column("id", sa.String(255), primary_key=True),
    sa.Column("parent_region_id", sa.String(255), nullable=True, index=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
service = table(
    "catalog_service",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("type", sa.String(255), nullable=False, index=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
endpoint = table(
    "catalog_endpoint",
    metadata,
    identifier("id", primary_key=True),
    identifier("service_id", nullable=False, index=True),
    sa.Column("interface", sa.String(8), nullable=False),
    sa.Column("region_id", sa.String(255), nullable=True, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("extra", Json, nullable=False),
)
group = table(
    "endpoint_group",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("filters", Json, nullable=False),
)
group_project = table(
    "endpoint_group_project",
    metadata,
    identifier(
        "endpoint_group_id",
        sa.ForeignKey("endpoint_group.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    identifier(
        "project_id",
        sa.ForeignKey("project.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)
endpoint_project = table(
    "endpoint_project",
    metadata,
    identifier("endpoint_id", primary_key=True),  # of a row, or of what this cloud serves
    identifier(
        "project_id",
        sa.ForeignKey("project.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)

_touched = Statement(
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM catalog_service)"
    " OR EXISTS (SELECT 1 FROM catalog_endpoint)"
    " OR EXISTS (SELECT 1 FROM endpoint_project)"
    " OR EXISTS (SELECT 1 FROM endpoint_group_project)"
)


def touched(connection: Connection) -> bool:
    """Whether the catalog is anything but what this cloud serves."""
    return _touched.first(connection) is not None


def everything(connection: Connection, table: sa.Table) -> dict[str, dict[str, Any]]:
    """Every row of one of the tables by its id, in the order of ids."""
    rows = connection.execute(sa.select(table).order_by(table.c.id)).mappings()
    return {row["id"]: dict(row) for row in rows}


def put(connection: Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Write a row whole, in place of the one with its id."""
    connection.execute(sa.delete(table).where(table.c.id == values["id"]))
    connection.execute(sa.insert(table), dict(values))


def delete(connection: Connection, table: sa.Table, identifiers: Sequence[str]) -> None:
    connection.execute(sa.delete(table).where(table.c.id.in_(identifiers)))


def delete_endpoints(connection: Connection, identifiers: Sequence[str]) -> None:
    """Delete endpoints with what associates them with projects."""
    delete(connection, endpoint, identifiers)
    connection.execute(
        sa.delete(endpoint_project).where(endpoint_project.c.endpoint_id.in_(identifiers))
    )


def endpoints_of(connection: Connection, service_id: str) -> list[str]:
    """The ids of a service's endpoints."""
    found = connection.execute(sa.select(endpoint.c.id).where(endpoint.c.service_id == service_id))
    return list(found.scalars())


def region_in_use(connection: Connection, region_ids: Sequence[str]) -> bool:
    """Whether an endpoint is in any of the regions."""
    found = sa.select(endpoint.c.id).where(endpoint.c.region_id.in_(region_ids)).limit(1)
    return connection.execute(found).first() is not None


def regions_below(connection: Connection, region_id: str) -> list[str]:
    """A region and every one below it."""
    found, level = [region_id], [region_id]
    while level:
        rows = connection.execute(
            sa.select(region.c.id).where(
                region.c.parent_region_id.in_(level), region.c.id.not_in(found)
            )
        )
        level = sorted(rows.scalars())
        found += level
    return found


def disabled(connection: Connection) -> list[tuple[str, str, str]]:
    """What clients do not find in the catalog: its noun, id, and type or interface."""
    kinds = (("service", service, service.c.type), ("endpoint", endpoint, endpoint.c.interface))
    return [
        (word, row[0], row[1])
        for word, table, what in kinds
        for row in connection.execute(
            sa.select(table.c.id, what).where(table.c.enabled.is_(False)).order_by(table.c.id)
        )
    ]


def change_group(connection: Connection, group_id: str, values: Mapping[str, Any]) -> None:
    """Write some columns of a group; the projects that have it keep it."""
    if values:
        connection.execute(sa.update(group).where(group.c.id == group_id).values(**values))


def get_group(connection: Connection, group_id: str) -> Row | None:
    return by_id(connection, group, group_id)


def associated(connection: Connection, link: sa.Table, **ends: str) -> list[dict[str, Any]]:
    """The rows of an association with these ends."""
    where = [link.c[name] == value for name, value in ends.items()]
    rows = connection.execute(sa.select(link).where(*where).order_by(*link.primary_key))
    return [dict(row) for row in rows.mappings()]


def associate(connection: Connection, link: sa.Table, **ends: str) -> None:
    connection.execute(sa.insert(link), ends)


def part(connection: Connection, link: sa.Table, **ends: str) -> bool:
    """Remove an association; whether there was one."""
    where = [link.c[name] == value for name, value in ends.items()]
    return connection.execute(sa.delete(link).where(*where)).rowcount > 0


def filters_of(connection: Connection, project_id: str) -> tuple[set[str], list[dict[str, Any]]]:
    """The endpoints associated with a project, and the filters of its endpoint groups."""
    ids = {row["endpoint_id"] for row in associated(
        connection, endpoint_project, project_id=project_id)}  # fmt: skip
    rows = connection.execute(
        sa.select(group.c.filters).where(
            group.c.id.in_(
                sa.select(group_project.c.endpoint_group_id).where(
                    group_project.c.project_id == project_id
                )
            )
        )
    )
    return ids, list(rows.scalars())
