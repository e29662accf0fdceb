"""The tables of metadata definitions: namespaces, and what they hold, in one table of four kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Json, Moment, identifier, table

namespace = table(
    "metadef_namespace",
    metadata,
    identifier(primary_key=True),
    sa.Column("namespace", sa.String(80), nullable=False, unique=True),
    sa.Column("display_name", sa.String(80), nullable=True),
    sa.Column("description", sa.String(500), nullable=True),
    sa.Column("visibility", sa.String(16), nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    identifier("owner", nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_metadef_namespace_created", "created_at", "namespace"),
    sa.Index("ix_metadef_namespace_updated", "updated_at", "namespace"),
)
item = table(
    "metadef_item",
    metadata,
    identifier(
        "namespace_id", sa.ForeignKey("metadef_namespace.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("kind", sa.String(16), primary_key=True),  # "object", "property", "tag" or "type"
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_metadef_item_kind", "kind", "name"),
)


class Namespace(Struct, kw_only=True):
    """One namespace; moments are microseconds."""

    id: str
    namespace: str
    display_name: str | None
    description: str | None
    visibility: str
    protected: bool
    owner: str
    created_at: int
    updated_at: int


class Item(Struct, kw_only=True):
    """An object, a property, a tag or a type's association; `content` is what its body gave."""

    namespace_id: str
    kind: str
    name: str
    content: dict[str, Any]
    created_at: int
    updated_at: int


def get(connection: Connection, name: str) -> Namespace | None:
    query = sa.select(namespace).where(namespace.c.namespace == name)
    row = connection.execute(query).mappings().first()
    return None if row is None else Namespace(**row)


def page(
    connection: Connection,
    where: list[sa.ColumnElement[bool]],
    sort: tuple[str, bool],
    limit: int,
    marker: Namespace | None,
) -> list[Namespace]:
    """Up to `limit` namespaces after the marker, by a key and whether it descends."""
    key, descends = namespace.c[sort[0]], sort[1]
    name = namespace.c.namespace
    query = sa.select(namespace).where(*where).limit(limit)
    if marker is not None:
        at = sa.tuple_(sa.literal(getattr(marker, sort[0])), sa.literal(marker.namespace))
        both = sa.tuple_(key, name)
        query = query.where(both < at if descends else both > at)
    order = (key.desc(), name.desc()) if descends else (key.asc(), name.asc())
    return [Namespace(**row) for row in connection.execute(query.order_by(*order)).mappings()]


def for_types(types: Iterable[str]) -> sa.ColumnElement[bool]:
    """Namespaces that are for one of these types of resources."""
    ids = sa.select(item.c.namespace_id).where(item.c.kind == "type", item.c.name.in_(list(types)))
    return namespace.c.id.in_(ids)


def insert(connection: Connection, new: Namespace) -> None:
    values = {name: getattr(new, name) for name in Namespace.__struct_fields__}
    connection.execute(sa.insert(namespace), values)


def update(connection: Connection, changed: Namespace) -> None:
    changed.updated_at = clock.now()
    values = {name: getattr(changed, name) for name in Namespace.__struct_fields__}
    connection.execute(sa.update(namespace).where(namespace.c.id == changed.id).values(values))


def delete(connection: Connection, found: Namespace) -> None:
    connection.execute(sa.delete(namespace).where(namespace.c.id == found.id))


def items(connection: Connection, ids: list[str], kind: str | None = None) -> list[Item]:
    """What these namespaces hold, of one kind or of all, in the order of their making."""
    query = sa.select(item).where(item.c.namespace_id.in_(ids))
    if kind is not None:
        query = query.where(item.c.kind == kind)
    query = query.order_by(item.c.created_at, item.c.name)
    return [Item(**row) for row in connection.execute(query).mappings()]


def get_item(connection: Connection, namespace_id: str, kind: str, name: str) -> Item | None:
    query = sa.select(item).where(*_key(namespace_id, kind, name))
    row = connection.execute(query).mappings().first()
    return None if row is None else Item(**row)


def _key(namespace_id: str, kind: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return item.c.namespace_id == namespace_id, item.c.kind == kind, item.c.name == name


def insert_item(connection: Connection, new: Item) -> None:
    values = {name: getattr(new, name) for name in Item.__struct_fields__}
    connection.execute(sa.insert(item), values)


def update_item(connection: Connection, before: str, changed: Item) -> None:
    """Write an item that was called `before`; `updated_at` moves."""
    changed.updated_at = clock.now()
    connection.execute(
        sa.update(item)
        .where(*_key(changed.namespace_id, changed.kind, before))
        .values(name=changed.name, content=changed.content, updated_at=changed.updated_at)
    )


def delete_items(
    connection: Connection, namespace_id: str, kind: str, name: str | None = None
) -> int:
    """Remove one item, or all of its kind; how many there were."""
    query = sa.delete(item).where(item.c.namespace_id == namespace_id, item.c.kind == kind)
    if name is not None:
        query = query.where(item.c.name == name)
    return int(connection.execute(query).rowcount)


def types(connection: Connection) -> dict[str, int]:
    """The types of resources that namespaces are for, with when each was first named."""
    query = (
        sa.select(item.c.name, sa.func.min(item.c.created_at).label("since"))
        .where(item.c.kind == "type")
        .group_by(item.c.name)
    )
    return {row.name: int(row.since) for row in connection.execute(query)}
