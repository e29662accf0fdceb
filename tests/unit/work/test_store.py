"""Work in the database: what intending does, and what wakes the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from andromede import clock
from andromede.work import intend, store
from andromede.work.reconcile import Reconciler, serve
from tests.unit.work.conftest import Bench


@pytest.fixture
def woken() -> Iterator[list[int]]:
    times: list[int] = []
    store.set_wake(lambda: times.append(1))
    yield times
    store.set_wake(None)


def test_a_commit_wakes_the_worker_once(bench: Bench, woken: list[int]) -> None:
    def two(connection: store.Connection) -> None:
        for resource in ("a", "b"):
            intend(connection, "thing", resource, "go", project_id="p", request_id="req")
        assert woken == []

    bench.database.transact(two)
    assert woken == [1]


def test_a_rollback_wakes_nobody_and_leaves_nothing(bench: Bench, woken: list[int]) -> None:
    def fail(connection: store.Connection) -> None:
        intend(connection, "thing", "r", "go", project_id="p", request_id="req")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        bench.database.transact(fail)
    assert woken == []
    assert bench.row() is None


def test_intending_again_replaces_all_but_the_lease(bench: Bench) -> None:
    bench.intend(args={"a": 1}, seconds=5)
    (task,) = bench.runner().lease(1)
    bench.intend(label="other", args={}, seconds=500, request_id="req-2")
    row = bench.row()
    assert (row.label, row.args, row.generation, row.request_id) == ("other", {}, 2, "req-2")
    assert row.lease == task.lease
    assert row.deadline > task.deadline


def test_what_is_gathered_waits_for_the_first_who_asked(
    bench: Bench, now: Callable[[float], None]
) -> None:
    bench.intend(delay=2, gather=True)
    first = bench.row().run_at
    now(1)
    bench.intend(delay=2, gather=True)
    assert (bench.row().run_at, bench.row().generation) == (first, 2)
    now(1)
    assert len(bench.runner().lease(1)) == 1
    bench.intend(delay=2, gather=True)
    assert bench.row().run_at == first + 2 * clock.SECOND, "what runs now may miss this"
    bench.intend(gather=True)
    assert bench.row().run_at == first, "who does not wait is not made to"


def test_busy(bench: Bench) -> None:
    with bench.database.read() as connection:
        assert not store.busy(connection, "thing", "r")
    bench.intend()
    with bench.database.read() as connection:
        assert store.busy(connection, "thing", "r")
        assert not store.busy(connection, "other", "r")


def test_a_reconciler_that_fails_runs_again() -> None:
    import threading

    stop, runs = threading.Event(), []

    def run() -> None:
        runs.append(1)
        if len(runs) == 3:
            stop.set()
        raise RuntimeError("once more")

    (thread,) = serve([Reconciler(name="r", every=0, run=run)], stop)
    thread.join(30)
    assert len(runs) == 3
