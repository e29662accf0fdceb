"""The runner: what is leased, what is recorded, what is tried again and when it is given up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from andromede import clock
from andromede.db import Connection
from andromede.engine.protocol import EngineError, NotYet
from andromede.work import Done, Hop, Nap, PermanentError, Step, intend
from andromede.work.store import work
from tests.unit.work.conftest import NOTES, Bench, note

Pass = Callable[[float], None]


class Killed(BaseException):
    """The worker ends here."""


def test_done_records_and_removes_the_row(bench: Bench) -> None:
    bench.intend()
    bench.run_one(bench.runner())
    assert bench.notes() == ["r"]
    assert bench.row() is None


def test_the_next_lease_is_for_the_project_with_the_fewest_running(bench: Bench) -> None:
    for number in range(5):
        bench.intend(f"a{number}", project_id="a")
    bench.intend("b", project_id="b")
    bench.intend("c", project_id="c")
    runner = bench.runner()
    first = runner.lease(3)
    assert sorted(task.project_id for task in first) == ["a", "b", "c"]
    bench.intend("b2", project_id="b")
    for task in first[1:]:
        runner._release(task)
    (after,) = runner.lease(1)
    assert after.project_id == "b", "a has one running, b has none"


def test_a_row_is_leased_by_one_worker(bench: Bench) -> None:
    for number in range(30):
        bench.intend(f"r{number}")
    taken: list[str] = []
    lock, runners = threading.Lock(), [bench.runner() for _ in range(4)]

    def lease(runner: Any) -> None:
        for _ in range(60):
            found = [task.resource_id for task in runner.lease(3)]
            with lock:
                taken.extend(found)
                if len(taken) >= 30:
                    return

    threads = [threading.Thread(target=lease, args=(each,)) for each in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == {f"r{number}": 1 for number in range(30)}


def test_delay_and_nap_wait(bench: Bench, now: Pass) -> None:
    naps = iter([Nap(5, record=note("napped")), Done(note("done"))])
    bench.steps["go"] = lambda _: next(naps)
    bench.intend(delay=10)
    runner = bench.runner()
    assert runner.lease(1) == []
    now(10)
    bench.run_one(runner)
    assert bench.notes() == ["napped"]
    now(4.9)
    assert runner.lease(1) == []
    now(0.2)
    bench.run_one(runner)
    assert bench.notes() == ["done", "napped"]


def test_a_nap_may_go_on_elsewhere(bench: Bench) -> None:
    bench.steps = {"go": lambda _: Nap(0, "on"), "on": lambda _: Done(note("on"))}
    bench.intend()
    runner = bench.runner()
    bench.run_one(runner)
    assert bench.row().label == "on"
    bench.run_one(runner)
    assert bench.notes() == ["on"]


def test_a_changed_intent_drops_what_the_step_recorded(bench: Bench) -> None:
    bench.steps = {
        "go": lambda _: Done(note("old")),
        "again": lambda step: Done(note(step.args["colour"])),
    }
    bench.intend()

    def change(point: str, _: Any) -> None:
        if point == "effect":
            bench.intend(label="again", args={"colour": "red"}, request_id="req-2")

    bench.run_one(bench.runner(probe=change))
    assert bench.notes() == []
    row = bench.row()
    assert (row.label, row.lease, row.generation, row.request_id) == ("again", None, 2, "req-2")
    bench.run_one(bench.runner())
    assert bench.notes() == ["red"]


def test_a_changed_intent_survives_a_failure_of_the_old_one(bench: Bench) -> None:
    def fail(_: Step) -> Any:
        bench.intend(label="again")
        raise RuntimeError("broken")

    bench.steps |= {"go": fail, "again": lambda _: Done(note("again"))}
    bench.intend()
    runner = bench.runner()
    bench.run_one(runner)
    assert bench.row().attempts == 0
    bench.run_one(runner)
    assert bench.notes() == ["again"]


def test_a_killed_worker_is_followed_where_it_stopped(bench: Bench) -> None:
    ran: list[str] = []

    def first(_: Step) -> Any:
        ran.append("go")
        return Hop("on", note("hopped"))

    bench.steps = {"go": first, "on": lambda _: Done(note("on"))}
    bench.intend()

    def kill(point: str, task: Any) -> None:
        if (point, task.label) == ("before", "on"):
            raise Killed

    with pytest.raises(Killed):
        bench.run_one(bench.runner(probe=kill))
    assert bench.row().label == "on"
    follower = bench.runner()
    assert follower.lease(1) == []
    assert follower.recover() == 1
    bench.run_one(follower)
    assert (ran, bench.notes()) == (["go"], ["hopped", "on"])


def test_failures_are_tried_again_ever_later(bench: Bench, now: Pass) -> None:
    def fail(_: Step) -> Any:
        raise RuntimeError("not yet")

    bench.steps["go"] = fail
    bench.intend(seconds=10**6)
    runner, waits = bench.runner(), []
    for attempt in range(1, 10):
        bench.run_one(runner)
        row = bench.row()
        assert (row.attempts, row.error, row.lease) == (attempt, "RuntimeError: not yet", None)
        waits.append((row.run_at - clock.now()) / clock.SECOND)
        now(waits[-1])
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("error", [EngineError, NotYet])
def test_only_a_failure_is_logged_with_where_it_came_from(
    bench: Bench, error: type[EngineError]
) -> None:
    def fail(_: Step) -> Any:
        raise error("its network is missing")

    bench.steps["go"] = fail
    bench.intend(seconds=10**6)
    with capture_logs() as logged:
        bench.run_one(bench.runner())
    (line,) = [each for each in logged if each["event"] == "will retry"]
    assert line["error"] == "its network is missing"
    assert line["exc_info"] is (error is EngineError)


def test_the_thousandth_failure_is_tried_again_too(bench: Bench, now: Pass) -> None:
    def fail(_: Step) -> Any:
        raise RuntimeError("not yet")

    bench.steps["go"] = fail
    bench.intend(seconds=10**6)
    bench.database.transact(lambda c: c.execute(sa.update(work).values(attempts=5_000)))
    bench.run_one(bench.runner())
    assert (bench.row().attempts, bench.row().lease) == (5_001, None)


def test_what_passes_its_deadline_fails_with_its_cause(bench: Bench, now: Pass) -> None:
    def fail(_: Step) -> Any:
        raise RuntimeError("the disk is slow")

    bench.steps["go"] = fail
    bench.intend(seconds=60)
    runner = bench.runner()
    bench.run_one(runner)
    now(61)
    bench.run_one(runner)
    (why,) = bench.notes()
    assert why.startswith("r failed: ")
    assert "was not done in time" in why
    assert "the disk is slow" in why
    assert bench.row() is None


class LastingError(Exception):
    permanent = True


@pytest.mark.parametrize("error", [PermanentError("no room"), LastingError("no room")])
def test_what_cannot_succeed_fails_at_once(bench: Bench, error: Exception) -> None:
    def fail(_: Step) -> Any:
        raise error

    bench.steps["go"] = fail
    bench.intend()
    bench.run_one(bench.runner())
    assert bench.notes() == ["r failed: no room"]
    assert bench.row() is None


def test_a_record_that_raises_is_tried_again_and_keeps_nothing(bench: Bench) -> None:
    def record(connection: Connection) -> None:
        note("half")(connection)
        raise RuntimeError("cannot record")

    outcomes = iter([Done(record), Done(note("whole"))])
    bench.steps["go"] = lambda _: next(outcomes)
    bench.intend()
    runner = bench.runner()
    bench.run_one(runner)
    assert bench.notes() == []
    row = bench.row()
    assert (row.lease, row.attempts, row.error) == (None, 1, "RuntimeError: cannot record")
    bench.database.transact(lambda c: c.execute(sa.update(work).values(run_at=0)))
    bench.run_one(runner)
    assert bench.notes() == ["whole"]


def test_a_record_that_cannot_be_is_undone_and_fails_the_step(bench: Bench) -> None:
    def record(connection: Connection) -> None:
        note("half")(connection)
        raise PermanentError("no room")

    bench.steps["go"] = lambda _: Hop("never", record)
    bench.intend()
    bench.run_one(bench.runner())
    assert bench.notes() == ["r failed: no room"]
    assert bench.row() is None


def test_a_kind_or_step_that_nobody_knows_is_kept(bench: Bench) -> None:
    bench.intend(label="nowhere")
    bench.run_one(bench.runner())
    runner = bench.runner()
    runner.lifecycles = {}
    bench.database.transact(lambda c: c.execute(sa.update(work).values(run_at=0)))
    bench.run_one(runner)
    assert (bench.row().lease, bench.row().attempts) == (None, 2)


def test_a_lease_outlives_a_database_that_was_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.intend()
    runner = bench.runner()
    (task,) = runner.lease(1)

    def away(_: Any) -> Any:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(bench.database, "transact", away)
    runner.run(task)
    monkeypatch.undo()
    assert bench.row().lease is not None
    assert runner.lease(1) == [], "what is given back waits for its turn"
    assert (bench.row().lease, bench.row().attempts) == (None, 1)


def test_a_record_may_intend_anew(bench: Bench) -> None:
    def again(connection: Connection) -> None:
        intend(connection, "thing", "r", "last", project_id="p", request_id="req")

    bench.steps = {"go": lambda _: Done(again), "last": lambda _: Done(note("last"))}
    bench.intend()
    runner = bench.runner()
    bench.run_one(runner)
    assert (bench.row().label, bench.row().lease) == ("last", None)
    bench.run_one(runner)
    assert bench.notes() == ["last"]


def test_serving_does_all_there_is_and_stops(bench: Bench) -> None:
    for number in range(20):
        bench.intend(f"r{number}", project_id=f"p{number % 3}")
    stop, done = threading.Event(), threading.Event()
    seen: list[str] = []

    def go(step: Step) -> Any:
        seen.append(step.id)
        if len(seen) == 21:
            done.set()
        return Done(note(step.id))

    bench.steps["go"] = go
    runner = bench.runner(slots=4)
    thread = threading.Thread(target=runner.serve, args=(stop,))
    thread.start()
    bench.intend("late")
    runner.wake()
    assert done.wait(30)
    stop.set()
    runner.wake()
    thread.join(30)
    assert not thread.is_alive()
    assert len(bench.notes()) == 21
    with bench.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(NOTES)).scalar() == 21
        assert connection.execute(sa.select(work)).all() == []


def test_the_next_due_row_ends_the_sleep(bench: Bench, now: Pass) -> None:
    runner = bench.runner()
    longest = runner._sleep()
    bench.steps["go"] = lambda _: Nap(longest / 2)
    bench.intend(seconds=10**6)
    bench.run_one(runner)
    assert 0 < runner._sleep() <= longest / 2
    now(longest)
    assert 0 < runner._sleep() < 0.1


def test_nothing_is_leased_by_who_has_no_room(bench: Bench) -> None:
    bench.intend()
    assert bench.runner().lease(0) == []
    assert bench.row().lease is None


def test_a_step_that_is_lost_is_told_and_makes_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.intend()
    runner = bench.runner()
    (task,) = runner.lease(1)

    def lose(_: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(runner, "run", lose)
    with capture_logs() as logged:
        runner._run_and_wake(task)
    assert [each["event"] for each in logged] == ["step lost"]
    assert runner.running.total() == 0
