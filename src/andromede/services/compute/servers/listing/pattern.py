"""Text filters of server lists. A pattern finds its text anywhere, in any case; `^`, `$`, `.`,
`.*`, `.+`, `|` and `\\` mean what they mean in regular expressions, all else stands for itself.

Whole regular expressions are not offered: a customer could write one that never ends.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def matches(column: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
    """The SQL condition that the column's text matches."""
    lowered = sa.func.lower(sa.cast(column, sa.Text))
    return sa.or_(
        *(lowered.like(_like(each), escape="\\") for each in _alternatives(pattern.lower()))
    )


def _alternatives(pattern: str) -> list[list[str]]:
    """Split at `|`, each part as tokens: `^`, `$`, `.`, `.*`, `.+`, or a letter after a `\\`."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        following = pattern[at + 1 : at + 2]
        if sign == "\\" and following:
            parts[-1].append("\\" + following)
            at += 2
        elif sign == "." and following in ("*", "+"):
            parts[-1].append(sign + following)
            at += 2
        elif sign == "|":
            parts.append([])
            at += 1
        else:
            parts[-1].append(sign if sign in "^$." else "\\" + sign)
            at += 1
    return parts


def _like(tokens: list[str]) -> str:
    start, end = "%", "%"
    if tokens[:1] == ["^"]:
        start, tokens = "", tokens[1:]
    if tokens[-1:] == ["$"]:
        end, tokens = "", tokens[:-1]
    wild = {".": "_", ".*": "%", ".+": "_%"}
    return start + "".join(wild.get(token) or _literal(token[-1]) for token in tokens) + end


def _literal(sign: str) -> str:
    return "\\" + sign if sign in "%_\\" else sign
