"""Transactions on each kind of database: snapshots, retries, callbacks, and who writes next."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede.db import Connection, Database
from andromede.db.engine import WriteLock, after_commit

COUNTER = sa.Table("test_counter", sa.MetaData(), sa.Column("value", sa.Integer))
THREADS, TIMES = 4, 25
SEVERAL = """
import sys, sqlalchemy as sa
from andromede.db import Database
database = Database(sys.argv[1])
counter = sa.table("test_counter", sa.column("value"))
def add(connection):
    value = connection.execute(sa.select(counter.c.value)).scalar()
    connection.execute(sa.update(counter).values(value=value + 1))
for _ in range(int(sys.argv[2])):
    database.transact(add)
"""


@pytest.fixture
def counter(database: Database) -> Database:
    COUNTER.metadata.create_all(database.engine)
    database.transact(lambda c: c.execute(sa.insert(COUNTER), {"value": 0}))
    return database


def value(connection: Connection) -> int:
    found: int | None = connection.execute(sa.select(COUNTER.c.value)).scalar()
    assert found is not None
    return found


def add(connection: Connection) -> int:
    """Read, then write: lost without serialization."""
    following = value(connection) + 1
    connection.execute(sa.update(COUNTER).values(value=following))
    return following


def total(database: Database) -> int:
    with database.read() as connection:
        return value(connection)


def test_no_update_is_lost_among_threads(counter: Database) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(TIMES):
                counter.transact(add)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert total(counter) == THREADS * TIMES


def test_no_update_is_lost_among_processes(counter: Database) -> None:
    url = counter.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", SEVERAL, url, str(TIMES)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert total(counter) == 3 * TIMES


def test_a_transaction_that_lost_runs_again(counter: Database) -> None:
    """Another's commit between read and write: PostgreSQL refuses, SQLite cannot let it happen."""
    tries: list[int] = []

    def work(connection: Connection) -> None:
        seen = value(connection)
        tries.append(seen)
        if not counter.sqlite and len(tries) == 1:
            counter.transact(add)
        connection.execute(sa.update(COUNTER).values(value=seen + 10))

    counter.transact(work)
    assert tries == ([0] if counter.sqlite else [0, 1])
    assert total(counter) == 10 + len(tries) - 1


def test_what_raises_leaves_nothing_and_is_not_run_again(counter: Database) -> None:
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(add(connection))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        counter.transact(work)
    assert (tries, total(counter)) == ([1], 0)


def test_a_read_is_a_snapshot(counter: Database) -> None:
    with counter.read() as connection:
        assert value(connection) == 0
        counter.transact(add)
        assert value(connection) == 0
    assert total(counter) == 1


def test_a_read_keeps_nothing(counter: Database) -> None:
    with counter.read() as connection:
        connection.execute(sa.update(COUNTER).values(value=9))
    assert total(counter) == 0


def test_callbacks_run_once_when_the_commit_stands(counter: Database) -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(total(counter))

    def work(connection: Connection) -> None:
        add(connection)
        after_commit(connection, call)
        after_commit(connection, call)
        assert calls == []

    counter.transact(work)
    assert calls == [1]

    def fail(connection: Connection) -> None:
        after_commit(connection, call)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        counter.transact(fail)
    assert calls == [1]


def test_callbacks_need_a_transaction(counter: Database) -> None:
    with counter.read() as connection, pytest.raises(RuntimeError, match=r"Database\.transact"):
        after_commit(connection, lambda: None)


def test_memory_is_no_database() -> None:
    with pytest.raises(ValueError, match="an SQLite file is needed"):
        Database("sqlite://")


def test_sqlite_keeps_what_it_answered(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with database.read() as connection:
        for name, expected in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == expected
    database.dispose()


def test_the_write_lock_is_let_go_by_what_raises(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path / "write")
    with pytest.raises(ValueError, match="no"), lock:
        raise ValueError("no")
    with lock:
        pass


def test_a_fork_does_not_share_the_write_lock(tmp_path: Path) -> None:
    import fcntl

    lock = WriteLock(tmp_path / "write")
    with lock:
        child = os.fork()
        if child == 0:
            try:
                fcntl.flock(lock._descriptor(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os._exit(7)
            os._exit(0)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
