"""What one archive holds where a project has more than fits, and what it leaves out: the oldest first,
of leaves the project's own before those of others. Reads the log page by page, and writes nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from andromede.db import Connection
from andromede.sovereignty.evidence.model import CONSENTS, FINDINGS, OF_OTHERS, OWN, Left
from andromede.sovereignty.log.leaves import EVERYONE, leaf

PAGE: Final = 1_000
POLICY_ACTS: Final = "sovereignty:policy:"
Where = sa.ColumnElement[bool]
Row = sa.RowMapping
Fetch = Callable[[Row | None, int], Sequence[Row]]
WHEN: Final = {CONSENTS: "created_at", FINDINGS: "opened_at"}


def of_others(project: str) -> Where:
    """The leaves that evidence tells of one by one: acts from outside the project, and changes of the
    policies that bind it."""
    outside = sa.or_(leaf.c.actor_project.is_(None), leaf.c.actor_project != project)
    return sa.or_(
        sa.and_(leaf.c.actor.is_not(None), outside), leaf.c.action.startswith(POLICY_ACTS)
    )


def leaves(
    connection: Connection, project: str, most: int, made: int
) -> tuple[Iterator[Row], list[Left]]:
    """The newest leaves that a project may read, in the order of arrival, and what is left out."""
    if _count(connection, project, sa.true()) <= most:
        return _stream(connection, project, sa.true()), []
    others = of_others(project)
    left: list[Left] = []
    kept: list[Where] = []
    for what, which in ((OF_OTHERS, others), (OWN, sa.not_(others))):
        there = _count(connection, project, which)
        if there <= most:
            kept.append(which)
        else:
            first, time = _nth(connection, project, which, most) if most else (None, made)
            left.append(Left(what=what, count=there - most, before=time))
            kept += [] if first is None else [sa.and_(which, leaf.c.arrival >= first)]
        most -= min(most, there)
    return _stream(connection, project, sa.or_(sa.false(), *kept)), left


def _readable(project: str) -> Where:
    return leaf.c.project_id.in_((project, EVERYONE))


def _count(connection: Connection, project: str, which: Where) -> int:
    wanted = sa.select(sa.func.count()).select_from(leaf).where(_readable(project), which)
    return connection.execute(wanted).scalar_one()


def _nth(connection: Connection, project: str, which: Where, number: int) -> tuple[int, int]:
    """The arrival and time of the n-th newest leaf."""
    wanted = (
        sa.select(leaf.c.arrival, leaf.c.time)
        .where(_readable(project), which)
        .order_by(leaf.c.arrival.desc())
        .offset(number - 1)
        .limit(1)
    )
    row = connection.execute(wanted).one()
    return row.arrival, row.time


def _stream(connection: Connection, project: str, which: Where) -> Iterator[Row]:
    parts = (_of(connection, owner, which) for owner in (project, EVERYONE))
    return heapq.merge(*parts, key=_arrival)


def _arrival(row: Row) -> Any:
    return row["arrival"]


def _of(connection: Connection, owner: str, which: Where) -> Iterator[Row]:
    after = -1
    while True:
        wanted = sa.select(leaf).where(leaf.c.project_id == owner, leaf.c.arrival > after, which)
        rows = connection.execute(wanted.order_by(leaf.c.arrival).limit(PAGE)).mappings().all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1]["arrival"]


def rows(what: str, fetch: Fetch, count: int, most: int) -> tuple[list[Row], list[Left]]:
    """The newest rows of a list that is fetched newest first, after one of them; `count` is how many
    there are."""
    found: list[Row] = []
    while len(found) < min(count, most):
        found += fetch(found[-1] if found else None, min(PAGE, most - len(found)))
    if count <= most:
        return found, []
    return found, [Left(what=what, count=count - most, before=found[-1][WHEN[what]])]
