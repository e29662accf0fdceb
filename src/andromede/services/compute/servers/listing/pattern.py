"""Text filters of server lists. A pattern finds its text anywhere, in any case; it is a regular
expression as `andromede.db.regular` has them.

Groups are not offered: a customer could write one that never ends.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from andromede.db import regular
from andromede.db.regular import ANYTHING, Alternative, Atom


def matches(column: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
    """The SQL condition that the column's text matches. What `LIKE` cannot tell it narrows down."""
    lowered = sa.func.lower(sa.cast(column, sa.Text))
    wanted = regular.parse(pattern.lower())
    near = sa.or_(*(lowered.like(_like(each), escape="\\") for each in wanted))
    if all(_told(atom) for each in wanted for atom in each.atoms):
        return near
    return sa.and_(near, lowered.regexp_match(regular.spelled(pattern.lower())))


def _told(atom: Atom) -> bool:
    """Whether `LIKE` says exactly this."""
    if atom.ranges == ANYTHING:
        return (atom.least, atom.many) != (0, False)
    return _single(atom) and (atom.least, atom.many) == (1, False)


def _single(atom: Atom) -> bool:
    [(low, high), *more] = atom.ranges
    return low == high and not more and not atom.outside


def _like(wanted: Alternative) -> str:
    """A pattern of `LIKE` for at least what the alternative finds."""
    middle = "".join(_sign(atom) for atom in wanted.atoms)
    return f"{'' if wanted.start else '%'}{middle}{'' if wanted.end else '%'}"


def _sign(atom: Atom) -> str:
    if atom.many or not atom.least:
        return "_%" if atom.least else "%"
    sign = atom.ranges[0][0]
    if not _single(atom):
        return "_"
    return f"\\{sign}" if sign in "%_\\" else sign
