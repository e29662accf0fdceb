"""The ordeals of a lifecycle: kill it anywhere, run its steps twice, cancel it, fail it, restart the
host; afterwards nothing may be left but what was accepted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import sqlalchemy as sa

from andromede.work import Lifecycle, Outcome, Reconciler, Step
from andromede.work.lifecycle import Task
from tests.crash.scenarios import Scenario, member
from tests.harness import TestCloud

HISTORY = frozenset(
    {"leaf", "checkpoint", "compute_host", "network_agent", "sovereignty_evaluation"}
)
POINTS = ("before", "effect", "after")  # the probe's: around each effect and each record
MOST = 400  # points of one phase; more is a lifecycle that never settles


class Killed(BaseException):
    """The worker's process ends here."""


Reconcilers = Callable[[SimpleNamespace], list[Reconciler]]
Inventory = Mapping[str, object]


class Meddler:
    """A probe that acts once, at the `at`-th point it passes, and remembers all points."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.at, self.act = at, act
        self.passed: list[tuple[str, str, str]] = []

    def __call__(self, point: str, task: Task) -> None:
        self.passed.append((point, task.kind, task.label))
        if len(self.passed) - 1 == self.at:
            self.act()


def _kill() -> None:
    raise Killed


@dataclass
class Ordeal:
    """One scenario in one cloud, which every ordeal leaves as it found it."""

    scenario: Scenario
    cloud: TestCloud
    reconcilers: Reconcilers

    def __post_init__(self) -> None:
        self.client = member(self.cloud)
        self.scenario.prepare(self.cloud, self.client)
        self.settle()
        warm = self.create()  # what comes with the first one, such as numbers, may stay
        self.settle()
        self.delete(warm)
        self.settle()
        self.scenario.forget(self.cloud)
        self.start = self.inventory()

    def settle(self) -> None:
        """A worker that is started anew finishes whatever there is."""
        runner = self.cloud.new_runner()
        runner.recover()
        self.cloud.settle(runner)

    def reconcile(self) -> None:
        world = SimpleNamespace(cloud=self.cloud.cloud, engine=self.cloud.engine)
        every = self.reconcilers(world)
        for _ in range(3):
            for each in every:
                each.run()
            self.settle()

    def create(self) -> str:
        return self.scenario.create(self.cloud, self.client)

    def delete(self, resource: str) -> None:
        self.scenario.delete(self.cloud, self.client, resource)

    def status(self, resource: str) -> str:
        return self.scenario.status(self.cloud, self.client, resource)

    def inventory(self) -> Inventory:
        """What there is: rows in each table, work, and what the engine holds."""
        kept = HISTORY | self.scenario.history
        found: dict[str, object] = {}
        with self.cloud.database.read() as connection:
            for name in sa.inspect(connection).get_table_names():
                if name not in kept:
                    count = sa.select(sa.func.count()).select_from(sa.table(name))
                    found[name] = connection.execute(count).scalar()
        engine = self.cloud.engine
        for name in ("networks", "ports", "routers", "servers", "power", "disks", "sizes", "kept",
                     "copies", "cards"):  # fmt: skip
            found[f"engine {name}"] = sorted(getattr(engine, name))
        for name in ("networks", "routers"):
            found[f"engine {name} in full"] = sorted(map(repr, getattr(engine, name).values()))
        filters = [each for each in engine.firewalls.values() if each.ports or each.groups]
        found["engine firewalls"] = sorted(map(repr, filters))
        found["files"] = sorted(path.name for path in self.cloud.paths.images.iterdir())
        return found

    def expect_good(self, resource: str) -> None:
        assert self.status(resource) == "good"
        assert self.scenario.there(self.cloud, self.client, resource)

    def expect_nothing_left(self, resource: str) -> None:
        assert self.status(resource) == "gone"
        self.scenario.forget(self.cloud)
        found = self.inventory()
        left = {name: found[name] for name in found if found[name] != self.start[name]}
        assert not left, f"{left} is left; before it was {[self.start[name] for name in left]}"

    def remove(self, resource: str) -> None:
        """Delete it, and expect that nothing is left."""
        if self.status(resource) != "gone":
            self.delete(resource)
        self.settle()
        self.expect_nothing_left(resource)

    def points(self, phase: str) -> list[tuple[str, str, str]]:
        """The points that a phase passes when nothing goes wrong."""
        meddler = Meddler(-1, _kill)
        resource = self._begin(phase)
        self.cloud.settle(self.cloud.new_runner(probe=meddler))
        self.remove(resource)
        assert len(meddler.passed) < MOST
        return meddler.passed

    def _begin(self, phase: str) -> str:
        resource = self.create()
        if phase == "delete":
            self.settle()
            self.delete(resource)
        return resource

    def kill_everywhere(self, phase: str) -> int:
        """Kill the worker at each point; another takes up its work. How many points there were."""
        points = self.points(phase)
        for at in range(len(points)):
            resource = self._begin(phase)
            runner = self.cloud.new_runner(probe=Meddler(at, _kill))
            try:
                self.cloud.settle(runner)
            except Killed:
                pass
            else:
                raise AssertionError(f"point {at} of {points} was not passed again")
            self.settle()
            if phase == "create":
                self.expect_good(resource)
            self.remove(resource)
        return len(points)

    def run_twice(self) -> None:
        """Run each step twice before its result is recorded."""
        resource = self.create()
        self.cloud.settle(self._runner_of(_twice))
        self.expect_good(resource)
        self.delete(resource)
        self.cloud.settle(self._runner_of(_twice))
        self.expect_nothing_left(resource)

    def _runner_of(self, change: Callable[[Lifecycle], Lifecycle]) -> object:
        runner = self.cloud.new_runner()
        runner.lifecycles = {kind: change(each) for kind, each in runner.lifecycles.items()}
        return runner

    def cancel_everywhere(self) -> int:
        """Delete the resource at each point of its creation."""
        points = self.points("create")
        for at in range(len(points)):
            resource = self.create()
            meddler = Meddler(at, lambda resource=resource: self.delete(resource))
            self.cloud.settle(self.cloud.new_runner(probe=meddler))
            assert len(meddler.passed) > at
            self.settle()
            self.remove(resource)
        return len(points)

    def verbs(self, phase: str) -> list[str]:
        """The engine's verbs that a phase calls."""
        resource = self._begin(phase)
        before = self.cloud.engine.calls.copy()
        self.settle()
        found = sorted(self.cloud.engine.calls - before)
        self.remove(resource)
        return found

    def fail_once(self, phase: str) -> None:
        """Let each verb fail once: the step is tried again."""
        for verb in self.verbs(phase):
            resource = self._begin(phase)
            self.cloud.engine.faults.fail(verb)
            self.settle()
            self.cloud.engine.faults.clear()
            if phase == "create":
                self.expect_good(resource)
            self.remove(resource)

    def fail_creation(self, *, permanent: bool) -> None:
        """Let each verb fail for good, or until the deadline: people see why, and can delete."""
        for verb in self.verbs("create"):
            resource = self.create()
            self.cloud.engine.faults.fail(verb, 1_000, permanent=permanent)
            self.settle()
            self.cloud.engine.faults.clear()
            if self.scenario.silent:
                self.reconcile()
                self.expect_good(resource)
                self.remove(resource)
                continue
            assert self.status(resource) == "error", f"after {verb} failed"
            if self.scenario.fault is not None:
                fault = self.scenario.fault(self.cloud, self.client, resource)
                assert f"simulated failure of {verb}" in fault
            self.remove(resource)

    def fail_deletion(self) -> None:
        """Let each verb of a deletion fail for good: deleting again ends it, or it goes on alone."""
        for verb in self.verbs("delete"):
            resource = self._begin("delete")
            self.cloud.engine.faults.fail(verb, 2, permanent=True)
            self.settle()
            self.cloud.engine.faults.clear()
            self.reconcile()
            self.remove(resource)

    def restart_host(self) -> None:
        """Take everything but disks from the host: reconcilers bring it back."""
        resource = self.create()
        self.settle()
        self.cloud.engine.host_restarts()
        self.reconcile()
        self.expect_good(resource)
        self.remove(resource)


def _twice(lifecycle: Lifecycle) -> Lifecycle:
    def double(run: Callable[[Step], Outcome]) -> Callable[[Step], Outcome]:
        def step(seen: Step) -> Outcome:
            run(seen)
            return run(seen)

        return step

    steps = {label: double(run) for label, run in lifecycle.steps.items()}
    return dataclasses.replace(lifecycle, steps=steps)
