"""The SQL of sharing policies: which projects see and use which objects of others.

A policy's target is a project or `*`, every project. Networks keep what holds for every project in
columns of their own, since every list of networks asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sqlalchemy as sa

from andromede import ids
from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import identifier, table
from andromede.services.network.common.store import Project, Row, Where

SHARED, EXTERNAL = "access_as_shared", "access_as_external"
EVERYONE = "*"

policy = table(
    "network_rbac_policy",
    metadata,
    identifier("id", primary_key=True),
    identifier("project_id", nullable=False),
    sa.Column("object_type", sa.String(32), nullable=False),
    identifier("object_id", nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    identifier("target_tenant", nullable=False, index=True),
    sa.UniqueConstraint("object_id", "action", "target_tenant"),
    sa.Index(None, "project_id", "id"),
)
_SHARED = Statement(
    sa.select(policy.c.object_id)
    .where(
        policy.c.object_id.in_(several("keys")),
        policy.c.action == SHARED,
        policy.c.target_tenant.in_(several("targets")),
    )
    .distinct()
)


def reached(column: sa.ColumnElement[str], project: Project) -> Where:
    """Whether an object is shared with a project."""
    target = sa.or_(policy.c.target_tenant == project, policy.c.target_tenant == EVERYONE)
    return column.in_(sa.select(policy.c.object_id).where(target))


def named(project: Project) -> sa.Select[tuple[str]]:
    """The ids of the objects that are shared with a project by its name."""
    return sa.select(policy.c.object_id).where(policy.c.target_tenant == project)


def seen(rows: sa.Table) -> Callable[[Project], list[Where]]:
    """The rule of visibility of nouns that may be shared."""
    return lambda project: [rows.c.project_id == project, reached(rows.c.id, project)]


def filtering(rows: sa.Table) -> Callable[[Sequence[str]], Where]:
    """The filter `shared`, which tells what is shared with every project."""

    def by(values: Sequence[str]) -> Where:
        everybody = reached(rows.c.id, EVERYONE)
        return everybody if values[-1].lower() in ("true", "1") else sa.not_(everybody)

    return by


def shared_with(connection: Connection, project_id: str, keys: Iterable[str]) -> set[str]:
    """Those of some objects that are shared with a project."""
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    values = {"keys": wanted, "targets": [project_id, EVERYONE]}
    return {key for (key,) in _SHARED.rows(connection, values)}


def of_object(connection: Connection, object_id: str) -> list[Row]:
    statement = sa.select(policy).where(policy.c.object_id == object_id).order_by(policy.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]


def share(
    connection: Connection,
    owner: str,
    kind: str,
    object_id: str,
    *,
    action: str = SHARED,
    target: str = EVERYONE,
) -> Row:
    """A new policy."""
    row = {
        "id": ids.new(),
        "project_id": owner,
        "object_type": kind,
        "object_id": object_id,
        "action": action,
        "target_tenant": target,
    }
    connection.execute(sa.insert(policy), row)
    return row


def found(connection: Connection, object_id: str, action: str, target: str) -> bool:
    """Whether there is such a policy."""
    statement = sa.select(policy.c.id).where(
        policy.c.object_id == object_id,
        policy.c.action == action,
        policy.c.target_tenant == target,
    )
    return connection.execute(statement).first() is not None


def retarget(connection: Connection, policy_id: str, target: str) -> None:
    connection.execute(
        sa.update(policy).where(policy.c.id == policy_id).values(target_tenant=target)
    )


def end(connection: Connection, policy_id: str) -> None:
    connection.execute(sa.delete(policy).where(policy.c.id == policy_id))


def forget(connection: Connection, object_id: str) -> None:
    """End every policy of an object that goes."""
    connection.execute(sa.delete(policy).where(policy.c.object_id == object_id))


def set_everyone(
    connection: Connection, owner: str, kind: str, object_id: str, action: str, wanted: bool
) -> None:
    """Make an object be shared with every project, or not with every one."""
    there = found(connection, object_id, action, EVERYONE)
    if wanted and not there:
        share(connection, owner, kind, object_id, action=action)
    elif there and not wanted:
        connection.execute(
            sa.delete(policy).where(
                policy.c.object_id == object_id,
                policy.c.action == action,
                policy.c.target_tenant == EVERYONE,
            )
        )
