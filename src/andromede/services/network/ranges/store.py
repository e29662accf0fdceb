"""Free values of a scope, kept as disjoint ranges: taking one and giving it back is O(log n).

A scope is a subnet's id, or a kind of host number. Values are stored as 32 hexadecimal digits, which
sort as the numbers do and hold an IPv6 address. What is taken is recorded by whoever takes it, under
a unique constraint of its own; these ranges only say where to look.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from andromede.db import Connection, metadata
from andromede.db.plain import Statement
from andromede.db.types import identifier, table

Range = tuple[int, int]  # first and last value, both included

free_range = table(
    "network_free_range",
    metadata,
    identifier("scope", primary_key=True),
    sa.Column("first", sa.String(32), primary_key=True),
    sa.Column("last", sa.String(32), nullable=False),
)

LARGEST_NUMBER = 0xFF_FFFF
_END = (1 << 128) - 1  # a range that is never taken: the scope of numbers is initialised

_LOWEST = Statement(
    "SELECT first, last FROM network_free_range WHERE scope = :scope ORDER BY first LIMIT 1"
)
_AT_OR_BELOW = Statement(
    "SELECT first, last FROM network_free_range WHERE scope = :scope AND first <= :value"
    " ORDER BY first DESC LIMIT 1"
)
_STARTING_AT = Statement(
    "SELECT first, last FROM network_free_range WHERE scope = :scope AND first = :first"
)
_DELETE = Statement("DELETE FROM network_free_range WHERE scope = :scope AND first = :first")
_RAISE = Statement(
    "UPDATE network_free_range SET first = :above WHERE scope = :scope AND first = :first"
)
_INSERT = Statement(
    "INSERT INTO network_free_range (scope, first, last) VALUES (:scope, :first, :last)"
)
_DROP = Statement("DELETE FROM network_free_range WHERE scope = :scope")


def spell(value: int) -> str:
    """A value as it is stored."""
    return f"{value:032x}"


def take_lowest(connection: Connection, scope: str) -> int | None:
    """The lowest free value, now taken; None when there is none."""
    row = _LOWEST.first(connection, {"scope": scope})
    if row is None:
        return None
    first, last = int(row[0], 16), int(row[1], 16)
    _shrink(connection, scope, first, last)
    return first


def take(connection: Connection, scope: str, value: int) -> bool:
    """Take one value; False when no free range holds it."""
    row = _AT_OR_BELOW.first(connection, {"scope": scope, "value": spell(value)})
    if row is None or int(row[1], 16) < value:
        return False
    first, last = int(row[0], 16), int(row[1], 16)
    if first == value:
        _shrink(connection, scope, first, last)
        return True
    _delete(connection, scope, first)
    _insert(connection, scope, first, value - 1)
    if value < last:
        _insert(connection, scope, value + 1, last)
    return True


def give(connection: Connection, scope: str, value: int) -> None:
    """Make a taken value free again, joined with its neighbours; a free one stays free."""
    first = last = value
    row = _AT_OR_BELOW.first(connection, {"scope": scope, "value": spell(value)})
    if row is not None:
        below_last = int(row[1], 16)
        if below_last >= value:
            return
        if below_last == value - 1:
            first = int(row[0], 16)
            _delete(connection, scope, first)
    above = _STARTING_AT.first(connection, {"scope": scope, "first": spell(value + 1)})
    if above is not None:
        last = int(above[1], 16)
        _delete(connection, scope, value + 1)
    _insert(connection, scope, first, last)


def replace(connection: Connection, scope: str, ranges: Iterable[Range]) -> None:
    """Set the free ranges of a scope; they are disjoint."""
    drop(connection, scope)
    for first, last in ranges:
        _insert(connection, scope, first, last)


def drop(connection: Connection, scope: str) -> None:
    """Forget a scope."""
    _DROP.run(connection, {"scope": scope})


def take_number(connection: Connection, kind: str) -> int:
    """The lowest free number of a kind of host object, from 1.

    Errors: RuntimeError when every number is taken.
    """
    scope = f"number:{kind}"
    row = _LOWEST.first(connection, {"scope": scope})
    if row is None:
        replace(connection, scope, [(1, LARGEST_NUMBER), (_END, _END)])
        return take_number(connection, kind)
    first, last = int(row[0], 16), int(row[1], 16)
    if first == _END:
        raise RuntimeError(f"every number of a {kind} is in use: {LARGEST_NUMBER} exist at once")
    _shrink(connection, scope, first, last)
    return first


def give_number(connection: Connection, kind: str, number: int) -> None:
    """Let a number be used again."""
    give(connection, f"number:{kind}", number)


def subtract(ranges: Iterable[Range], taken: Iterable[int]) -> list[Range]:
    """The ranges without some values."""
    gone = sorted(set(taken))
    left: list[Range] = []
    for first, last in sorted(ranges):
        start = first
        for value in (each for each in gone if first <= each <= last):
            if start < value:
                left.append((start, value - 1))
            start = value + 1
        if start <= last:
            left.append((start, last))
    return left


def _shrink(connection: Connection, scope: str, first: int, last: int) -> None:
    """Take the first value off a range."""
    if first == last:
        _delete(connection, scope, first)
        return
    _RAISE.run(connection, {"scope": scope, "first": spell(first), "above": spell(first + 1)})


def _delete(connection: Connection, scope: str, first: int) -> None:
    _DELETE.run(connection, {"scope": scope, "first": spell(first)})


def _insert(connection: Connection, scope: str, first: int, last: int) -> None:
    _INSERT.run(connection, {"scope": scope, "first": spell(first), "last": spell(last)})
