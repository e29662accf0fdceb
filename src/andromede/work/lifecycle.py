"""Lifecycles: small explicit state machines whose steps make one effect each.

A step reads what it needs, makes its effect outside any transaction, and returns an outcome. The
outcome's `record` runs in the transaction that moves the work on, and only if nobody changed the
intent meanwhile; one that raises PermanentError is undone, and the step fails. Steps are idempotent:
any of them may be killed and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from andromede import clock
from andromede.db import Connection, Database

Record = Callable[[Connection], None]


class PermanentError(Exception):
    """A step cannot succeed however often it runs; the text is the fault that people read."""


@dataclass(frozen=True, slots=True)
class Hop:
    """Go on with another step, at once."""

    label: str
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Nap:
    """Run this step (or `label`) again after some seconds: something outside is not ready."""

    seconds: float
    label: str | None = None
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The intent is fulfilled; the work row goes."""

    record: Record | None = None


Outcome = Hop | Nap | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One leased work row."""

    kind: str
    resource_id: str
    label: str
    args: dict[str, Any]
    generation: int
    project_id: str
    request_id: str
    deadline: int
    attempts: int
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step function sees. `world` is whatever the runner was given: cloud and engine."""

    task: Task
    database: Database
    world: Any

    @property
    def id(self) -> str:
        return self.task.resource_id

    @property
    def args(self) -> dict[str, Any]:
        return self.task.args

    def seconds_left(self) -> float:
        return (self.task.deadline - clock.now()) / clock.SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The steps of one kind of resource, and what to record when one fails for good.

    `fail(step, message)` gives the record that makes the failure visible on the resource.
    """

    kind: str
    steps: Mapping[str, Callable[[Step], Outcome]]
    fail: Callable[[Step, str], Record | None]
    doc: str = field(default="")
