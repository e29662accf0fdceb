"""A small lifecycle whose steps do what a test tells them, on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, Database
from andromede.work import Done, Lifecycle, Runner, Step, intend
from andromede.work.store import work

NOTES = sa.Table("test_note", sa.MetaData(), sa.Column("text", sa.String))


def note(text: str) -> Callable[[Connection], None]:
    """A record that leaves a note."""

    def record(connection: Connection) -> None:
        connection.execute(sa.insert(NOTES), {"text": text})

    return record


class Bench:
    """A database with work, and the steps that tests put in."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.steps: dict[str, Callable[[Step], Any]] = {"go": lambda step: Done(note(step.id))}
        NOTES.metadata.create_all(database.engine)

    def lifecycle(self) -> Lifecycle:
        return Lifecycle(
            kind="thing", steps=self.steps, fail=lambda step, why: note(f"{step.id} failed: {why}")
        )

    def runner(self, **more: Any) -> Runner:
        return Runner(self.database, {"thing": self.lifecycle()}, None, worker="w", **more)

    def intend(self, resource: str = "r", label: str = "go", **more: Any) -> None:
        options = {"project_id": "p", "request_id": "req", **more}
        self.database.transact(lambda c: intend(c, "thing", resource, label, **options))

    def row(self, resource: str = "r") -> Any:
        with self.database.read() as connection:
            return connection.execute(
                sa.select(work).where(work.c.resource_id == resource)
            ).one_or_none()

    def notes(self) -> list[str]:
        with self.database.read() as connection:
            return sorted(connection.execute(sa.select(NOTES.c.text)).scalars())

    def run_one(self, runner: Runner) -> None:
        (task,) = runner.lease(1)
        try:
            runner.run(task)
        finally:
            runner._release(task)


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


@pytest.fixture
def now() -> Iterator[Callable[[float], None]]:
    """Stop the clock; call it with seconds to move it on."""
    at = [1_700_000_000 * clock.SECOND]
    clock.set_source(lambda: at[0])

    def pass_time(seconds: float) -> None:
        at[0] += int(seconds * clock.SECOND)

    yield pass_time
    clock.set_source(None)
