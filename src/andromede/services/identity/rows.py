"""What every noun's store does alike: pages of rows, and writes that may meet a taken name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from andromede.db import Connection
from andromede.http.errors import BadRequest, Conflict
from andromede.http.paging import Page

MOST = 1000  # rows in one page

Row = sa.Row[Any]
Ids = Sequence[str] | sa.Select[tuple[str]]  # as they are, or as a subquery


def page_of(
    connection: Connection,
    table: sa.Table,
    where: Sequence[sa.ColumnElement[bool]],
    page: Page,
    through: sa.Column[str] | None = None,
) -> tuple[Sequence[Row], bool]:
    """Rows in the order of their ids after the marker, and whether more follow. `through`: their
    ids in the table that says which they are, and that `where` chooses from.

    Errors: BadRequest when the marker is no row of the table.
    """
    key = table.c.id if through is None else through
    statement = sa.select(table).where(*where).order_by(key)
    if through is not None:
        statement = statement.where(table.c.id == through)
    if page.marker is not None:
        if by_id(connection, table, page.marker) is None:
            raise BadRequest(f"Marker {page.marker} could not be found among {table.name}s.")
        statement = statement.where(key > page.marker)
    size = page.size(MOST)
    rows = connection.execute(statement.limit(size + 1)).all()
    return rows[:size], len(rows) > size > 0


def by_id(connection: Connection, table: sa.Table, identifier: str) -> Row | None:
    return connection.execute(_by_id(table), {"wanted": identifier}).first()


@cache
def _by_id(table: sa.Table) -> sa.Select[Any]:
    """Built once for each table: building costs more than running it."""
    return sa.select(table).where(table.c.id == sa.bindparam("wanted"))


class refusing:  # noqa: N801 (used as a verb)
    """Turn a violated uniqueness into a 409."""

    def __init__(self, what: str, taken: str) -> None:
        self._message = f"Conflict occurred attempting to store {what} - {taken}."

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, sa.exc.IntegrityError):
            raise Conflict(self._message) from error


def duplicate(name: str, domain_id: str | None) -> str:
    """Upstream's words for a name that is taken in its domain."""
    place = f" at domain ID {domain_id}" if domain_id else ""
    return f"Duplicate entry found with name {name}{place}"
