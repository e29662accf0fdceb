"""Group commit: writers who wait for the database together share one transaction and one commit.

A commit costs a flush of the disk, and a lock that processes take from each other; the work of most
transactions is shorter than either. The first who waits leads: once the lock is its own, it runs
what everybody in its process asked for until then, each in a savepoint, and commits once. Nobody is
answered before that commit stands.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Work = Callable[[Connection], T]

AFTER_COMMIT = "andromede.after_commit"
MOST = 32  # writers in one transaction: other processes wait for the lock meanwhile


class _Spoilt(Exception):
    """The database ended the transaction under a statement that failed."""


class _Turn:
    """One writer's work and what came of it."""

    __slots__ = ("callbacks", "context", "done", "error", "result", "wake", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.context = contextvars.copy_context()  # its logs bear its own request's id
        self.wake = threading.Event()
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[], None]] = []

    def run(self, connection: Connection) -> None:
        """Do the work anew. What it raises is its own writer's."""
        self.result, self.error, self.callbacks = None, None, []
        connection.info[AFTER_COMMIT] = self.callbacks
        try:
            self.result = self.context.run(self.work, connection)
        except BaseException as error:
            self.error = error
        finally:
            del connection.info[AFTER_COMMIT]


class Writers:
    """The writers of one process. `connect` gives the connection they write over, of which each
    `begin` takes the database's own lock; `lock` keeps other processes out."""

    def __init__(
        self, connect: Callable[[], Connection], lock: AbstractContextManager[None]
    ) -> None:
        self._connect = connect
        self._lock = lock
        self._mutex = threading.Lock()
        self._waiting: deque[_Turn] = deque()
        self._led = False

    def transact(self, work: Work[T]) -> T:
        """Run `work` in a transaction and commit; its exception undoes all that it did."""
        turn = _Turn(work)
        with self._mutex:
            self._waiting.append(turn)
            first, self._led = not self._led, True
        if not first:
            turn.wake.wait()
        if not turn.done:
            self._lead()
        if turn.error is not None:
            raise turn.error
        for callback in turn.callbacks:
            callback()
        result: T = turn.result
        return result

    def _lead(self) -> None:
        """Run what waits, whose first is the caller's own, and let the next one lead."""
        with self._mutex:
            turns = [self._waiting.popleft()]
        try:
            connection = self._connect()
            with self._lock:
                with self._mutex:
                    while self._waiting and len(turns) < MOST:
                        turns.append(self._waiting.popleft())
                _run_all(connection, turns)
        except BaseException as error:
            for turn in turns:
                turn.error = turn.error or error
        finally:
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
            for turn in turns:
                turn.done = True
                turn.wake.set()
            if following is not None:
                following.wake.set()


def _run_all(connection: Connection, turns: Sequence[_Turn]) -> None:
    """Run some turns in one transaction; each in its own when they cannot share one."""
    if len(turns) > 1:
        try:
            _run_together(connection, turns)
        except Exception:  # whoever caused it meets it again below, alone
            _undo(connection)
        else:
            return
    for turn in turns:
        _run_alone(connection, turn)


def _run_together(connection: Connection, turns: Sequence[_Turn]) -> None:
    connection.begin()
    driver: Any = connection.connection.driver_connection
    for turn in turns:
        driver.execute("SAVEPOINT turn")
        turn.run(connection)
        if not driver.in_transaction:
            raise _Spoilt
        if turn.error is not None:
            driver.execute("ROLLBACK TO turn")
        driver.execute("RELEASE turn")
    connection.commit()


def _run_alone(connection: Connection, turn: _Turn) -> None:
    try:
        connection.begin()
        turn.run(connection)
        if turn.error is None:
            connection.commit()
    except BaseException as error:
        turn.error = error
    finally:
        if turn.error is not None:
            _undo(connection)


def _undo(connection: Connection) -> None:
    connection.rollback()
    driver: Any = connection.connection.driver_connection
    driver.rollback()  # after a commit that failed, SQLAlchemy thinks there is nothing to undo
