"""The table of image members, and its only SQL besides the image list's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from andromede import clock
from andromede.db import Connection, metadata
from andromede.db.types import Moment, identifier, table

member = table(
    "image_member",
    metadata,
    identifier("image_id", sa.ForeignKey("image.id", ondelete="CASCADE"), primary_key=True),
    identifier("member_id", primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_image_member_member", "member_id", "status", "image_id"),
)


class Member(Struct, kw_only=True):
    """One project that an image is offered to: `status` is pending, accepted or rejected."""

    image_id: str
    member_id: str
    status: str
    created_at: int
    updated_at: int


def _found(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Member]:
    query = sa.select(member).where(*where).order_by(member.c.created_at, member.c.member_id)
    return [Member(**row) for row in connection.execute(query).mappings()]


def of(connection: Connection, image_id: str) -> list[Member]:
    """All members of an image, the oldest first."""
    return _found(connection, member.c.image_id == image_id)


def get(connection: Connection, image_id: str, member_id: str) -> Member | None:
    found = _found(connection, *_key(image_id, member_id))
    return found[0] if found else None


def _key(image_id: str, member_id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return member.c.image_id == image_id, member.c.member_id == member_id


def count(connection: Connection, image_id: str) -> int:
    query = sa.select(sa.func.count()).where(member.c.image_id == image_id)
    return int(connection.execute(query).scalar_one())


def insert(connection: Connection, new: Member) -> None:
    values: dict[str, Any] = {name: getattr(new, name) for name in Member.__struct_fields__}
    connection.execute(sa.insert(member), values)


def update(connection: Connection, changed: Member) -> None:
    """Write a member's status; `updated_at` moves."""
    changed.updated_at = clock.now()
    connection.execute(
        sa.update(member)
        .where(*_key(changed.image_id, changed.member_id))
        .values(status=changed.status, updated_at=changed.updated_at)
    )


def delete(connection: Connection, image_id: str, member_id: str) -> None:
    connection.execute(sa.delete(member).where(*_key(image_id, member_id)))
