"""The paths of tiles and entry bundles (C2SP tlog-tiles), written and read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from andromede.sovereignty.log.tree import WIDTH

ENTRIES = "entries"
HIGHEST = 63
LEVEL = re.compile(r"0|[1-9][0-9]?")
PART = re.compile(r"x[0-9]{3}")
LAST = re.compile(r"([0-9]{3})(\.p)?")
NARROW = re.compile(r"[1-9][0-9]{0,2}")


class TilePath(Struct, frozen=True):
    """A tile: its level (None: a bundle of entries), its number, and how many hashes it holds."""

    level: int | None
    number: int
    width: int = WIDTH

    def __str__(self) -> str:
        """As below the log's prefix, `tile/0/x001/x234/067.p/12`."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        level = ENTRIES if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{number}{partial}"


def read_path(parts: Sequence[str]) -> TilePath:
    """Read what follows `tile/`, segment by segment.

    Errors: ValueError saying what is accepted.
    """
    rest = list(parts)
    try:
        named = rest.pop(0)
        level = None if named == ENTRIES else _level(named)
        width = WIDTH
        if len(rest) > 1 and rest[-2].endswith(".p"):
            width = _width(rest.pop())
        last = LAST.fullmatch(rest.pop())
        if last is None or (last[2] is not None) != (width != WIDTH):
            raise ValueError
        if not all(PART.fullmatch(each) for each in rest):
            raise ValueError
        number = int("".join(each[1:] for each in rest) + last[1])
        found = TilePath(level, number, width)
        if str(found).split("/")[1:] != list(parts):  # zeroes before the number
            raise ValueError
    except (ValueError, IndexError):
        raise ValueError(
            f"tile/{'/'.join(parts)} is no tile: tile/LEVEL/NUMBER or tile/entries/NUMBER is "
            f"accepted, with .p/WIDTH after it for a partial one, as in tile/0/x001/067.p/12"
        ) from None
    return found


def _level(text: str) -> int:
    if not LEVEL.fullmatch(text) or int(text) > HIGHEST:
        raise ValueError
    return int(text)


def _width(text: str) -> int:
    if not NARROW.fullmatch(text) or int(text) >= WIDTH:
        raise ValueError
    return int(text)


def needed(size: int) -> list[TilePath]:
    """Every entry bundle and tile of a tree of this size, entries first."""
    found = [
        TilePath(None, number, width) for number, width in _row(size)
    ]  # as the tiles of level 0
    level, count = 0, size
    while count:
        found += [TilePath(level, number, width) for number, width in _row(count)]
        level, count = level + 1, count // WIDTH
    return found


def _row(count: int) -> list[tuple[int, int]]:
    full, rest = divmod(count, WIDTH)
    return [*((number, WIDTH) for number in range(full)), *([(full, rest)] if rest else [])]
