"""Regular expressions that take time linear in the text, however they are written: SQLite's REGEXP.

There are letters, `.`, `[a-z]` and `[^a-z]`, each with `*`, `+` or `?` behind it or nothing; `|`
between alternatives, `^` and `$` at the ends of one, and `\\` before what stands for itself. All else
stands for itself: without groups, nothing can be repeated that repeats. Pure.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

ANYTHING = ((chr(0), chr(0x10FFFF)),)
REPEATS = {"*": (0, True), "+": (1, True), "?": (0, False)}


class Atom(Struct, frozen=True):
    """One sign of the text: in any of the ranges, or in none; and how often it stands there."""

    ranges: tuple[tuple[str, str], ...]
    outside: bool = False
    least: int = 1
    many: bool = False

    def fits(self, sign: str) -> bool:
        return any(low <= sign <= high for low, high in self.ranges) is not self.outside

    def spelled(self) -> str:
        """As every regular expression's dialect reads it."""
        repeat = {(1, False): "", (0, True): "*", (1, True): "+", (0, False): "?"}
        return f"{self._sign()}{repeat[self.least, self.many]}"

    def _sign(self) -> str:
        if self.ranges == ANYTHING:
            return "."
        [(low, high), *more] = self.ranges
        if not more and low == high and not self.outside:
            return _escaped(low)
        inside = "".join(f"{_escaped(low)}-{_escaped(high)}" for low, high in self.ranges)
        return f"[{'^' if self.outside else ''}{inside}]"


class Alternative(Struct, frozen=True):
    """Atoms that follow each other; bound to the text's start and end, or anywhere."""

    atoms: tuple[Atom, ...]
    start: bool
    end: bool

    def spelled(self) -> str:
        middle = "".join(each.spelled() for each in self.atoms)
        return f"{'^' if self.start else ''}{middle}{'$' if self.end else ''}"


def _escaped(sign: str) -> str:
    return sign if sign.isalnum() else f"\\{sign}"


@lru_cache(maxsize=256)
def parse(pattern: str) -> tuple[Alternative, ...]:
    """The alternatives of a pattern; every text is one."""
    found: list[Alternative] = []
    atoms: list[Atom] = []
    at, start, end = 0, False, False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "|":
            found.append(Alternative(tuple(atoms), start, end))
            atoms, start, end = [], False, False
            at += 1
        elif sign == "^" and not atoms and not start:
            start = True
            at += 1
        elif sign == "$" and pattern[at + 1 : at + 2] in ("", "|"):
            end = True
            at += 1
        else:
            atom, at = _atom(pattern, at)
            atoms.append(atom)
    return (*found, Alternative(tuple(atoms), start, end))


def _atom(pattern: str, at: int) -> tuple[Atom, int]:
    """The atom that begins at a place, and where the next one does."""
    sign, following = pattern[at], pattern[at + 1 : at + 2]
    atom, after = Atom(((sign, sign),)), at + 1
    if sign == "\\" and following:
        atom, after = Atom(((following, following),)), at + 2
    elif sign == ".":
        atom = Atom(ANYTHING)
    elif sign == "[":
        atom, after = _class(pattern, at + 1) or (atom, after)
    repeat = REPEATS.get(pattern[after : after + 1])
    if repeat is None:
        return atom, after
    return Atom(atom.ranges, atom.outside, *repeat), after + 1


def _class(pattern: str, at: int) -> tuple[Atom, int] | None:
    """What stands between brackets, and where it ends; None when nothing closes them."""
    outside = pattern[at : at + 1] == "^"
    at += outside
    signs: list[str] = []  # of one letter, or `a-z` in two
    while at < len(pattern) and (pattern[at] != "]" or not signs):
        low, at = _sign(pattern, at)
        high = low
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("", "]"):
            high, at = _sign(pattern, at + 1)
        signs.append(min(low, high) + max(low, high))
    if at >= len(pattern):
        return None
    return Atom(tuple((each[0], each[1]) for each in signs), outside), at + 1


def _sign(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return pattern[at + 1], at + 2
    return pattern[at], at + 1


def spelled(pattern: str) -> str:
    """The pattern as databases with regular expressions of their own read it."""
    return "|".join(each.spelled() for each in parse(pattern))


def found(pattern: str, text: str | None) -> bool:
    """Whether the pattern's text is anywhere in a text."""
    return text is not None and any(_holds(each, text) for each in parse(pattern))


def _holds(wanted: Alternative, text: str) -> bool:
    """Follows all places at once: a bit for each place of the text where the next atom may begin."""
    places = 1 if wanted.start else (1 << len(text) + 1) - 1
    for atom in wanted.atoms:
        fitting = sum(1 << at for at, sign in enumerate(text) if atom.fits(sign))
        after = (places & fitting) << 1
        while atom.many and after | (after & fitting) << 1 != after:
            after |= (after & fitting) << 1
        places = after | (0 if atom.least else places)
    return bool(places >> len(text)) if wanted.end else bool(places)
