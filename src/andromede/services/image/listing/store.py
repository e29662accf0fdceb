"""The SQL of the image list: one indexed branch for each reason an image is visible, merged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede import clock
from andromede.db import Connection
from andromede.db.pages import beyond, merged
from andromede.http.access import Caller
from andromede.services.image.listing.query import Filters, Listing
from andromede.services.image.members.store import member
from andromede.services.image.store import Image, image, image_property, image_tag, load

Condition = sa.ColumnElement[bool]


def page(
    connection: Connection, caller: Caller, listing: Listing, marker: Image | None
) -> list[Image]:
    """Up to `limit + 1` images after the marker: one more says that a next page exists."""
    wanted = _conditions(listing.filters)
    if marker is not None:
        wanted.append(_after(listing.sort, marker))
    reasons = [[*branch, *wanted] for branch in _branches(caller, listing.filters)]
    found = merged(image, reasons, _order(listing.sort), listing.limit + 1)
    return load(connection, connection.execute(found).mappings().all())


def _branches(caller: Caller, filters: Filters) -> list[list[Condition]]:
    """Disjoint reasons to see an image, each served by an index."""
    visibility = filters.visibility
    if caller.admin:
        return [[] if visibility in (None, "all") else [image.c.visibility == visibility]]
    own = image.c.project_id == caller.project_id
    if visibility in ("public", "community"):
        return [[image.c.visibility == visibility]]
    if visibility == "private":
        return [[own, image.c.visibility == visibility]]
    offered = _offered(caller, filters.member_status)
    if visibility == "shared":
        return [[own, image.c.visibility == visibility], offered]
    others = ["public"] if visibility is None else ["public", "community"]
    return [
        [own],
        *([image.c.visibility == each, image.c.project_id != caller.project_id] for each in others),
        offered,
    ]


def _offered(caller: Caller, status: str) -> list[Condition]:
    """Other projects' images that the caller's project is a member of, and answered so."""
    offered = image.alias("offered")
    mine = [
        member.c.member_id == caller.project_id,
        offered.c.visibility == "shared",
        offered.c.project_id != caller.project_id,
    ]
    if status != "all":
        mine.append(member.c.status == status)
    to_me = sa.select(offered.c.id).join(member, member.c.image_id == offered.c.id).where(*mine)
    return [image.c.id.in_(to_me)]


def _conditions(filters: Filters) -> list[Condition]:
    found: list[Condition] = []
    for name, values in filters.lists.items():
        found.append(image.c[name].in_(values))
    for name, text in filters.texts.items():
        found.append(image.c["project_id" if name == "owner" else name] == text)
    for name, flag in filters.booleans.items():
        found.append(image.c[name].is_(flag))
    for name, number in filters.numbers.items():
        found.append(_number(name, number))
    for name, operator, moment in filters.moments:
        found.append(_moment(image.c[name], operator, moment))
    for tag in filters.tags:
        found.append(sa.exists().where(image_tag.c.image_id == image.c.id, image_tag.c.tag == tag))
    for name, value in filters.properties.items():
        found.append(
            sa.exists().where(
                image_property.c.image_id == image.c.id,
                image_property.c.name == name,
                image_property.c.value == value,
            )
        )
    return found


def _number(name: str, number: int) -> Condition:
    if name == "size_min":
        return image.c.size >= number
    if name == "size_max":
        return image.c.size <= number
    return image.c[name] == number


def _moment(column: sa.ColumnElement[int], operator: str, moment: int) -> Condition:
    """Compare by whole seconds, which is what the API shows."""
    following = moment + clock.SECOND
    within = sa.and_(column >= moment, column < following)
    return {
        "gt": column >= following,
        "gte": column >= moment,
        "lt": column < moment,
        "lte": column < following,
        "eq": within,
        "neq": sa.not_(within),
    }[operator]


def _key(name: str) -> sa.ColumnElement[Any]:
    """A sort key without nulls, in the same order on every database."""
    column = image.c[name]
    if name == "size":
        return sa.func.coalesce(column, -1)
    return sa.func.coalesce(column, "") if column.nullable else column


def _order(sort: list[tuple[str, bool]]) -> list[sa.ColumnElement[Any]]:
    return [_key(name).desc() if descends else _key(name).asc() for name, descends in sort]


def _after(sort: list[tuple[str, bool]], marker: Image) -> Condition:
    """Rows that follow the marker."""
    keys = []
    for name, descends in sort:
        value = getattr(marker, name)
        if value is None:
            value = -1 if name == "size" else ""
        keys.append((_key(name), value, descends))
    return beyond(keys)
