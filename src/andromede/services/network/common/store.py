"""The SQL that every noun shares: standard columns, one resource, a page of them, tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.pages import beyond, merged
from andromede.db.plain import Statement, several
from andromede.db.types import Moment, identifier, table
from andromede.http.access import Caller
from andromede.http.errors import BadRequest
from andromede.services.network.common import checks
from andromede.services.network.common.attributes import Schema
from andromede.services.network.common.listing import MOST, Query

Row = dict[str, Any]
Where = sa.ColumnElement[bool]
Project = str | sa.BindParameter[str]  # an id, or the parameter for one

tag = table(
    "network_tag",
    metadata,
    identifier("resource_id", primary_key=True),
    sa.Column("tag", sa.String(255), primary_key=True),
    sa.Index("ix_network_tag_tag", "tag"),
)


def standard_columns(*, named: bool = True) -> list[sa.schema.SchemaItem]:
    """The columns every noun begins with, and the index that a project's list walks."""
    return [
        identifier("id", primary_key=True),
        identifier("project_id", nullable=False),
        *([sa.Column("name", sa.String(255), nullable=False)] if named else []),
        sa.Column("description", sa.String(255), nullable=True),
        sa.Column("revision_number", sa.Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Index(None, "project_id", "id"),
    ]


def standard_values() -> Row:
    """What the standard columns hold at creation, besides what the client gave."""
    now = clock.now()
    return {"revision_number": 0, "created_at": now, "updated_at": now}


def standard_view(row: Mapping[str, Any], tags: Sequence[str]) -> Row:
    """The standard attributes as clients see them."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "tenant_id": row["project_id"],
        "tags": list(tags),
        "revision_number": row["revision_number"],
        "created_at": clock.iso(row["created_at"]),
        "updated_at": clock.iso(row["updated_at"]),
    }


BUILD, ACTIVE = "BUILD", "ACTIVE"


def shown_status(status: str) -> str:
    """A network's or router's status as clients see it: ACTIVE from its making on, since what uses
    it waits for the host's part of it."""
    return ACTIVE if status == BUILD else status


def by_status(column: sa.ColumnElement[str]) -> Callable[[Sequence[str]], Where]:
    """The filter for a status as clients see it."""
    return lambda values: column.in_([*values, *([BUILD] if ACTIVE in values else [])])


def own(column: sa.ColumnElement[str]) -> Callable[[Project], list[Where]]:
    """The rule of visibility of nouns that are never shared: the project's own."""
    return lambda project: [column == project]


@dataclass(frozen=True)
class Collection:
    """A noun's table with who sees which rows and the filters that are no columns.

    Operators see every row; everybody else those for which one of `seen(project)` holds, each of
    which an index serves. `only` narrows lists, for everybody.
    """

    schema: Schema
    table: sa.Table
    seen: Callable[[Project], Sequence[Where]]
    related: Mapping[str, Callable[[Sequence[str]], Where]] = field(default_factory=dict)
    only: Where | None = None

    @cached_property
    def any_one(self) -> Statement:
        return Statement(sa.select(self.table).where(self.table.c.id == sa.bindparam("key")))

    @cached_property
    def one_seen(self) -> Statement:
        seen = sa.or_(*self.seen(sa.bindparam("project")))
        return Statement(sa.select(self.table).where(self.table.c.id == sa.bindparam("key"), seen))

    @property
    def related_names(self) -> frozenset[str]:
        return frozenset(self.related)


def by_key(connection: Connection, collection: Collection, key: str) -> Row | None:
    """One resource, whoever asks."""
    rows = collection.table
    row = connection.execute(sa.select(rows).where(rows.c.id == key)).mappings().first()
    return dict(row) if row is not None else None


def find(connection: Connection, collection: Collection, caller: Caller, key: str) -> Row | None:
    """One resource that the caller may see."""
    if caller.admin:
        return collection.any_one.mapping(connection, {"key": key})
    values = {"key": key, "project": caller.project_id or ""}
    return collection.one_seen.mapping(connection, values)


def page(
    connection: Connection, collection: Collection, caller: Caller, query: Query
) -> tuple[list[Row], bool]:
    """A page of resources in the asked order, and whether more follow in its direction."""
    size = query.page.size(MOST)
    if size == 0:
        return [], False
    rows = collection.table
    wheres = _wheres(collection, query)
    reverse = query.page.reverse
    if query.page.marker is not None:
        wheres.append(_after(connection, collection, query))
    order = [
        _sort_key(rows.c[column]).desc() if descending != reverse else _sort_key(rows.c[column])
        for column, descending in query.sort
    ]
    seen = [] if caller.admin else collection.seen(caller.project_id or "")
    reasons = [[each, *wheres] for each in seen] or [wheres]
    statement = merged(rows, reasons, order, size + 1)
    found = [dict(row) for row in connection.execute(statement).mappings()]
    more = len(found) > size
    found = found[:size]
    return (found[::-1] if reverse else found), more


def _sort_key(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column, with absent text before any other so that a marker can stand on it."""
    return sa.func.coalesce(column, "") if column.nullable else column


def _wheres(collection: Collection, query: Query) -> list[Where]:
    rows = collection.table
    wheres: list[Where] = []
    if collection.only is not None:
        wheres.append(collection.only)
    for column, values in query.filters.items():
        wheres.append(rows.c[column].in_(_typed(rows.c[column], values)))
    for name, raw in query.related.items():
        wheres.append(collection.related[name](raw))
    for name, words in query.tags.items():
        wheres.append(_tagged(rows, name, sorted(set(words))))
    if query.changed_since is not None:
        wheres.append(rows.c.updated_at >= query.changed_since)
    return wheres


def _typed(column: sa.Column[Any], values: list[Any]) -> list[Any]:
    """Query text as the column's type; text that no value can equal matches nothing."""
    reader: checks.Reader = str
    if isinstance(column.type, sa.Boolean):
        reader = checks.boolean
    elif isinstance(column.type, sa.Integer):
        reader = checks.integer(-(2**63), 2**63 - 1)
    try:
        return [reader(value) for value in values]
    except ValueError as error:
        raise BadRequest(f"Invalid input for {column.name}. Reason: {error}.") from None


def _tagged(rows: sa.Table, name: str, words: list[str]) -> Where:
    matching = sa.select(sa.func.count()).where(
        tag.c.resource_id == rows.c.id, tag.c.tag.in_(words)
    )
    least = 1 if name.endswith("-any") else len(words)
    has = matching.scalar_subquery() >= least
    return sa.not_(has) if name.startswith("not-") else has


def _after(connection: Connection, collection: Collection, query: Query) -> Where:
    """The condition that a row comes after the marker in the asked order."""
    rows = collection.table
    marker = connection.execute(
        sa.select(rows).where(rows.c.id == query.page.marker)
    ).mappings().first()  # fmt: skip
    if marker is None:
        raise BadRequest(f"The marker '{query.page.marker}' is no {collection.schema.name}")
    keys = []
    for column, descending in query.sort:
        value = "" if marker[column] is None else marker[column]
        keys.append((_sort_key(rows.c[column]), value, descending != query.page.reverse))
    return beyond(keys)


def note_status(connection: Connection, of: sa.Table, keys: Iterable[str], status: str) -> None:
    """Note what the engine holds; not a change of the resource."""
    wanted = sorted(set(keys))
    if wanted:
        _noting(of).run(connection, {"keys": wanted, "wanted": status})


@cache
def _noting(of: sa.Table) -> Statement:
    """The change of some resources' status."""
    wanted: sa.BindParameter[str] = sa.bindparam("wanted")
    return Statement(
        sa.update(of)
        .where(of.c.id.in_(several("keys")), of.c.status != wanted)
        .values(status=wanted)
    )


def change(connection: Connection, rows: sa.Table, key: str, values: Row) -> None:
    """Write some columns of a resource, and note that it changed."""
    new = {f"new_{name}": value for name, value in values.items()}
    _changing(rows, tuple(values)).run(connection, {**new, "key": key, "now": clock.now()})


@cache
def _changing(rows: sa.Table, names: tuple[str, ...]) -> Statement:
    """The change of one resource in some columns."""
    new: dict[str, sa.ColumnElement[Any]] = {
        name: sa.bindparam(f"new_{name}", type_=rows.c[name].type) for name in names
    }
    new |= {"revision_number": rows.c.revision_number + 1, "updated_at": sa.bindparam("now")}
    return Statement(sa.update(rows).where(rows.c.id == sa.bindparam("key")).values(new))


_TAGS = Statement(
    sa.select(tag.c.resource_id, tag.c.tag)
    .where(tag.c.resource_id.in_(several("keys")))
    .order_by(tag.c.tag)
)


def tags_of(connection: Connection, keys: Iterable[str]) -> dict[str, list[str]]:
    """The tags of some resources, sorted."""
    wanted = list(keys)
    found: dict[str, list[str]] = {key: [] for key in wanted}
    if wanted:
        for key, word in _TAGS.rows(connection, {"keys": wanted}):
            found[key].append(word)
    return found


def set_tags(connection: Connection, key: str, words: Iterable[str]) -> None:
    """Replace a resource's tags."""
    drop_tags(connection, key)
    rows = [{"resource_id": key, "tag": word} for word in sorted(set(words))]
    if rows:
        connection.execute(sa.insert(tag), rows)


def drop_tags(connection: Connection, key: str) -> None:
    connection.execute(sa.delete(tag).where(tag.c.resource_id == key))
