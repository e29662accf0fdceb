"""The timeline: operators' accesses as marks, consents and findings as bars, in one row for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

from babel.dates import format_date
from msgspec import Struct

from andromede.sovereignty.evidence.pictures import svg

WIDTH: Final = 720.0
LEFT: Final = 150.0
RIGHT: Final = 18.0
ROW: Final = 40.0
TOP: Final = 14.0
SIZE: Final = 13.0
SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
TICKS: Final = 7


class Event(Struct, frozen=True, kw_only=True):
    """Something at a moment, or from `at` to `until`, in microseconds. `kind` names its style."""

    row: str
    at: int
    until: int | None = None
    kind: str = "access"
    text: str = ""


def draw(
    rows: Sequence[str],
    events: Sequence[Event],
    since: int,
    now: int,
    language: str,
    title: str,
    described: str,
) -> str:
    """The rows in their order, from `since` to a little after `now`."""
    end = max([now, *(each.until or each.at for each in events)])
    span = max(end - since, DAY)
    bottom = TOP + len(rows) * ROW
    room = WIDTH - LEFT - RIGHT

    def x(moment: int) -> float:
        return LEFT + room * min(max((moment - since) / span, 0), 1)

    parts = []
    for index, row in enumerate(rows):
        middle = TOP + index * ROW + ROW / 2
        parts.append(svg.text(LEFT - 14, middle + 4, row, class_="row", font_size=SIZE,
                              text_anchor="end"))  # fmt: skip
        parts.append(svg.element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=middle, y2=middle,
                                 class_="lane"))  # fmt: skip
    for moment, words in _ticks(since, since + span, language):
        parts.append(svg.element("line", x1=x(moment), x2=x(moment), y1=TOP, y2=bottom,
                                 class_="tick"))  # fmt: skip
        parts.append(svg.text(x(moment), bottom + 18, words, class_="date", font_size=SIZE - 2,
                              text_anchor="middle"))  # fmt: skip
    for each in sorted(events, key=lambda event: (event.until is None, event.at)):
        middle = TOP + rows.index(each.row) * ROW + ROW / 2
        parts.append(_event(each, x(each.at), x(each.until or each.at), middle))
    if now < since + span:
        parts.append(svg.element("line", x1=x(now), x2=x(now), y1=TOP - 6, y2=bottom, class_="now"))
    return svg.picture(WIDTH, bottom + 28, "timeline", title, described, *parts)


def _event(event: Event, start: float, end: float, middle: float) -> str:
    told = svg.element("title", escape(event.text)) if event.text else ""
    if event.until is not None:
        return svg.element("rect", told, x=start, y=middle - 7, width=max(end - start, 4.0),
                           height=14, rx=3, class_=f"bar {event.kind}")  # fmt: skip
    if event.kind == "refused":
        shape = f"M{svg.number(start - 5)} {svg.number(middle - 5)}l10 10m0-10l-10 10"
        return svg.element("path", told, d=shape, class_="event refused")
    return svg.element("circle", told, cx=start, cy=middle, r=5.5, class_=f"event {event.kind}")


def _ticks(since: int, until: int, language: str) -> list[tuple[int, str]]:
    """Days or months to name below: at most seven."""
    first = datetime.fromtimestamp(since / SECOND, UTC)
    days = (until - since) / DAY
    step = next(
        (each for each in (1, 2, 7, 14, 31, 92, 183, 366, 1830) if days / each < TICKS), 3660
    )
    at = first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    found: list[tuple[int, str]] = []
    while at.timestamp() * SECOND < until:
        moment = int(at.timestamp() * SECOND)
        if moment >= since:
            pattern = "d MMM" if step < 183 else "MMM y"
            found.append((moment, format_date(at, pattern, locale=language)))
        at += timedelta(days=step)
    return found
