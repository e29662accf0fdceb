"""The runner: leases due rows fairly, runs one step per resource, and records what came of it."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from andromede import clock, ids
from andromede.db import Connection, Database
from andromede.metrics import STEPS
from andromede.work import store
from andromede.work.lifecycle import (
    Done,
    Hop,
    Lifecycle,
    Nap,
    Outcome,
    PermanentError,
    Record,
    Step,
    Task,
)
from andromede.work.store import Due

log = structlog.get_logger("work")

LOOK_AHEAD = 200  # rows read to choose fairly among projects
LONGEST_SLEEP = 1.0
LONGEST_BACKOFF = 7  # doublings of a quarter of a second
Probe = Callable[[str, Task], None]


def _no_probe(_: str, __: Task) -> None:
    return


class Runner:
    """One worker. `probe(point, task)` is called before and after each effect and each record;
    tests use it to kill at every such point."""

    def __init__(
        self,
        database: Database,
        lifecycles: Mapping[str, Lifecycle],
        world: Any,
        *,
        worker: str,
        slots: int = 16,
        probe: Probe = _no_probe,
    ) -> None:
        self.database = database
        self.lifecycles = lifecycles
        self.world = world
        self.worker = worker
        self.slots = slots
        self.probe = probe
        self.running: Counter[str] = Counter()
        self._unreturned: list[tuple[Task, str]] = []
        self._signal = threading.Event()
        self._lock = threading.Lock()

    def recover(self) -> int:
        """Take back what this worker's predecessor had leased. Call only when it is surely gone."""
        return self.database.transact(lambda c: store.free_leases(c, self.worker))

    def wake(self) -> None:
        """Look for due rows now."""
        self._signal.set()

    def serve(self, stop: threading.Event) -> None:
        """Run until `stop`; steps under way are finished first."""
        with ThreadPoolExecutor(self.slots, thread_name_prefix="step") as pool:
            while not stop.is_set():
                self._signal.clear()
                tasks = self.lease(self.slots - self.running.total())
                for task in tasks:
                    pool.submit(self._run_and_wake, task)
                if self.running.total() >= self.slots:
                    self._signal.wait(LONGEST_SLEEP)  # the next step to end wakes it
                elif not tasks:
                    self._signal.wait(self._sleep())

    def _sleep(self) -> float:
        with self.database.read_often() as connection:
            moment = store.next_due(connection)
        if moment is None:
            return LONGEST_SLEEP
        wait = (moment - clock.now()) / clock.SECOND
        return min(LONGEST_SLEEP, max(0.005, wait))

    def lease(self, most: int) -> list[Task]:
        """Lease up to `most` due rows, next from the project with the fewest running."""
        if most <= 0:
            return []
        self._return_leases()
        with self.database.read_often() as connection:
            rows = store.due(connection, LOOK_AHEAD)
        if not rows:
            return []
        chosen = self._fair(rows, most)

        def take(connection: Connection) -> list[Task]:
            taken = (
                store.take(connection, due, f"{self.worker}:{ids.new_hex()}") for due in chosen
            )
            return [task for task in taken if task is not None]

        tasks = self.database.transact(take)
        with self._lock:
            self.running.update(task.project_id for task in tasks)
        return tasks

    def _fair(self, rows: Sequence[Due], most: int) -> list[Due]:
        with self._lock:
            running = Counter(self.running)
        waiting: dict[str, deque[Due]] = {}
        for row in rows:
            waiting.setdefault(row.project_id, deque()).append(row)
        chosen: list[Due] = []
        while waiting and len(chosen) < most:
            project = min(waiting, key=lambda name: running[name])
            chosen.append(waiting[project].popleft())
            running[project] += 1
            if not waiting[project]:
                del waiting[project]
        return chosen

    def _run_and_wake(self, task: Task) -> None:
        try:
            self.run(task)
        except Exception:
            log.exception("step lost", kind=task.kind, resource=task.resource_id)
        finally:
            self._release(task)
            self.wake()

    def _release(self, task: Task) -> None:
        with self._lock:
            self.running[task.project_id] -= 1
            if self.running[task.project_id] <= 0:
                del self.running[task.project_id]

    def run(self, task: Task) -> None:
        """Run a leased task until it naps, is done, or its intent changed."""
        structlog.contextvars.bind_contextvars(request_id=task.request_id)
        while True:
            try:
                following = self._step(task)
            except Exception as error:
                log.exception("not recorded", **_facts(task))
                self._retry(task, f"{type(error).__name__}: {error}")
                return
            if following is None:
                return
            task = following

    def _step(self, task: Task) -> Task | None:
        lifecycle = self.lifecycles[task.kind]
        step = Step(task=task, database=self.database, world=self.world)
        started = time.perf_counter()
        self.probe("before", task)
        try:
            if clock.now() > task.deadline:
                raise PermanentError(self._late(task))
            outcome: Outcome = lifecycle.steps[task.label](step)
        except PermanentError as error:
            outcome = Done(lifecycle.fail(step, str(error)))
            log.warning("failed", **_facts(task), error=str(error))
        except Exception as error:
            if getattr(error, "permanent", False):
                outcome = Done(lifecycle.fail(step, str(error)))
                log.warning("failed", **_facts(task), error=str(error))
            else:
                log.warning(
                    "will retry",
                    **_facts(task),
                    error=str(error),
                    exc_info=not getattr(error, "awaited", False),
                )
                self._retry(task, f"{type(error).__name__}: {error}")
                return None
        self.probe("effect", task)
        try:
            following = self._record(task, outcome)
        except PermanentError as error:
            following = self._record(task, Done(lifecycle.fail(step, str(error))))
            log.warning("failed", **_facts(task), error=str(error))
        self.probe("after", task)
        STEPS.labels(task.kind, task.label, type(outcome).__name__).observe(
            time.perf_counter() - started
        )
        log.info("step", **_facts(task), outcome=type(outcome).__name__)
        return following

    def _late(self, task: Task) -> str:
        with self.database.read() as connection:
            error = connection.execute(
                store.work.select().where(
                    store.work.c.kind == task.kind,
                    store.work.c.resource_id == task.resource_id,
                )
            ).first()
        cause = error.error if error is not None and error.error else "it never became ready"
        return f"{task.kind} {task.resource_id}: {task.label} was not done in time: {cause}"

    def _retry(self, task: Task, message: str) -> None:
        pause = min(0.25 * 2 ** min(task.attempts, LONGEST_BACKOFF), 30.0)

        def record(connection: Connection) -> None:
            if store.holds(connection, task):
                store.put_back(connection, task, task.label, pause, message)

        try:
            self.database.transact(record)
        except Exception:
            log.exception("lease kept", **_facts(task))
            with self._lock:
                self._unreturned.append((task, message))

    def _return_leases(self) -> None:
        """Give back what could not be given back while the database was away."""
        with self._lock:
            kept, self._unreturned = self._unreturned, []
        for task, message in kept:
            self._retry(task, message)

    def _record(self, task: Task, outcome: Outcome) -> Task | None:
        def whole(connection: Connection) -> Task | None:
            if not store.holds(connection, task):
                return None
            return self._apply(connection, task, outcome)

        return self.database.transact(whole)

    @staticmethod
    def _apply(connection: Connection, task: Task, outcome: Outcome) -> Task | None:
        record: Record | None = outcome.record
        if record is not None:
            record(connection)
        match outcome:
            case Hop(label=label):
                store.move(connection, task, label)
                return dataclasses.replace(task, label=label, attempts=0)
            case Nap(seconds=seconds, label=label):
                store.put_back(connection, task, label or task.label, seconds, None)
            case Done():
                store.finish(connection, task)
        return None


def _facts(task: Task) -> dict[str, str]:
    return {"kind": task.kind, "resource": task.resource_id, "step": task.label}
