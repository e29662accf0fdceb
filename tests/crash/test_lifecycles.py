"""Every lifecycle of every service goes through every ordeal; one without a scenario fails."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import andromede.services
from andromede.work import Lifecycle, Reconciler
from tests.crash import sample
from tests.crash.ordeal import POINTS, Ordeal
from tests.crash.scenarios import SCENARIOS
from tests.harness import TestCloud

PACKAGES = [
    importlib.import_module(f"andromede.services.{each.name}")
    for each in pkgutil.iter_modules(andromede.services.__path__)
]
LIFECYCLES: list[Lifecycle] = [
    sample.SAMPLE,
    *(each for package in PACKAGES for each in getattr(package, "LIFECYCLES", ())),
]
COVERED = frozenset().union(*(each.covers for each in SCENARIOS.values()))
KINDS = [each.kind for each in LIFECYCLES if each.kind not in COVERED]
PHASES = ["create", "delete"]


def reconcilers(world: SimpleNamespace) -> list[Reconciler]:
    found = sample.reconcilers(world)
    for package in PACKAGES:
        found.extend(getattr(package, "reconcilers", lambda _: [])(world))
    return found


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    services = [package.SERVICE for package in PACKAGES if hasattr(package, "SERVICE")]
    cloud = TestCloud(tmp_path, [*services, sample.SERVICE], LIFECYCLES)
    sample.TABLES.create_all(cloud.database.engine)
    yield cloud
    cloud.close()


@pytest.fixture(params=KINDS)
def ordeal(request: pytest.FixtureRequest, cloud: TestCloud) -> Ordeal:
    if request.param not in SCENARIOS:
        pytest.fail(f"lifecycle {request.param} has no scenario in tests/crash/scenarios.py")
    return Ordeal(SCENARIOS[request.param], cloud, reconcilers)


def test_no_scenario_is_without_its_lifecycle() -> None:
    assert sorted(SCENARIOS) == sorted(KINDS)
    assert {each.kind for each in LIFECYCLES} >= COVERED


@pytest.mark.parametrize("phase", PHASES)
def test_a_worker_killed_anywhere_loses_nothing(ordeal: Ordeal, phase: str) -> None:
    points = ordeal.points(phase)
    assert {point for point, _, _ in points} <= set(POINTS)
    assert ordeal.kill_everywhere(phase) == len(points)


def test_every_lifecycle_has_steps_to_kill(ordeal: Ordeal) -> None:
    wanted = {ordeal.scenario.kind, *ordeal.scenario.covers}
    passed = {each for phase in PHASES for _, each, _ in ordeal.points(phase)}
    assert wanted <= passed, "neither creating nor deleting one runs these lifecycles"


def test_every_step_may_run_twice(ordeal: Ordeal) -> None:
    ordeal.run_twice()


def test_deleting_during_creation_leaves_nothing(ordeal: Ordeal) -> None:
    ordeal.cancel_everywhere()


@pytest.mark.parametrize("phase", PHASES)
def test_a_step_that_fails_once_is_tried_again(ordeal: Ordeal, phase: str) -> None:
    ordeal.fail_once(phase)


@pytest.mark.parametrize("permanent", [True, False], ids=["for good", "until the deadline"])
def test_a_failed_creation_is_seen_and_can_be_deleted(ordeal: Ordeal, permanent: bool) -> None:
    ordeal.fail_creation(permanent=permanent)


def test_a_failed_deletion_leaves_nothing_in_the_end(ordeal: Ordeal) -> None:
    ordeal.fail_deletion()


def test_a_restart_of_the_host_is_made_good(ordeal: Ordeal) -> None:
    ordeal.restart_host()


def _broken(**steps: Any) -> Lifecycle:
    """The sample with some steps replaced by faulty ones."""
    return Lifecycle(kind="sample", steps={**sample.SAMPLE.steps, **steps}, fail=sample.fail)


def _made_once(step: Any) -> Any:
    if step.id in step.world.engine.networks:
        raise RuntimeError("it is there already")
    return sample.make(step)


def _forgotten(step: Any) -> Any:
    return sample.forget(step)


@pytest.mark.parametrize(
    ("steps", "run"),
    [
        ({"make": _made_once}, lambda o: o.run_twice()),
        ({"make": _made_once}, lambda o: o.kill_everywhere("create")),
        ({"unmake": _forgotten}, lambda o: o.kill_everywhere("delete")),
        ({"unmake": _forgotten}, lambda o: o.cancel_everywhere()),
    ],
    ids=["not idempotent", "not idempotent after a kill", "leaks", "leaks when cancelled"],
)
def test_the_ordeals_find_what_is_wrong(cloud: TestCloud, steps: Any, run: Any) -> None:
    cloud.lifecycles["sample"] = _broken(**steps)
    ordeal = Ordeal(SCENARIOS["sample"], cloud, sample.reconcilers)
    with pytest.raises(AssertionError):
        run(ordeal)
