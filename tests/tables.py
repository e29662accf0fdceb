"""Databases with every declared table, copied from one that was made before: to declare them all anew
takes longer than most tests do."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from andromede.db import Database, metadata

_THERE = sa.text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
_files: dict[frozenset[str], bytes] = {}


def ensure(database: Database) -> None:
    """Have every table that is declared by now in a database, which is the caller's alone."""
    if not database.sqlite:
        with database.engine.connect() as connection:
            there = connection.scalar(_THERE)
        if there != len(metadata.tables):
            metadata.create_all(database.engine)
        return
    path, declared = Path(str(database.url.database)), frozenset(metadata.tables)
    if path.exists():
        metadata.create_all(database.engine)
    elif declared in _files:
        path.write_bytes(_files[declared])
    else:
        metadata.create_all(database.engine)
        _files[declared] = _whole(path)


def _whole(path: Path) -> bytes:
    """An SQLite database as one file, with what its log holds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        copy = Path(folder) / "copy.sqlite"
        connection.execute("VACUUM INTO ?", (str(copy),))
        return copy.read_bytes()


def declare(url: str) -> None:
    """Make every table that is declared by now in the database of a URL."""
    database = Database(url)
    metadata.create_all(database.engine)
    database.dispose()
