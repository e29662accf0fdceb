"""A database opened to be read cannot be changed, and opening it leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from andromede.db import Database


def test_a_read_only_database_is_read_and_not_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    writer = Database(url)
    writer.transact(lambda c: c.execute(sa.text("CREATE TABLE t (x INTEGER)")))
    writer.transact(lambda c: c.execute(sa.text("INSERT INTO t VALUES (7)")))
    reader = Database(url, read_only=True)
    with reader.read() as connection:
        assert connection.execute(sa.text("SELECT x FROM t")).scalar() == 7
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        reader.transact(lambda c: c.execute(sa.text("DELETE FROM t")))
    reader.dispose()
    writer.dispose()


def test_reading_a_database_that_is_closed_leaves_no_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a name%with #marks.sqlite'}"
    writer = Database(url)
    writer.transact(lambda c: c.execute(sa.text("CREATE TABLE t (x INTEGER)")))
    writer.dispose()
    before = {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()}
    reader = Database(url, read_only=True)
    with reader.read() as connection:
        assert connection.execute(sa.text("SELECT COUNT(*) FROM t")).scalar() == 0
    reader.dispose()
    assert {each: each.stat().st_mtime_ns for each in tmp_path.iterdir()} == before
