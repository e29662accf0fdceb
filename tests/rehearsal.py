"""Requests whose effect on the database is undone: one transaction holds all that they read and
write, and is rolled back at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import mock

from andromede.db import Connection, Database
from andromede.db.group import AFTER_COMMIT

T = TypeVar("T")


@contextmanager
def rehearsed(database: Database) -> Iterator[Connection]:
    """Within, every transaction is a part of one that comes to nothing; gives its connection.

    What should run after a commit does not: nothing is committed.
    """
    lock = threading.RLock()
    with database.engine.connect() as plain:
        connection = plain.execution_options(andromede_write=True)
        connection.begin()
        driver: Any = connection.connection.driver_connection

        @contextmanager
        def read() -> Iterator[Connection]:
            with lock:  # what fails of it ends a transaction of PostgreSQL otherwise
                driver.execute("SAVEPOINT look")
                try:
                    yield connection
                except BaseException:
                    driver.execute("ROLLBACK TO look")
                    raise
                finally:
                    driver.execute("RELEASE look")

        def transact(work: Callable[[Connection], T]) -> T:
            with lock:
                driver.execute("SAVEPOINT part")
                connection.info[AFTER_COMMIT] = []
                try:
                    return work(connection)
                except BaseException:
                    driver.execute("ROLLBACK TO part")
                    raise
                finally:
                    connection.info.pop(AFTER_COMMIT, None)
                    driver.execute("RELEASE part")

        try:
            with mock.patch.multiple(database, read=read, read_often=read, transact=transact):
                yield connection
        finally:
            connection.rollback()
