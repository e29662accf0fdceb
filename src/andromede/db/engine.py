"""Transactions over SQLite or PostgreSQL: snapshots to read, one fair queue to write.

SQLite runs in WAL with `synchronous=FULL`, and writers queue on a lock of their own before
`BEGIN IMMEDIATE`, because SQLite's own busy handler polls and starves; those of one process commit
together. PostgreSQL runs
SERIALIZABLE, and a transaction that lost is run again.
"""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection as Connection
from sqlalchemy.pool import ConnectionPoolEntry

from andromede import sqlite_file
from andromede.db import regular
from andromede.db.group import AFTER_COMMIT, Writers

T = TypeVar("T")

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
metadata = sa.MetaData(naming_convention=CONVENTION)

RETRIES = 20
RETRY_STATES = {"40001", "40P01"}


def decode_json(text: str | bytes) -> Any:
    return msgspec.json.decode(text)


def encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class WriteLock:
    """One writer at a time, across threads by a lock and across processes by `flock`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._handle: int | None = None
        self._owner = 0

    def __enter__(self) -> None:
        self._thread.acquire()
        try:
            fcntl.flock(self._descriptor(), fcntl.LOCK_EX)
        except BaseException:
            self._thread.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            fcntl.flock(self._descriptor(), fcntl.LOCK_UN)
        finally:
            self._thread.release()

    def _descriptor(self) -> int:
        """The lock file, opened once in each process: a fork must not share its lock."""
        if self._handle is None or self._owner != os.getpid():
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
            self._owner = os.getpid()
        return self._handle


class Database:
    """One process's way into the database.

    `read()` gives a snapshot; `transact(f)` runs `f(connection)` and commits it, again if it lost
    against another. Callables added by `after_commit` run once, when the commit stands.
    `read_only`: an SQLite file that is there is opened so that nothing can change it.
    """

    def __init__(self, url: str, *, pool_size: int = 20, read_only: bool = False) -> None:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"json_serializer": encode_json, "json_deserializer": decode_json}
        if self.sqlite:
            options |= {"pool_size": pool_size, "max_overflow": pool_size}
            if parsed.database is None:
                raise ValueError(f"database {url!r}: an SQLite file is needed, not memory")
            self._lock = WriteLock(Path(parsed.database + ".write"))
            self._writers: Writers | None = Writers(self._writing, self._lock)
            if read_only:
                file, query = sqlite_file.read_only(Path(parsed.database))
                parsed = parsed.set(database=file, query={**query, "uri": "true"})
        else:
            options |= {"pool_size": pool_size, "isolation_level": "SERIALIZABLE"}
            self._writers = None
        self.engine = sa.create_engine(parsed, **options)
        self._kept = threading.local()
        self._keeping: list[Connection] = []
        self._writer: Connection | None = None
        if self.sqlite:
            sa.event.listen(self.engine, "connect", self._open_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    def _open_sqlite(self, connection: Any, entry: ConnectionPoolEntry) -> None:
        """Open one at a time across processes: root makes the files of the write-ahead log and
        then gives them to the database's owner, who must not meet them in between."""
        with self._lock:
            _prepare_sqlite(connection, entry)

    def _writing(self) -> Connection:
        """The connection over which this process writes SQLite."""
        if self._writer is None:
            self._writer = self.engine.connect().execution_options(andromede_write=True)
        return self._writer

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot; nothing done in it is kept."""
        with self.engine.connect() as connection:
            connection.begin()
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def read_often(self) -> Iterator[Connection]:
        """As `read`, over a connection that the thread keeps until `dispose`, for many short
        reads: to take one from the pool and to give it back costs more than such a read."""
        connection: Connection | None = getattr(self._kept, "connection", None)
        if connection is None or connection.closed or connection.invalidated:
            connection = self._kept.connection = self.engine.connect()
            self._keeping.append(connection)
        driver = connection.connection.dbapi_connection if self.sqlite else None
        if driver is None:
            connection.begin()
        else:
            driver.execute("BEGIN")  # a begin of SQLAlchemy's own, if one comes, joins this one
        try:
            yield connection
        finally:
            if driver is None or connection.in_transaction():
                connection.rollback()
            else:
                driver.execute("ROLLBACK")

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction and commit; its exception rolls everything back."""
        if self._writers is not None:
            return self._writers.transact(work)
        for attempt in range(RETRIES):
            try:
                return self._transact_once(work)
            except Exception as error:
                state = getattr(getattr(error, "orig", error), "sqlstate", None)
                if state not in RETRY_STATES or attempt == RETRIES - 1:
                    raise
                time.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 6)))
        raise AssertionError("unreachable")

    def _transact_once(self, work: Callable[[Connection], T]) -> T:
        with self.engine.connect() as connection:
            result, done = self._run(connection, work)
        for callback in done:
            callback()
        return result

    @staticmethod
    def _run(
        connection: Connection, work: Callable[[Connection], T]
    ) -> tuple[T, list[Callable[[], None]]]:
        callbacks: list[Callable[[], None]] = []
        connection.info[AFTER_COMMIT] = callbacks
        try:
            connection.begin()
            result = work(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.info.pop(AFTER_COMMIT, None)
        return result, callbacks

    def dispose(self) -> None:
        """Close every connection (after a fork, or at the end)."""
        while self._keeping:
            self._keeping.pop().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.engine.dispose()


def after_commit(connection: Connection, callback: Callable[[], None]) -> None:
    """Run `callback` once the transaction stands; equal callbacks run once."""
    callbacks = connection.info.get(AFTER_COMMIT)
    if callbacks is None:
        raise RuntimeError("after_commit needs a connection given by Database.transact")
    if callback not in callbacks:
        callbacks.append(callback)


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the transaction is begun by hand, below
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=20000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("regexp", 2, regular.found, deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("andromede_write", False)
    driver = connection.connection.driver_connection
    assert driver is not None
    if write:
        driver.execute("BEGIN IMMEDIATE")
    elif not driver.in_transaction:
        driver.execute("BEGIN")
