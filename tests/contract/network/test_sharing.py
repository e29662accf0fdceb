"""Effects that are as long as a network is large are shared by those who wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from andromede.services.network import steps

Apply = Callable[[], bool]


def together(apply: Apply) -> bool:
    """Ask for an effect on the resource `r`."""
    nobody: Any = None
    return steps.together("thing")(lambda *_: apply())(nobody, nobody, "r")


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

        monkeypatch.setattr(steps, "Future", Shared)

    def ask(self, number: int, apply: Apply) -> list[Future[bool]]:
        """Let so many ask together while another's apply is under way; what came of them."""
        began, end = threading.Event(), threading.Event()

        def under_way() -> bool:
            began.set()
            return end.wait()

        with ThreadPoolExecutor(number + 1) as pool:
            before = pool.submit(together, under_way)
            began.wait()
            found = [pool.submit(together, apply) for _ in range(number)]
            for _ in range(number - 1):  # the first of them waits to begin, not for a result
                self.waiting.acquire()
            end.set()
        assert before.result() is True
        return found


def test_those_who_wait_share_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    found = Crowd(monkeypatch).ask(5, lambda: not runs.append(1))
    assert [each.result() for each in found] == [True] * 5
    assert len(runs) == 1
    assert together(lambda: not runs.append(1))
    assert len(runs) == 2, "what ran before is nothing to who asks now"


def test_what_a_run_raises_all_who_shared_it_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise OSError("no room")

    found = Crowd(monkeypatch).ask(3, fail)
    assert [str(each.exception()) for each in found] == ["no room"] * 3
    assert together(lambda: True)
