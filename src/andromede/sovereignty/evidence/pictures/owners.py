"""The graph of owners: the operators at the foot, above each entity those that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from andromede.sovereignty.evidence.pictures import svg

WIDE: Final = 150.0
TALL: Final = 50.0
BETWEEN: Final = 16.0  # boxes of a row
ROWS: Final = 88.0  # from a row's foot to the next one's head
EDGE: Final = 24.0
WIDEST: Final = 6  # boxes side by side; further ones are a row of their own
SIZE: Final = 13.0
SWEEPS: Final = 6


class Box(Struct, frozen=True, kw_only=True):
    """An entity. `where` is "eu", "outside" or "undeclared"."""

    id: str
    name: str
    note: str  # country and kind
    where: str
    operator: bool = False


class Share(Struct, frozen=True, kw_only=True):
    """What one entity holds of another; `label` is its share, with rights beyond it."""

    holder: str
    held: str
    label: str
    strong: bool = False  # a majority, a veto or a right to appoint the board


def draw(boxes: Sequence[Box], shares: Sequence[Share], title: str, described: str) -> str:
    """The graph; holders stand above what they hold, where no cycle forbids it."""
    if not boxes:
        return ""
    rows = _rows(boxes, shares)
    widest = max(len(row) for row in rows)
    width = max(900.0, 2 * EDGE + widest * WIDE + (widest - 1) * BETWEEN)
    height = 2 * EDGE + len(rows) * TALL + (len(rows) - 1) * ROWS
    at: dict[str, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        span = len(row) * WIDE + (len(row) - 1) * BETWEEN
        left = (width - span) / 2
        top = height - EDGE - TALL - level * (TALL + ROWS)
        for index, key in enumerate(row):
            at[key] = (left + index * (WIDE + BETWEEN), top)
    arrow = svg.element(
        "marker",
        svg.element("path", d="M0 0L8 4L0 8Z", class_="tip"),
        id="owner-tip", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=8, markerHeight=8,
        orient="auto", markerUnits="userSpaceOnUse",
    )  # fmt: skip
    lines, labels = [], []
    taken = [(x + WIDE / 2, y + TALL / 2, WIDE / 2, TALL / 2) for x, y in at.values()]
    for share in sorted(shares, key=lambda share: _apart(share, at)):
        if share.holder in at and share.held in at:
            line, label = _edge(share, at, shares, taken)
            lines.append(line)
            labels.append(label)
    drawn = [_box(box, *at[box.id]) for box in boxes]
    return svg.picture(width, height, "owners", title, described,
                       svg.element("defs", arrow), *lines, *drawn, *labels)  # fmt: skip


def _rows(boxes: Sequence[Box], shares: Sequence[Share]) -> list[list[str]]:
    """Ids by row, from the operators' up; within a row ordered so that lines cross little."""
    known = {each.id for each in boxes}
    links = [each for each in shares if {each.holder, each.held} <= known]
    level = {each.id: 0 for each in boxes if each.operator}
    pending = list(level)
    while pending:  # each entity as near as the shortest way to an operator
        held = pending.pop(0)
        for each in links:
            if each.held == held and each.holder not in level:
                level[each.holder] = level[held] + 1
                pending.append(each.holder)
    for box in boxes:
        level.setdefault(box.id, 0)
    for _ in range(len(boxes)):  # then above all that it holds, unless that is a cycle
        for link in links:
            want = level[link.held] + 1
            if level[link.holder] < want <= len(boxes) and not _reaches(
                link.held, link.holder, links
            ):
                level[link.holder] = want
    rows: list[list[str]] = []
    for number in sorted(set(level.values())):
        row = [each.id for each in boxes if level[each.id] == number]
        rows += [row[first : first + WIDEST] for first in range(0, len(row), WIDEST)]
    return _ordered(rows, links)


def _reaches(start: str, goal: str, links: Sequence[Share]) -> bool:
    """Whether `start` holds `goal`, directly or through others."""
    seen, pending = {start}, [start]
    while pending:
        at = pending.pop()
        for each in links:
            if each.holder == at and each.held not in seen:
                seen.add(each.held)
                pending.append(each.held)
    return goal in seen


def _ordered(rows: list[list[str]], links: Sequence[Share]) -> list[list[str]]:
    """Each row sorted by the mean place of what its members hold or are held by."""
    for sweep in range(SWEEPS):
        order = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for number in order:
            other = rows[number - 1] if sweep % 2 == 0 else rows[number + 1]
            place = {key: index - (len(other) - 1) / 2 for index, key in enumerate(other)}
            rows[number] = sorted(
                rows[number],
                key=lambda key, place=place: (_mean(key, place, links), key),  # type: ignore[misc]
            )
    return rows


