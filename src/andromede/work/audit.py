"""Looks for work that nobody can do, or that is not done. Reads the work table only."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection
from andromede.findings import REPORT, Finding
from andromede.work.lifecycle import Lifecycle
from andromede.work.store import work

LATE = 120 * clock.SECOND  # how long after its deadline a row may still be on its way to its end
FAILING = 6  # attempts in a row after which a step counts as failing: about half a minute


def audit(connection: Connection, lifecycles: Mapping[str, Lifecycle]) -> list[Finding]:
    """Work of unknown kinds and steps, overdue work, and steps that fail again and again."""
    found: list[Finding] = []
    for row in connection.execute(sa.select(work)).mappings():
        problem = _problem(row, lifecycles)
        if problem is not None:
            subject = f"{row['kind']} {row['resource_id']}"
            found.append(Finding(kind="work", subject=subject, problem=problem, remedy=REPORT))
    return found


def _problem(row: sa.RowMapping, lifecycles: Mapping[str, Lifecycle]) -> str | None:
    lifecycle = lifecycles.get(row["kind"])
    if lifecycle is None:
        return f"no lifecycle is called {row['kind']}: nothing is done"
    if row["label"] not in lifecycle.steps:
        return f"{row['kind']} has no step {row['label']}: nothing is done"
    if row["attempts"] >= FAILING:
        return f"{row['label']} failed {row['attempts']} times: {row['error']}"
    if clock.now() > max(row["deadline"], row["run_at"]) + LATE:
        return f"{row['label']} is {_ago(row['deadline'])} past its deadline"
    return None


def _ago(moment: int) -> str:
    return f"{(clock.now() - moment) // clock.SECOND} s"
