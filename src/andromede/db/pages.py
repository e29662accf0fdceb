"""Pages of rows by marker: where the next one begins, and rows that are listed for several reasons.

Each statement walks an index in the order that is asked for and stops at the page's end, where such
an index is there: (what the rows are chosen by, the keys of the order).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

Where = sa.ColumnElement[bool]


def beyond(keys: Sequence[tuple[sa.ColumnElement[Any], Any, bool]]) -> Where:
    """The rows that come after a marker's: the keys of the order, the marker's value for each, and
    whether it descends. The bound on the first key lets an index begin there."""
    steps: list[Where] = []
    same: list[Where] = []
    for key, value, descends in keys:
        steps.append(sa.and_(*same, key < value if descends else key > value))
        same.append(key == value)
    if len(steps) == 1:
        return steps[0]
    key, value, descends = keys[0]
    return sa.and_(key <= value if descends else key >= value, sa.or_(*steps))


def merged(
    rows: sa.Table,
    reasons: Sequence[Sequence[Where]],
    order: Sequence[sa.ColumnElement[Any]],
    limit: int,
) -> sa.Select[Any]:
    """The first rows for which one of several reasons holds. Each is walked by an index of its own
    as far as the page goes; what one row has several reasons for comes once."""
    if len(reasons) == 1:
        return sa.select(rows).where(*reasons[0]).order_by(*order).limit(limit)
    pages = [
        sa.select(rows.c.id).where(*reason).order_by(*order).limit(limit).subquery(f"page_{at}")
        for at, reason in enumerate(reasons)
    ]
    found = sa.union_all(*(sa.select(page.c.id) for page in pages))
    return sa.select(rows).where(rows.c.id.in_(found)).order_by(*order).limit(limit)
