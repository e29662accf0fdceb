"""The image tables: rows, tags, custom properties, and the ids that were used once. The only SQL of
images besides their list's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.plain import Statement, several
from andromede.db.types import Moment, identifier, table

image = table(
    "image",
    metadata,
    identifier(primary_key=True),
    identifier("project_id", nullable=False),
    sa.Column("name", sa.String(255), nullable=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("visibility", sa.String(16), nullable=False),
    sa.Column("protected", sa.Boolean, nullable=False),
    sa.Column("os_hidden", sa.Boolean, nullable=False),
    sa.Column("container_format", sa.String(20), nullable=True),
    sa.Column("disk_format", sa.String(20), nullable=True),
    sa.Column("min_disk", sa.Integer, nullable=False),
    sa.Column("min_ram", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=True),
    sa.Column("virtual_size", sa.BigInteger, nullable=True),
    sa.Column("checksum", sa.String(32), nullable=True),
    sa.Column("os_hash_algo", sa.String(64), nullable=True),
    sa.Column("os_hash_value", sa.String(128), nullable=True),
    sa.Column("format_found", sa.String(20), nullable=True),
    sa.Column("unbootable", sa.Text, nullable=True),
    identifier("upload", nullable=True),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_image_project", "project_id", "created_at", "id"),
    sa.Index("ix_image_visibility", "visibility", "created_at", "id"),
    sa.Index("ix_image_created", "created_at", "id"),
    sa.Index("ix_image_status", "status", "created_at", "id"),
)
image_tag = table(
    "image_tag",
    metadata,
    identifier("image_id", sa.ForeignKey("image.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.String(255), primary_key=True),
)
image_property = table(
    "image_property",
    metadata,
    identifier("image_id", sa.ForeignKey("image.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
image_tombstone = table("image_tombstone", metadata, identifier("image_id", primary_key=True))

STORED = ("active", "deactivated")  # the statuses whose data lie in the folder of images
STAGED = ("uploading", "importing")  # the statuses whose data may wait there for their import
FILLING = ("saving", "uploading")  # while an upload is named, its data are arriving


class Image(Struct, kw_only=True):
    """One image. Sizes are bytes, `min_ram` MiB, `min_disk` GiB, moments microseconds.

    `format_found` is what inspection saw; `unbootable` says why the content may never be booted.
    """

    id: str
    project_id: str
    name: str | None
    status: str
    visibility: str
    protected: bool
    os_hidden: bool
    container_format: str | None
    disk_format: str | None
    min_disk: int
    min_ram: int
    region: str
    site: str
    host: str
    created_at: int
    updated_at: int
    size: int | None = None
    virtual_size: int | None = None
    checksum: str | None = None
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    format_found: str | None = None
    unbootable: str | None = None
    upload: str | None = None
    tags: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)


COLUMNS = tuple(column.name for column in image.columns)
_GET = Statement(sa.select(image).where(image.c.id == sa.bindparam("key")))
_TAGS = Statement(
    sa.select(image_tag.c.image_id, image_tag.c.tag)
    .where(image_tag.c.image_id.in_(several("keys")))
    .order_by(image_tag.c.tag)
)
_PROPERTIES = Statement(
    sa.select(image_property.c.image_id, image_property.c.name, image_property.c.value).where(
        image_property.c.image_id.in_(several("keys"))
    )
)


def load(connection: Connection, rows: Iterable[Mapping[Any, Any]]) -> list[Image]:
    """Rows of the image table as images, with their tags and properties, in the same order."""
    images = [Image(**row) for row in rows]
    if not images:
        return []
    by_id = {each.id: each for each in images}
    for image_id, tag in _TAGS.rows(connection, {"keys": list(by_id)}):
        by_id[image_id].tags.append(tag)
    for image_id, name, value in _PROPERTIES.rows(connection, {"keys": list(by_id)}):
        by_id[image_id].properties[name] = value
    return images


def get(connection: Connection, image_id: str) -> Image | None:
    """The image with this id."""
    rows = _GET.mappings(connection, {"key": image_id})
    return next(iter(load(connection, rows)), None)


def used(connection: Connection, image_id: str) -> bool:
    """Whether an image has, or ever had, this id."""
    there = sa.select(image.c.id).where(image.c.id == image_id)
    gone = sa.select(image_tombstone.c.image_id).where(image_tombstone.c.image_id == image_id)
    return connection.execute(sa.union_all(there, gone)).first() is not None


def insert(connection: Connection, new: Image) -> None:
    connection.execute(sa.insert(image), {name: getattr(new, name) for name in COLUMNS})
    _add_details(connection, new)


def update(connection: Connection, changed: Image) -> None:
    """Write what customers may change: attributes, tags and properties; `updated_at` moves."""
    changed.updated_at = clock.now()
    written = (
        "project_id", "name", "status", "visibility", "protected", "os_hidden", "container_format",
        "disk_format", "min_disk", "min_ram", "updated_at",
    )  # fmt: skip
    connection.execute(
        sa.update(image)
        .where(image.c.id == changed.id)
        .values({name: getattr(changed, name) for name in written})
    )
    connection.execute(sa.delete(image_tag).where(image_tag.c.image_id == changed.id))
    connection.execute(sa.delete(image_property).where(image_property.c.image_id == changed.id))
    _add_details(connection, changed)


def _add_details(connection: Connection, each: Image) -> None:
    if each.tags:
        rows = [{"image_id": each.id, "tag": tag} for tag in dict.fromkeys(each.tags)]
        connection.execute(sa.insert(image_tag), rows)
    if each.properties:
        pairs = [
            {"image_id": each.id, "name": name, "value": value}
            for name, value in each.properties.items()
        ]
        connection.execute(sa.insert(image_property), pairs)


def delete(connection: Connection, image_id: str) -> None:
    """Remove an image's rows; its id is never given again."""
    connection.execute(sa.delete(image).where(image.c.id == image_id))
    connection.execute(sa.insert(image_tombstone), {"image_id": image_id})


