"""Writers who wait together commit together, and none of them feels the others' failures."""

from __future__ import annotations

import contextvars
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.db import Connection, Database
from andromede.db.engine import WriteLock, after_commit
from andromede.db.group import MOST

NOTES = sa.Table(
    "test_note",
    sa.MetaData(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column(
        "parent", sa.ForeignKey("test_note.name", deferrable=True, initially="DEFERRED")
    ),
)  # fmt: skip
Work = Callable[[Connection], Any]


class Crowd:
    """Writers of one process who all wait while another process holds the lock."""

    def __init__(self, database: Database, path: Path) -> None:
        self.database = database
        self.elsewhere = WriteLock(path)
        self.commits = 0
        sa.event.listen(database.engine, "commit", self._count)

    def _count(self, _: Connection) -> None:
        self.commits += 1

    def write(self, *works: Work) -> list[Future[Any]]:
        """Let each work wait in its turn, then let go of the lock; what came of them."""
        writers = self.database._writers
        assert writers is not None
        found: list[Future[Any]] = []
        with ThreadPoolExecutor(len(works)) as pool, self.elsewhere:
            for at, work in enumerate(works):
                found.append(pool.submit(self.database.transact, work))
                while not (writers._led and len(writers._waiting) == at):
                    assert not found[-1].done()
        return found

    def names(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(NOTES.c.name)).scalars())


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    database = Database(f"sqlite:///{tmp_path / 'crowd.sqlite'}")
    NOTES.metadata.create_all(database.engine)
    yield Crowd(database, tmp_path / "crowd.sqlite.write")
    database.dispose()


def note(name: str, parent: str | None = None, error: Exception | None = None) -> Work:
    def work(connection: Connection) -> str:
        connection.execute(sa.insert(NOTES), {"name": name, "parent": parent})
        if error is not None:
            raise error
        return name

    return work


def test_those_who_wait_share_one_commit(crowd: Crowd) -> None:
    found = crowd.write(note("a"), note("b"), note("c"))
    assert [each.result() for each in found] == ["a", "b", "c"]
    assert crowd.names() == ["a", "b", "c"]
    assert crowd.commits == 1


def test_no_more_than_some_share_one(crowd: Crowd) -> None:
    names = [f"n{at:03}" for at in range(MOST + 2)]
    found = crowd.write(*map(note, names))
    assert [each.result() for each in found] == names
    assert sorted(crowd.names()) == names
    assert crowd.commits == 2


def test_a_failure_undoes_its_own_work_only(crowd: Crowd) -> None:
    found = crowd.write(
        note("a"), note("b", error=ValueError("no")), note("a"), note("c", error=KeyError("d")),
        note("e"),
    )  # fmt: skip
    assert [type(each.exception()) for each in found] == [
        type(None), ValueError, sa.exc.IntegrityError, KeyError, type(None),
    ]  # fmt: skip
    assert crowd.names() == ["a", "e"]
    assert crowd.commits == 1


def test_what_only_the_commit_refuses_is_one_writers_own(crowd: Crowd) -> None:
    found = crowd.write(note("a"), note("b", parent="nobody"), note("c", parent="a"))
    assert [each.exception() is None for each in found] == [True, False, True]
    assert isinstance(found[1].exception(), sa.exc.IntegrityError)
    assert sorted(crowd.names()) == ["a", "c"]


def test_a_transaction_that_the_database_ends_is_done_again(crowd: Crowd) -> None:
    """As SQLite does when the disk is full: what came before in the same one is lost."""

    def spoil(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    found = crowd.write(note("a"), spoil, note("b"))
    assert [each.exception() is None for each in found] == [True, False, True]
    assert "disk is full" in str(found[1].exception())
    assert sorted(crowd.names()) == ["a", "b"]


def test_callbacks_are_their_writers_own(crowd: Crowd) -> None:
    called: list[tuple[str, str]] = []

    def calling(name: str, error: Exception | None = None) -> Work:
        def work(connection: Connection) -> None:
            after_commit(connection, lambda: called.append((name, crowd.names()[-1])))
            note(name, error=error)(connection)

        return work

    crowd.write(calling("a"), calling("b", ValueError("no")), calling("c"))
    assert sorted(called) == [("a", "c"), ("c", "c")]


def test_each_runs_in_its_own_context(crowd: Crowd) -> None:
    asked: contextvars.ContextVar[str] = contextvars.ContextVar("asked")
    seen: list[tuple[str, str]] = []
    ready = threading.Barrier(3)

    def ask(name: str) -> None:
        asked.set(name)
        ready.wait()
        crowd.database.transact(lambda _: seen.append((name, asked.get())))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, "abc"))
    assert sorted(seen) == [("a", "a"), ("b", "b"), ("c", "c")]


def test_a_lock_that_cannot_be_had_is_everybodys_error(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "andromede.db.engine.fcntl.flock", lambda *_: (_ for _ in ()).throw(OSError("no locks"))
    )
    with pytest.raises(OSError, match="no locks"):
        crowd.database.transact(note("a"))
    monkeypatch.undo()
    assert crowd.database.transact(note("b")) == "b"
    assert crowd.names() == ["b"]
