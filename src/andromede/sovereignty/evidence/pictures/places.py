"""The map: where each site is declared to be, with the mark of its operator's verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from andromede.sovereignty.evidence.pictures import svg
from andromede.sovereignty.evidence.pictures.projection import Point, View, middle, outlines, view

SIZE: Final = 13.0  # of labels
POLE: Final = -89.0  # degrees of latitude
TWO: Final = 30.0  # the height of a label of two lines


class Spot(Struct, frozen=True, kw_only=True):
    """A site: its coordinates, or its country alone (then it is drawn at the country's middle)."""

    label: str
    note: str  # a second, smaller line
    verdict: str
    country: str
    longitude: float | None = None
    latitude: float | None = None

    def where(self) -> Point | None:
        if self.longitude is not None and self.latitude is not None:
            return self.longitude, self.latitude
        return middle(self.country)


def draw(spots: Sequence[Spot], title: str, described: str) -> str:
    """The map of the sites. Sites of which nobody declared a place are not on it."""
    placed = [(spot, where) for spot in spots if (where := spot.where()) is not None]
    seen = view([where for _, where in placed])
    land = _land(seen, {spot.country for spot in spots})
    taken: list[tuple[float, float, float, float]] = []
    marks, labels = [], []
    for spot, (longitude, latitude) in sorted(placed, key=lambda each: (each[1][1], each[0].label)):
        at = seen.place(longitude, latitude)
        if at is None:
            continue
        if spot.longitude is None:
            marks.append(svg.element("circle", cx=at[0], cy=at[1], r=15, class_="somewhere"))
        marks.append(svg.mark(spot.verdict, *at))
        around = 9 if spot.longitude is not None else 16
        taken.append((at[0] - around, at[1] - around, at[0] + around, at[1] + around))
        labels.append((spot, at))
    texts = [_label(spot, at, seen, taken) for spot, at in labels]
    frame = svg.element("rect", x=0.5, y=0.5, width=seen.width - 1, height=seen.height - 1,
                        class_="sea", rx=6)  # fmt: skip
    clip = svg.element("clipPath", svg.element("rect", width=seen.width, height=seen.height, rx=6),
                       id="map-frame")  # fmt: skip
    return svg.picture(
        seen.width, seen.height, "map", title, described, clip, frame, land, *marks, *texts
    )


def _land(seen: View, lit: set[str]) -> str:
    """The countries in view, those of the sites lit."""
    parts = []
    for code, rings in outlines().items():
        path = "".join(filter(None, (_path(seen, ring) for ring in rings)))
        if path:
            parts.append(svg.element("path", d=path, class_="lit" if code in lit else "land"))
    return svg.element("g", *parts, clip_path="url(#map-frame)")


def _path(seen: View, ring: Iterable[Point]) -> str:
    """A ring on the map, whole; nothing when none of it is in view."""
    points = [at for each in _one_sided(list(ring)) if (at := seen.place(*each)) is not None]
    near = [
        at for at in points if -40 <= at[0] <= seen.width + 40 and -40 <= at[1] <= seen.height + 40
    ]
    if len(near) < 2 or len(points) < 3:
        return ""
    kept = _clamped(points, seen)
    first = f"M{svg.number(kept[0][0])} {svg.number(kept[0][1])}"
    rest = "L" + " ".join(f"{svg.number(x)} {svg.number(y)}" for x, y in kept[1:])
    return f"{first}{rest}Z"


def _one_sided(ring: list[Point]) -> list[Point]:
    """A ring that crosses the date line, cut off there, on the side where most of it is. Along the
    pole, where Antarctica is closed, is no crossing."""
    if not any(abs(a[0] - b[0]) > 180 and a[1] > POLE for a, b in pairwise(ring)):
        return ring
    east = sum(x > 0 for x, _ in ring) * 2 > len(ring)
    return [(x if (x > 0) == east else 180.0 if east else -180.0, y) for x, y in ring]


def _clamped(points: Sequence[Point], seen: View) -> list[Point]:
    """The points, those far outside moved to just outside, where runs of them are one."""
    kept: list[Point] = []
    for x, y in points:
        at = (min(max(x, -60.0), seen.width + 60.0), min(max(y, -60.0), seen.height + 60.0))
        rounded = (round(at[0], 1), round(at[1], 1))
        if not kept or rounded != kept[-1]:
            kept.append(rounded)
    return kept


def _label(
    spot: Spot, at: Point, seen: View, taken: list[tuple[float, float, float, float]]
) -> str:
    """Two lines beside the mark, at the first of a few places where they hide nothing."""
    wide = max(svg.width_of(spot.label, SIZE), svg.width_of(spot.note, SIZE - 2))
    x, y = at
    tries = [
        (x + 14, y - 8), (x - 14 - wide, y - 8), (x + 14, y + 16), (x - 14 - wide, y + 16),
        (x + 14, y - 36), (x - 14 - wide, y - 36), (x - wide / 2, y + 24), (x - wide / 2, y - 36),
        (x + 14, y + 44), (x - 14 - wide, y + 44), (x + 14, y + 72), (x - 14 - wide, y + 72),
    ]  # fmt: skip
    inside = [each for each in tries if each[0] > 6 and each[0] + wide < seen.width - 6]
    free = [each for each in inside if not any(_over(each, wide, box) for box in taken)]
    left, top = (free or inside or tries)[0]
    taken.append((left, top - 4, left + wide, top + TWO))
    lead = ""
    if abs(top + 8 - y) > 20:
        end = min(max(x, left), left + wide), top - 3 if top > y else top + TWO
        lead = svg.element("line", x1=x, y1=y, x2=end[0], y2=end[1], class_="lead")
    return (
        lead
        + svg.text(left, top + 9, spot.label, class_="label", font_size=SIZE)
        + svg.text(left, top + 23, spot.note, class_="label note", font_size=SIZE - 2)
    )


def _over(at: Point, wide: float, box: tuple[float, float, float, float]) -> bool:
    left, top = at
    return not (left + wide < box[0] or left > box[2] or top + TWO < box[1] or top - 4 > box[3])
