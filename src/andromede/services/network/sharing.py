"""Effects on a resource of the host that many ask for at once, each under the resource's lock, so
that a newer document is never overwritten by an older one that was read before it."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import wraps
from typing import Protocol

from andromede.db import Database
from andromede.engine.protocol import Engine

STRIPES = tuple(threading.Lock() for _ in range(64))
LONGEST_REST = 0.5  # seconds between two runs of one effect
MOST_RESTS = 10_000  # networks come and go
Key = tuple[str, str]


class Apply(Protocol):
    """Make a resource on the host equal to its rows: those parts of it, or without any the whole.

    False when it has no row.
    """

    def __call__(
        self, database: Database, engine: Engine, resource_id: str, /, *parts: str
    ) -> bool: ...


class _Turn:
    """A run that did not begin yet: what it is asked to do, and what comes of it."""

    def __init__(self) -> None:
        self.outcome: Future[bool] = Future()
        self.parts: set[str] = set()
        self.whole = False

    def join(self, parts: tuple[str, ...]) -> None:
        self.parts.update(parts)
        self.whole = self.whole or not parts


_mutex = threading.Lock()
_rested: dict[Key, float] = {}  # when each effect may run again
_turns: dict[Key, _Turn] = {}


@contextmanager
def alone(kind: str, resource_id: str) -> Iterator[None]:
    """Nobody else in this worker reads and applies the resource's document meanwhile."""
    with STRIPES[zlib.crc32(f"{kind} {resource_id}".encode()) % len(STRIPES)]:
        yield


def together(kind: str) -> Callable[[Apply], Apply]:
    """As `alone`, and for everybody who asks the same before it begins: the rows it reads are theirs
    too. It waits as long as it computed the last time (by the clock it would count what others
    did meanwhile), so that under load many share what is as long as a network has ports. What it
    raises, it raises to all of them."""

    def of(apply: Apply) -> Apply:
        @wraps(apply)
        def shared(database: Database, engine: Engine, resource_id: str, /, *parts: str) -> bool:
            key = (kind, resource_id)
            with _mutex:
                first = key not in _turns
                turn = _turns.setdefault(key, _Turn())
                turn.join(parts)
            if first:
                with alone(kind, resource_id):
                    _run(key, turn, lambda asked: apply(database, engine, resource_id, *asked))
            return turn.outcome.result()

        return shared

    return of


def _run(key: Key, turn: _Turn, apply: Callable[[list[str]], bool]) -> None:
    time.sleep(max(0.0, _rested.pop(key, 0.0) - time.monotonic()))
    with _mutex:
        del _turns[key]
    began = time.thread_time()
    try:
        turn.outcome.set_result(apply([] if turn.whole else sorted(turn.parts)))
    except BaseException as error:
        turn.outcome.set_exception(error)
    spent = time.thread_time() - began
    if len(_rested) > MOST_RESTS:
        _rested.clear()
    _rested[key] = time.monotonic() + min(spent, LONGEST_REST)