def begin_upload(connection: Connection, image_id: str, upload: str, status: str) -> bool:
    """Let one upload fill an image that has no data, as `saving` or `uploading`; whether it may."""
    changed = connection.execute(
        sa.update(image)
        .where(image.c.id == image_id, sa.or_(image.c.status == "queued", _filling()))
        .values(status=status, upload=upload, size=None)
    )
    return changed.rowcount == 1


def _filling() -> sa.ColumnElement[bool]:
    """Data are arriving, or were when their process died."""
    return sa.and_(image.c.status.in_(FILLING), image.c.upload.is_not(None))


def end_upload(
    connection: Connection, image_id: str, upload: str, facts: Mapping[str, Any]
) -> bool:
    """Make an image active with the facts of its data; False when this upload is not the one."""
    return _end(connection, image_id, upload, status="active", **facts)


def end_staging(connection: Connection, image_id: str, upload: str, size: int) -> bool:
    """Note that an image's data wait for their import; False when this upload is not the one."""
    return _end(connection, image_id, upload, size=size)


def _end(connection: Connection, image_id: str, upload: str, **values: Any) -> bool:
    changed = connection.execute(
        sa.update(image)
        .where(image.c.id == image_id, image.c.upload == upload, image.c.status.in_(FILLING))
        .values(upload=None, updated_at=clock.now(), **values)
    )
    return changed.rowcount == 1


def abandon_upload(connection: Connection, image_id: str, upload: str | None) -> str | None:
    """Put an image that waits for `upload` (None: for any) back to queued; its status then."""
    mine = [image.c.id == image_id, _filling()]
    if upload is not None:
        mine.append(image.c.upload == upload)
    values: dict[str, Any] = {"status": "queued", "upload": None, "size": None}
    connection.execute(sa.update(image).where(*mine).values(values))
    row = connection.execute(sa.select(image.c.status).where(image.c.id == image_id)).first()
    return None if row is None else str(row.status)


def set_status(
    connection: Connection, image_id: str, before: str, after: str, **facts: Any
) -> bool:
    """Move an image from one status to another, with facts; False when it is in neither."""
    changed = connection.execute(
        sa.update(image)
        .where(image.c.id == image_id, image.c.status == before)
        .values(status=after, updated_at=clock.now(), **facts)
    )
    return changed.rowcount == 1


def set_marks(connection: Connection, image_id: str, marks: Mapping[str, str]) -> None:
    """Set properties that only the cloud writes."""
    connection.execute(
        sa.delete(image_property).where(
            image_property.c.image_id == image_id, image_property.c.name.in_(list(marks))
        )
    )
    rows = [{"image_id": image_id, "name": name, "value": text} for name, text in marks.items()]
    connection.execute(sa.insert(image_property), rows)


def statuses(connection: Connection, ids: list[str]) -> dict[str, str]:
    """The status of each image that exists among these."""
    found: dict[str, str] = {}
    for at in range(0, len(ids), 500):
        rows = connection.execute(
            sa.select(image.c.id, image.c.status).where(image.c.id.in_(ids[at : at + 500]))
        )
        found |= {row.id: row.status for row in rows}
    return found


def saving(connection: Connection) -> list[str]:
    """Images whose upload is under way, or was when its process died."""
    rows = connection.execute(sa.select(image.c.id).where(_filling()))
    return [row.id for row in rows]


def usage(connection: Connection, project_id: str) -> tuple[int, int]:
    """How many images a project has, and the bytes of their data."""
    row = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(image.c.size), 0)).where(
            image.c.project_id == project_id
        )
    ).one()
    return int(row[0]), int(row[1])


def with_properties(
    connection: Connection, project_id: str, wanted: Mapping[str, str]
) -> list[str]:
    """A project's images that have all these properties, newest first."""
    statement = sa.select(image.c.id).where(image.c.project_id == project_id)
    for name, value in wanted.items():
        having = sa.select(image_property.c.image_id).where(
            image_property.c.name == name, image_property.c.value == value
        )
        statement = statement.where(image.c.id.in_(having))
    rows = connection.execute(statement.order_by(image.c.created_at.desc(), image.c.id.desc()))
    return [row.id for row in rows]


def brief(connection: Connection) -> dict[str, tuple[str, int | None]]:
    """The status and bytes of every image."""
    rows = connection.execute(sa.select(image.c.id, image.c.status, image.c.size))
    return {row.id: (row.status, row.size) for row in rows}


def placements() -> sa.Select[Any]:
    """Every image with where its data are: `kind`, `id`, `project_id`, `site`."""
    return sa.select(
        sa.literal("image").label("kind"), image.c.id, image.c.project_id, image.c.site
    ).where(image.c.status.in_(STORED))
