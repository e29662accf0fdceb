"""The work table: what is intended, who works on it, when it runs next."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import starmap
from typing import Any, NamedTuple

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.engine import after_commit, encode_json
from andromede.db.plain import Statement
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


_INTENT = (
    "INSERT INTO work (kind, resource_id, label, args, generation, project_id, request_id, run_at,"
    " deadline, attempts, lease, error)"
    " VALUES (:kind, :resource_id, :label, :args, 1, :project_id, :request_id, :run_at,"
    " :deadline, 0, NULL, NULL)"
    " ON CONFLICT (kind, resource_id) DO UPDATE SET label = excluded.label, args = excluded.args,"
    " generation = work.generation + 1, request_id = excluded.request_id,"
    " run_at = {run_at}, deadline = excluded.deadline, attempts = 0, error = NULL"
)
_INTEND = Statement(_INTENT.format(run_at="excluded.run_at"))
_GATHER = Statement(
    _INTENT.format(
        run_at="CASE WHEN work.lease IS NULL AND work.run_at < excluded.run_at"
        " THEN work.run_at ELSE excluded.run_at END"
    )
)
_MINE = (work.c.kind == sa.bindparam("kind_"), work.c.resource_id == sa.bindparam("resource"))
_BUSY = Statement(sa.select(work.c.kind).where(*_MINE))
_SAME = (*_MINE, work.c.generation == sa.bindparam("generation_"))
_LEASED = (*_MINE, work.c.lease == sa.bindparam("lease_"))
_DUE = Statement(
    sa.select(work.c.kind, work.c.resource_id, work.c.project_id)
    .where(work.c.lease.is_(None), work.c.run_at <= sa.bindparam("now"))
    .order_by(work.c.run_at)
    .limit(sa.bindparam("most"))
)
_NEXT_DUE = Statement(sa.select(sa.func.min(work.c.run_at)).where(work.c.lease.is_(None)))
_TAKE = Statement(
    sa.update(work)
    .where(*_MINE, work.c.lease.is_(None), work.c.run_at <= sa.bindparam("now"))
    .values(lease=sa.bindparam("lease_"))
    .returning(*(work.c[field.name] for field in dataclasses.fields(Task)))
)
_HOLDS = Statement(sa.select(work.c.generation).where(*_LEASED).with_for_update())
_FREE = Statement(sa.update(work).where(*_LEASED).values(lease=None))
_MOVE = Statement(
    sa.update(work).where(*_SAME).values(label=sa.bindparam("next"), attempts=0, error=None)
)
_PUT_BACK = Statement(
    sa.update(work)
    .where(*_SAME)
    .values(
        label=sa.bindparam("next"),
        lease=None,
        run_at=sa.bindparam("at"),
        attempts=sa.bindparam("tries"),
        error=sa.bindparam("problem"),
    )
)
_FINISH = Statement(sa.delete(work).where(*_SAME))


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
    gather: bool = False,
) -> None:
    """Set what is wanted of a resource, replacing what was: a step under way is not recorded.

    `seconds` is the deadline of the whole transition, `delay` the wait before its first step;
    with `gather` what is asked again meanwhile waits no longer for that.
    """
    now = clock.now()
    (_GATHER if gather else _INTEND).run(
        connection,
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
    return _BUSY.first(connection, {"kind_": kind, "resource": resource_id}) is not None


def free_leases(connection: Connection, worker: str) -> int:
    """Give back what a worker that is gone had leased; how many rows."""
    result = connection.execute(
        sa.update(work)
        .where(work.c.lease.startswith(f"{worker}:", autoescape=True))
        .values(lease=None)
    )
    return result.rowcount


class Due(NamedTuple):
    """A row whose time has come, as far as choosing among them goes."""

    kind: str
    resource_id: str
    project_id: str


def due(connection: Connection, limit: int) -> list[Due]:
    """Unleased rows whose time has come, oldest first."""
    return list(starmap(Due, _DUE.rows(connection, {"now": clock.now(), "most": limit})))


def next_due(connection: Connection) -> int | None:
    """When the next unleased row wants to run."""
    moment: int | None = _NEXT_DUE.scalar(connection)
    return moment


def take(connection: Connection, row: Due, lease: str) -> Task | None:
    """Lease a row; None when it is no longer due."""
    values = {"kind_": row.kind, "resource": row.resource_id, "now": clock.now(), "lease_": lease}
    taken = _TAKE.mapping(connection, values)
    return None if taken is None else Task(**taken)


def holds(connection: Connection, task: Task) -> bool:
    """Whether the lease stands and the intent is still the one that was leased.

    A lease whose intent changed is given back here, so that the new intent can run.
    """
    generation = _HOLDS.scalar(connection, _leased(task))
    if generation is None:
        return False
    if generation == task.generation:
        return True
    _FREE.run(connection, _leased(task))
    return False


def move(connection: Connection, task: Task, label: str) -> None:
    """Note the step that comes next, keeping the lease."""
    _MOVE.run(connection, {**_same(task), "next": label})


def put_back(
    connection: Connection, task: Task, label: str, seconds: float, error: str | None
) -> None:
    """Give the lease back and run `label` after some seconds; an error counts as an attempt."""
    _PUT_BACK.run(
        connection,
        {
            **_same(task),
            "next": label,
            "at": clock.now() + int(seconds * clock.SECOND),
            "tries": task.attempts + 1 if error else 0,
            "problem": error,
        },
    )


def finish(connection: Connection, task: Task) -> None:
    """Remove the row: the intent is fulfilled. One that the record set anew is given back."""
    if _FINISH.run(connection, _same(task)) == 0:
        _FREE.run(connection, _leased(task))


def _same(task: Task) -> dict[str, Any]:
    return {
        "kind_": task.kind,
        "resource": task.resource_id,
        "generation_": task.generation,
    }


def _leased(task: Task) -> dict[str, Any]:
    return {"kind_": task.kind, "resource": task.resource_id, "lease_": task.lease}
