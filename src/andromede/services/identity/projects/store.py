"""The rows of projects and domains, and their tags.

A domain is a project with `is_domain`, without a domain of its own; every other project has a
parent, at the top its domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.types import Json, identifier, table
from andromede.services.identity.rows import Ids, Row, by_id
from andromede.sovereignty.policy.model import domain_scope, project_scope

DEEPEST = 5  # levels of projects below a domain, as upstream's default

project = table(
    "project",
    metadata,
    identifier("id", primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    identifier("domain_id", nullable=False),  # empty for a domain
    identifier("parent_id", nullable=True),
    sa.Column("is_domain", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("extra", Json, nullable=False),
    sa.UniqueConstraint("domain_id", "name"),
    sa.Index(None, "is_domain", "id"),
    sa.Index(None, "domain_id", "id"),
    sa.Index(None, "parent_id", "id"),
)
project_tag = table(
    "project_tag",
    metadata,
    identifier("project_id", sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True, index=True),
)


_several = (
    sa.select(project)
    .where(project.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .order_by(project.c.id)
)


def get(connection: Connection, project_id: str) -> Row | None:
    """A project or domain."""
    return by_id(connection, project, project_id)


def get_domain(connection: Connection, domain_id: str) -> Row | None:
    row = get(connection, domain_id)
    return row if row is not None and row.is_domain else None


def by_name(connection: Connection, domain_id: str, name: str) -> Row | None:
    """A project by its name in a domain; a domain when `domain_id` is empty."""
    return connection.execute(
        sa.select(project).where(project.c.domain_id == domain_id, project.c.name == name)
    ).first()


def several(connection: Connection, project_ids: Sequence[str]) -> Sequence[Row]:
    """The projects or domains with these ids, by id."""
    return connection.execute(_several, {"wanted": list(project_ids)}).all()


def of_domain(connection: Connection, domain_id: str) -> Sequence[Row]:
    """The projects of a domain, by id."""
    return connection.execute(
        sa.select(project).where(project.c.domain_id == domain_id).order_by(project.c.id)
    ).all()


def children(connection: Connection, project_ids: Sequence[str]) -> Sequence[Row]:
    """The projects directly below any of these."""
    return connection.execute(
        sa.select(project).where(project.c.parent_id.in_(project_ids)).order_by(project.c.id)
    ).all()


def subtree(connection: Connection, project_id: str) -> list[Row]:
    """Every project below one, level by level."""
    found: list[Row] = []
    level = children(connection, [project_id])
    while level:
        found += level
        level = children(connection, [row.id for row in level])
    return found


def ancestors(connection: Connection, row: Row) -> list[Row]:
    """The projects above one, nearest first, without its domain."""
    found: list[Row] = []
    while row.parent_id is not None and row.parent_id != row.domain_id:
        above = get(connection, row.parent_id)
        if above is None:
            break
        found.append(above)
        row = above
    return found


def lineage(connection: Connection, project_id: str) -> list[str] | None:
    """The scopes of the policies above a project, outermost first; None when there is none."""
    row = get(connection, project_id)
    if row is None or row.is_domain:
        return None
    above = [project_scope(each.id) for each in reversed(ancestors(connection, row))]
    return [domain_scope(row.domain_id), *above]


def in_domain(domain_id: str) -> sa.Select[tuple[str]]:
    """The ids of all projects of a domain."""
    return sa.select(project.c.id).where(project.c.domain_id == domain_id)


def tags(connection: Connection, project_ids: Iterable[str]) -> dict[str, list[str]]:
    """The tags of each project, sorted."""
    found: dict[str, list[str]] = {each: [] for each in project_ids}
    rows = connection.execute(
        sa.select(project_tag)
        .where(project_tag.c.project_id.in_(found))
        .order_by(project_tag.c.project_id, project_tag.c.name)
    )
    for row in rows:
        found[row.project_id].append(row.name)
    return found


def set_tags(connection: Connection, project_id: str, names: Iterable[str]) -> None:
    """Replace a project's tags."""
    connection.execute(sa.delete(project_tag).where(project_tag.c.project_id == project_id))
    rows = [{"project_id": project_id, "name": name} for name in sorted(set(names))]
    if rows:
        connection.execute(sa.insert(project_tag), rows)


def delete(connection: Connection, project_ids: Ids) -> None:
    connection.execute(sa.delete(project).where(project.c.id.in_(project_ids)))


def tagged(names: Sequence[str]) -> sa.ColumnElement[bool]:
    """The condition that a project has any of the tags."""
    having = sa.select(project_tag.c.project_id).where(project_tag.c.name.in_(names))
    return project.c.id.in_(having)


def tagged_with_all(names: Sequence[str]) -> sa.ColumnElement[bool]:
    """The condition that a project has every one of the tags."""
    return sa.and_(*(tagged([name]) for name in names))