def _mean(key: str, place: dict[str, float], links: Sequence[Share]) -> float:
    near = [place[each.held] for each in links if each.holder == key and each.held in place]
    near += [place[each.holder] for each in links if each.held == key and each.holder in place]
    return sum(near) / len(near) if near else 0.0


def _box(box: Box, x: float, y: float) -> str:
    kind = "box operator" if box.operator else "box"
    room = WIDE - 26
    return svg.element(
        "g",
        svg.element("rect", x=x, y=y, width=WIDE, height=TALL, rx=5, class_=f"{kind} {box.where}"),
        svg.element("rect", x=x, y=y, width=6, height=TALL, rx=2, class_=f"side {box.where}"),
        svg.text(x + 16, y + 21, svg.shortened(box.name, SIZE, room), class_="name", font_size=SIZE),
        svg.text(x + 16, y + 38, svg.shortened(box.note, SIZE - 2, room), class_="note",
                 font_size=SIZE - 2),
    )  # fmt: skip


def _apart(share: Share, at: dict[str, tuple[float, float]]) -> float:
    """How far apart the ends are: labels of short lines have the fewest places to go."""
    if share.holder not in at or share.held not in at:
        return 0.0
    (x1, y1), (x2, y2) = at[share.holder], at[share.held]
    return abs(x1 - x2) + abs(y1 - y2)


def _edge(
    share: Share,
    at: dict[str, tuple[float, float]],
    shares: Sequence[Share],
    taken: list[tuple[float, float, float, float]],
) -> tuple[str, str]:
    """A line from the holder to what it holds, and its label where no other label is."""
    (x1, y1), (x2, y2) = at[share.holder], at[share.held]
    down = y1 < y2
    into = [each for each in shares if each.held == share.held and each.holder in at]
    into.sort(key=lambda each: at[each.holder][0])
    slot = (into.index(share) + 1) / (len(into) + 1)
    start = (x1 + WIDE / 2, y1 + TALL if down else y1)
    end = (x2 + WIDE * (0.2 + 0.6 * slot), y2 - 1 if down else y2 + TALL + 1)
    if not down:  # the line of a cycle leaves and arrives beside the boxes
        start, end = (x1 + WIDE, y1 + TALL / 2), (x2 + WIDE, y2 + TALL * 0.3)
        if y1 == y2:
            start, end = (x1 + WIDE * 0.75, y1), (x2 + WIDE * 0.25, y2)
    bend = ROWS * 0.5
    if down:
        path = (start[0], start[1] + bend, end[0], end[1] - bend)
    elif y1 == y2:
        path = (start[0], start[1] - bend, end[0], end[1] - bend)
    else:
        path = (start[0] + 60, start[1], end[0] + 60, end[1])
    points = " ".join(svg.number(each) for each in (*path, *end))
    line = svg.element(
        "path", d=f"M{svg.number(start[0])} {svg.number(start[1])}C{points}",
        class_="share strong" if share.strong else "share", marker_end="url(#owner-tip)",
    )  # fmt: skip
    return line, _share_label(share, start, path, end, taken)


def _share_label(
    share: Share,
    start: tuple[float, float],
    path: tuple[float, float, float, float],
    end: tuple[float, float],
    taken: list[tuple[float, float, float, float]],
) -> str:
    half = svg.width_of(share.label, SIZE - 1) / 2 + 6
    for part in (0.3, 0.5, 0.7, 0.4, 0.6, 0.2, 0.8, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75):
        u = 1 - part
        a, b, c, d = u**3, 3 * u * u * part, 3 * u * part * part, part**3
        x = a * start[0] + b * path[0] + c * path[2] + d * end[0]
        y = a * start[1] + b * path[1] + c * path[3] + d * end[1]
        if all(abs(x - ox) > half + oh or abs(y - oy) > 10 + ov for ox, oy, oh, ov in taken):
            break
    taken.append((x, y, half, 10.0))
    return svg.element(
        "g",
        svg.element("rect", x=x - half, y=y - 10, width=2 * half, height=19, rx=9, class_="pill"),
        svg.text(x, y + 4, share.label, class_="percent", font_size=SIZE - 1, text_anchor="middle"),
    )
