"""Which projects a list wants, and the shapes in which a tree of ids is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from andromede.services.identity.bodies import truth
from andromede.services.identity.projects.store import project, tagged, tagged_with_all
from andromede.services.identity.rows import Row


def conditions(query: Sequence[tuple[str, str]]) -> list[sa.ColumnElement[bool]]:
    """From the query of `GET /v3/projects`; what it does not name does not filter.

    Without `is_domain`, domains are left out, as upstream leaves them out.
    """
    values = dict(query)
    where = [project.c.is_domain == truth(values.get("is_domain"))]
    for name in ("domain_id", "name", "parent_id"):
        if name in values:
            where.append(project.c[name] == values[name])
    if "enabled" in values:
        where.append(project.c.enabled == truth(values["enabled"]))
    for name, value in values.items():
        if name in ("tags", "tags-any", "not-tags", "not-tags-any"):
            where.append(_tagged(name, value.split(",")))
    return where


def _tagged(name: str, tags: Sequence[str]) -> sa.ColumnElement[bool]:
    test = tagged(tags) if name.endswith("-any") else tagged_with_all(tags)
    return sa.not_(test) if name.startswith("not-") else test


def nested_parents(above: Sequence[Row], row: Row) -> dict[str, Any] | None:
    """`parents_as_ids`: each parent's id around that of its own parent, up to the domain."""
    found: dict[str, Any] | None = None
    names = [each.id for each in above] + ([row.domain_id] if row.domain_id else [])
    for name in reversed(names):
        found = {name: found}
    return found


def nested_children(below: Sequence[Row], project_id: str) -> dict[str, Any] | None:
    """`subtree_as_ids`: each child's id with the same of its own children."""
    children = [each.id for each in below if each.parent_id == project_id]
    return {each: nested_children(below, each) for each in children} or None
