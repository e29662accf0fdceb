"""Statements that the database's driver runs itself, for the paths that every request takes.

They cost a fraction of the same text through SQLAlchemy, which builds a description of each
result. Values come as the driver gives them: JSON as text, booleans as SQLite's integers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from andromede.db.engine import Connection

PARAMETER = re.compile(r"(?<!:):(\w+)")
Row = tuple[Any, ...]


class Statement:
    """SQL with `:name` parameters. In the text, `%` stands for itself."""

    __slots__ = ("_named", "_percent")

    def __init__(self, text: str) -> None:
        self._named = text
        self._percent = PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Row]:
        """All rows, inside the connection's transaction."""
        driver = connection.connection.driver_connection
        assert driver is not None
        if connection.dialect.name == "sqlite":
            found: Sequence[Row] = driver.execute(self._named, values).fetchall()
        else:
            found = driver.execute(self._percent, values).fetchall()
        return found

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Row | None:
        """The first row, or None."""
        found = self.rows(connection, values)
        return found[0] if found else None


@functools.lru_cache(maxsize=1024)
def listing(count: int) -> str:
    """The inside of an `IN (…)` of so many values, as `members` names them."""
    return ", ".join(f":member{at}" for at in range(count))


def members(values: Iterable[Any]) -> dict[str, Any]:
    """The values of a `listing`."""
    return {f"member{at}": value for at, value in enumerate(values)}
