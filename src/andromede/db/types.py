"""Column types shared by every store, and how SQLite's STRICT tables spell them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

Moment = sa.BigInteger  # microseconds since the epoch, as `clock.now()` gives them
Json = sa.JSON


@compiles(sa.String, "sqlite")
@compiles(sa.Text, "sqlite")
@compiles(sa.JSON, "sqlite")
def _text(*_: Any, **__: Any) -> str:
    return "TEXT"


@compiles(sa.Integer, "sqlite")
@compiles(sa.BigInteger, "sqlite")
@compiles(sa.Boolean, "sqlite")
def _integer(*_: Any, **__: Any) -> str:
    return "INTEGER"


@compiles(sa.Double, "sqlite")
def _real(*_: Any, **__: Any) -> str:
    return "REAL"


@compiles(sa.LargeBinary, "sqlite")
def _blob(*_: Any, **__: Any) -> str:
    return "BLOB"


LONGEST_ID = 64  # characters


def identifier(name: str = "id", *arguments: Any, **options: Any) -> sa.Column[str]:
    """A column that holds an id in either of its spellings."""
    return sa.Column(name, sa.String(LONGEST_ID), *arguments, **options)


def table(name: str, metadata: sa.MetaData, *items: Any) -> sa.Table:
    """A table, STRICT on SQLite so that a column holds only its declared type."""
    return sa.Table(name, metadata, *items, sqlite_strict=True)
