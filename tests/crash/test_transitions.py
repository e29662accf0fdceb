"""Every transition of a server that runs goes through the ordeals of a creation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from andromede.services import compute, image, network
from andromede.work import Reconciler
from tests.crash.ordeal import Ordeal
from tests.crash.transitions import NAMED
from tests.harness import TestCloud

PACKAGES = (compute, image, network)


def reconcilers(world: SimpleNamespace) -> list[Reconciler]:
    return [one for each in PACKAGES for one in getattr(each, "reconcilers", lambda _: [])(world)]


@pytest.fixture(params=list(NAMED))
def ordeal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ordeal]:
    cloud = TestCloud(
        tmp_path,
        [each.SERVICE for each in PACKAGES],
        [one for each in PACKAGES for one in each.LIFECYCLES],
    )
    yield Ordeal(NAMED[request.param], cloud, reconcilers)
    cloud.close()


def test_a_worker_killed_anywhere_loses_nothing(ordeal: Ordeal) -> None:
    assert ordeal.kill_everywhere("create") > 2


def test_every_step_may_run_twice(ordeal: Ordeal) -> None:
    ordeal.run_twice()


def test_deleting_meanwhile_leaves_nothing(ordeal: Ordeal) -> None:
    ordeal.cancel_everywhere()


def test_a_step_that_fails_once_is_tried_again(ordeal: Ordeal) -> None:
    ordeal.fail_once("create")


def test_a_restart_of_the_host_is_made_good(ordeal: Ordeal) -> None:
    """What was paused has lost what it was at: it is stopped."""
    resource = ordeal.create()
    ordeal.settle()
    ordeal.expect_good(resource)
    ordeal.cloud.engine.host_restarts()
    ordeal.reconcile()
    assert ordeal.status(resource) in ("good", "SHUTOFF")
    ordeal.remove(resource)
