"""Effects that are as long as a network is large are shared by those who wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from andromede.services.network import sharing

Apply = Callable[..., bool]


def together(apply: Apply, *parts: str) -> bool:
    """Ask for an effect on the resource `r`, or on parts of it."""
    nobody: Any = None
    return sharing.together("thing")(lambda *given: apply(*given[3:]))(nobody, nobody, "r", *parts)


class Crowd:
    """Callers who ask for one effect while it is under way for somebody else."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = threading.Semaphore(0)
        waiting = self.waiting

        class Shared(Future[bool]):
            def result(self, timeout: float | None = None) -> bool:
                if not self.done():
                    waiting.release()
                return super().result(timeout)

        monkeypatch.setattr(sharing, "Future", Shared)

    def ask(self, parts: Sequence[tuple[str, ...]], apply: Apply) -> list[Future[bool]]:
        """Let some ask together, each for its parts, while another's apply is under way; what came
        of them."""
        began, end = threading.Event(), threading.Event()

        def under_way(*_: str) -> bool:
            began.set()
            return end.wait()

        with ThreadPoolExecutor(len(parts) + 1) as pool:
            before = pool.submit(together, under_way)
            began.wait()
            found = [pool.submit(together, apply, *each) for each in parts]
            for _ in parts[1:]:  # the first of them waits to begin, not for a result
                self.waiting.acquire()
            end.set()
        assert before.result() is True
        return found


def test_those_who_wait_share_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    found = Crowd(monkeypatch).ask([()] * 5, lambda: not runs.append(1))
    assert [each.result() for each in found] == [True] * 5
    assert len(runs) == 1
    assert together(lambda: not runs.append(1))
    assert len(runs) == 2, "what ran before is nothing to who asks now"


def test_what_a_run_raises_all_who_shared_it_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise OSError("no room")

    found = Crowd(monkeypatch).ask([()] * 3, fail)
    assert [str(each.exception()) for each in found] == ["no room"] * 3
    assert together(lambda: True)


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        ([("a",), ("b", "c"), ("a",)], ("a", "b", "c")),
        ([("a",), (), ("b",)], ()),
    ],
    ids=["parts", "whole"],
)
def test_a_shared_run_does_what_each_asked(
    monkeypatch: pytest.MonkeyPatch, asked: list[tuple[str, ...]], done: tuple[str, ...]
) -> None:
    runs: list[tuple[str, ...]] = []

    def apply(*parts: str) -> bool:
        runs.append(parts)
        return True

    found = Crowd(monkeypatch).ask(asked, apply)
    assert [each.result() for each in found] == [True] * 3
    assert runs == [done]


def test_rests_of_networks_that_went_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_RESTS", 2)
    nobody: Any = None
    for number in range(9):
        assert sharing.together("gone")(lambda *_: True)(nobody, nobody, f"r{number}")
    assert len(sharing._rested) <= 4
