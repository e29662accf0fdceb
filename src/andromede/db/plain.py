"""Statements that the database's driver runs itself, for the paths that every request takes.

They cost a fraction of the same statement through SQLAlchemy, which describes each result anew. A
statement of SQLAlchemy's Core is compiled once for each kind of database, and its values pass
through their columns' types. Of one that is given as text values come and go as the driver has
them: JSON as text, booleans as SQLite's integers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from andromede.db.engine import Connection

PARAMETER = re.compile(r"(?<!:):(\w+)")
# SQLAlchemy's mark for the members of `IN (…)`, with the cast it would give each.
LISTING = re.compile(r"__\[POSTCOMPILE_(\w+?)(?:~~.*?~~)?\]")
NOTHING: Mapping[str, Any] = {}
Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


class Statement:
    """A Core statement, or SQL with `:name` parameters in which `%` stands for itself.

    `values` are those of its parameters by name. A Core parameter with `expanding=True` takes a
    sequence. What runs it runs it inside the connection's transaction.
    """

    __slots__ = ("_forms", "_source")

    def __init__(self, source: str | sa.Executable) -> None:
        self._source = source
        self._forms: dict[str, _Form] = {}  # by the name of the dialect

    def rows(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Sequence[Row]:
        """All rows."""
        form = self._forms.get(connection.dialect.name) or self._form(connection)
        text = form.text
        if form.binds:
            text, values = form.bound(values)
        found: Sequence[Row] = execute(connection, text, values).fetchall()
        return form.read(found) if form.readers else found

    def first(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Row | None:
        """The first row, or None."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def scalar(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Any:
        """The first value of the first row, or None."""
        found = self.rows(connection, values)
        return found[0][0] if found else None

    def mappings(
        self, connection: Connection, values: Mapping[str, Any] = NOTHING
    ) -> list[dict[str, Any]]:
        """All rows of a Core statement, or those it returns of what it changed, by the names of
        their columns."""
        rows = self.rows(connection, values)
        names = self._forms[connection.dialect.name].names
        return [dict(zip(names, row, strict=True)) for row in rows]

    def mapping(
        self, connection: Connection, values: Mapping[str, Any] = NOTHING
    ) -> dict[str, Any] | None:
        """The first row of a Core statement by the names of its columns, or None."""
        found = self.mappings(connection, values)
        return found[0] if found else None

    def run(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> int:
        """Run it for its effect; how many rows it touched."""
        form = self._forms.get(connection.dialect.name) or self._form(connection)
        text = form.text
        if form.binds:
            text, values = form.bound(values)
        touched: int = execute(connection, text, values).rowcount
        return touched

    def _form(self, connection: Connection) -> _Form:
        dialect = connection.dialect
        make = _text_form if isinstance(self._source, str) else _core_form
        form = self._forms[dialect.name] = make(self._source, dialect)
        return form


def execute(connection: Connection, text: str, values: Mapping[str, Any]) -> Any:
    """The driver's cursor after it ran one statement, spelled as the driver wants it."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    return driver.execute(text, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A statement as one kind of database has it."""

    text: str
    names: tuple[str, ...] = ()  # of the columns of its rows
    readers: tuple[tuple[int, Convert], ...] = ()  # by the column's place
    writers: tuple[tuple[str, Convert], ...] = ()  # by the parameter's name
    constants: Mapping[str, Any] = field(default_factory=dict)  # values that it holds itself
    spell: Callable[[str], str] = str  # a parameter's name as it stands in the text
    binds: bool = False  # whether the values it is given are not yet those that the driver takes

    def bound(self, values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The text with its listings spelled out, and the values for it."""
        if self.constants or self.writers:
            values = {**self.constants, **values}
            for name, write in self.writers:
                values[name] = write(values[name])
        if "__[" not in self.text:
            return self.text, values
        spread = dict(values)

        def listing(mark: re.Match[str]) -> str:
            each = members(spread.pop(mark[1]), mark[1])
            spread.update(each)
            return ", ".join(map(self.spell, each)) or "NULL"

        return LISTING.sub(listing, self.text), spread

    def read(self, rows: Sequence[Row]) -> Sequence[Row]:
        changed = []
        for row in rows:
            values = list(row)
            for at, read in self.readers:
                values[at] = read(values[at])
            changed.append(tuple(values))
        return changed


def _text_form(source: Any, dialect: sa.Dialect) -> _Form:
    if dialect.name == "sqlite":
        return _Form(text=source)
    return _Form(text=PARAMETER.sub(r"%(\1)s", source.replace("%", "%%")))


def _core_form(source: Any, dialect: sa.Dialect) -> _Form:
    spell = "%({})s".format
    spoken = dialect
    if dialect.name == "sqlite":
        spell, spoken = ":{}".format, sqlite.dialect(paramstyle="named")
    compiled = source.compile(dialect=spoken)
    text = str(compiled)
    columns = source.exported_columns if source.is_select or source.is_dml else ()
    readers = [(at, _reader(column.type, dialect)) for at, column in enumerate(columns)]
    writers = [(name, _writer(bind.type, dialect)) for name, bind in compiled.binds.items()]
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    return _Form(
        text=text,
        names=tuple(getattr(column, "name", "") for column in columns),
        readers=tuple((at, read) for at, read in readers if read is not None),
        writers=tuple((name, write) for name, write in writers if write is not None),
        constants=constants,
        spell=spell,
        binds=bool(constants) or "__[" in text or any(write for _, write in writers),
    )


def _reader(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    if isinstance(kind, (sa.Numeric, sa.Float)):
        return None  # drivers give numbers as they are
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _writer(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


@functools.lru_cache(maxsize=1024)
def listing(count: int) -> str:
    """The inside of an `IN (…)` of so many values in a statement's text, as `members` names them."""
    return ", ".join(f":member_{at}" for at in range(count))


def members(values: Iterable[Any], name: str = "member") -> dict[str, Any]:
    """The values of a `listing`."""
    found = list(values)
    return dict(zip(_names(name, len(found)), found, strict=True))


@functools.lru_cache(maxsize=1024)
def _names(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}_{at}" for at in range(count))


def several(name: str) -> sa.BindParameter[Any]:
    """A parameter of a Core statement that takes the members of an `IN (…)`."""
    return sa.bindparam(name, expanding=True)
