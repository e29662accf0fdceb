"""The work table: what is intended, who works on it, when it runs next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.engine import after_commit, encode_json
from andromede.db.types import Json, Moment, identifier, table
from andromede.work.lifecycle import Task

work = table(
    "work",
    metadata,
    sa.Column("kind", sa.String(32), primary_key=True),
    identifier("resource_id", primary_key=True),
    sa.Column("label", sa.String(64), nullable=False),
    sa.Column("args", Json, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    identifier("project_id", nullable=False),
    identifier("request_id", nullable=False),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("deadline", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(80), nullable=True),
    sa.Column("error", sa.Text, nullable=True),
    sa.Index("ix_work_due", "lease", "run_at"),
)

_wake: Callable[[], None] | None = None


def set_wake(wake: Callable[[], None] | None) -> None:
    """What to call after a transaction that intended something: it wakes the worker."""
    global _wake
    _wake = wake


_INTEND = sa.text(
    "INSERT INTO work (kind, resource_id, label, args, generation, project_id, request_id, run_at,"
    " deadline, attempts, lease, error)"
    " VALUES (:kind, :resource_id, :label, :args, 1, :project_id, :request_id, :run_at,"
    " :deadline, 0, NULL, NULL)"
    " ON CONFLICT (kind, resource_id) DO UPDATE SET label = excluded.label, args = excluded.args,"
    " generation = work.generation + 1, request_id = excluded.request_id,"
    " run_at = excluded.run_at, deadline = excluded.deadline, attempts = 0, error = NULL"
)


def intend(
    connection: Connection,
    kind: str,
    resource_id: str,
    label: str,
    *,
    project_id: str,
    request_id: str,
    args: dict[str, Any] | None = None,
    seconds: float = 600,
    delay: float = 0,
) -> None:
    """Set what is wanted of a resource, replacing what was: a step under way is not recorded.

    `seconds` is the deadline of the whole transition, `delay` the wait before its first step.
    """
    now = clock.now()
    connection.execute(
        _INTEND,
        {
            "kind": kind,
            "resource_id": resource_id,
            "label": label,
            "args": encode_json(args or {}),
            "project_id": project_id,
            "request_id": request_id,
            "run_at": now + int(delay * clock.SECOND),
            "deadline": now + int((seconds + delay) * clock.SECOND),
        },
    )
    if _wake is not None:
        after_commit(connection, _wake)


def busy(connection: Connection, kind: str, resource_id: str) -> bool:
    """Whether something is still intended for the resource."""
    return (
        connection.execute(
            sa.select(work.c.kind).where(work.c.kind == kind, work.c.resource_id == resource_id)
        ).first()
        is not None
    )


def free_leases(connection: Connection, worker: str) -> int:
    """Give back what a worker that is gone had leased; how many rows."""
    result = connection.execute(
        sa.update(work)
        .where(work.c.lease.startswith(f"{worker}:", autoescape=True))
        .values(lease=None)
    )
    return result.rowcount


def due(connection: Connection, limit: int) -> list[sa.RowMapping]:
    """Unleased rows whose time has come, oldest first."""
    return list(
        connection.execute(
            sa.select(work)
            .where(work.c.lease.is_(None), work.c.run_at <= clock.now())
            .order_by(work.c.run_at)
            .limit(limit)
        ).mappings()
    )


def next_due(connection: Connection) -> int | None:
    """When the next unleased row wants to run."""
    return connection.execute(
        sa.select(sa.func.min(work.c.run_at)).where(work.c.lease.is_(None))
    ).scalar()


def take(connection: Connection, row: sa.RowMapping, lease: str) -> Task | None:
    """Lease a row that is still as it was read; None when it is not."""
    taken = connection.execute(
        sa.update(work)
        .where(*_same(row["kind"], row["resource_id"], row["generation"]), work.c.lease.is_(None))
        .values(lease=lease)
    )
    if taken.rowcount != 1:
        return None
    return Task(
        kind=row["kind"],
        resource_id=row["resource_id"],
        label=row["label"],
        args=row["args"],
        generation=row["generation"],
        project_id=row["project_id"],
        request_id=row["request_id"],
        deadline=row["deadline"],
        attempts=row["attempts"],
        lease=lease,
    )


def holds(connection: Connection, task: Task) -> bool:
    """Whether the lease stands and the intent is still the one that was leased.

    A lease whose intent changed is given back here, so that the new intent can run.
    """
    mine = [
        work.c.kind == task.kind,
        work.c.resource_id == task.resource_id,
        work.c.lease == task.lease,
    ]
    row = connection.execute(sa.select(work.c.generation).where(*mine).with_for_update()).first()
    if row is None:
        return False
    if row.generation == task.generation:
        return True
    connection.execute(sa.update(work).where(*mine).values(lease=None))
    return False


def move(connection: Connection, task: Task, label: str) -> None:
    """Note the step that comes next, keeping the lease."""
    connection.execute(
        sa.update(work)
        .where(*_same(task.kind, task.resource_id, task.generation))
        .values(label=label, attempts=0, error=None)
    )


def put_back(
    connection: Connection, task: Task, label: str, seconds: float, error: str | None
) -> None:
    """Give the lease back and run `label` after some seconds; an error counts as an attempt."""
    connection.execute(
        sa.update(work)
        .where(*_same(task.kind, task.resource_id, task.generation))
        .values(
            label=label,
            lease=None,
            run_at=clock.now() + int(seconds * clock.SECOND),
            attempts=task.attempts + 1 if error else 0,
            error=error,
        )
    )


def finish(connection: Connection, task: Task) -> None:
    """Remove the row: the intent is fulfilled. One that the record set anew is given back."""
    mine = _same(task.kind, task.resource_id, task.generation)
    if connection.execute(sa.delete(work).where(*mine)).rowcount == 0:
        connection.execute(
            sa.update(work)
            .where(
                work.c.kind == task.kind,
                work.c.resource_id == task.resource_id,
                work.c.lease == task.lease,
            )
            .values(lease=None)
        )


def _same(kind: str, resource_id: str, generation: int) -> list[sa.ColumnElement[bool]]:
    return [
        work.c.kind == kind,
        work.c.resource_id == resource_id,
        work.c.generation == generation,
    ]
