"""Where a place of the Earth lies on the map: equal areas, around Europe or of the whole world.

Lambert's azimuthal equal-area projection around 10° E 52° N is the one of EPSG 3035; Equal Earth
(Šavrič, Patterson, Jenny 2018) is for the world.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from msgspec import Struct

from andromede.sovereignty.evidence import assets

Point = tuple[float, float]
EUROPE: Final = (-12.0, 35.0, 35.0, 67.0)  # what must be within for the map of Europe
CENTRE: Final = (10.0, 52.0)
NEAREST: Final = 1.9  # times the scale that shows all of Europe
SHARE: Final = 0.45  # of the width, that the places may span
A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796


class View(Struct, frozen=True, kw_only=True):
    """A map of `width` by `height`; `scale` is points per Earth radius."""

    europe: bool
    width: float
    height: float
    scale: float
    x: float  # of the projection's origin
    y: float

    def place(self, longitude: float, latitude: float) -> Point | None:
        """A place on the map; None for what lies behind the horizon."""
        found = lambert(longitude, latitude) if self.europe else equal_earth(longitude, latitude)
        if found is None:
            return None
        return self.x + found[0] * self.scale, self.y - found[1] * self.scale


def view(places: Iterable[Point]) -> View:
    """The map that shows all the places (longitude, latitude): Europe, nearer where they are near
    to each other, or the world."""
    west, south, east, north = EUROPE
    found = list(places)
    if all(west <= x <= east and south <= y <= north for x, y in found):
        return _europe([at for each in found if (at := lambert(*each)) is not None])
    return View(europe=False, width=720, height=352, scale=131, x=360, y=183)


def _europe(points: list[Point]) -> View:
    whole = View(europe=True, width=720, height=480, scale=790, x=330, y=236)
    if not points:
        return whole
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    span = max(east - west, (north - south) * whole.width / whole.height)
    near = min(NEAREST, SHARE * whole.width / (span * whole.scale) if span else NEAREST)
    if near <= 1:
        return whole
    scale = whole.scale * near
    return View(
        europe=True, width=whole.width, height=whole.height, scale=scale,
        x=whole.width / 2 - (west + east) / 2 * scale,
        y=whole.height / 2 + (south + north) / 2 * scale,
    )  # fmt: skip


def lambert(longitude: float, latitude: float) -> Point | None:
    turned = math.radians(longitude - CENTRE[0])
    here, there = math.radians(latitude), math.radians(CENTRE[1])
    across = math.cos(here) * math.cos(turned)
    cosine = math.sin(there) * math.sin(here) + math.cos(there) * across
    if cosine < 0.4:
        return None
    k = math.sqrt(2 / (1 + cosine))
    north = math.cos(there) * math.sin(here) - math.sin(there) * across
    return k * math.cos(here) * math.sin(turned), k * north


def equal_earth(longitude: float, latitude: float) -> Point:
    angle = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    square, sixth = angle**2, angle**6
    slope = A1 + 3 * A2 * square + sixth * (7 * A3 + 9 * A4 * square)
    x = 2 * math.sqrt(3) * math.radians(longitude) * math.cos(angle) / (3 * slope)
    return x, angle * (A1 + A2 * square + sixth * (A3 + A4 * square))


@cache
def outlines() -> dict[str, list[list[Point]]]:
    """The countries' rings in degrees, by ISO 3166 alpha-2; "--" holds what has no code."""
    document = json.loads(assets.text("outlines.json"))
    arcs = [list(_points(flat, document["unit"])) for flat in document["arcs"]]
    found: dict[str, list[list[Point]]] = {}
    for code, rings in document["countries"].items():
        found[code] = [_ring(ring, arcs) for ring in rings]
    return found


def _points(flat: list[int], unit: int) -> Iterator[Point]:
    x = y = 0
    for dx, dy in zip(flat[::2], flat[1::2], strict=True):
        x, y = x + dx, y + dy
        yield x / unit, y / unit


def _ring(ring: list[int], arcs: list[list[Point]]) -> list[Point]:
    points: list[Point] = []
    for arc in ring:
        part = arcs[arc] if arc >= 0 else arcs[~arc][::-1]
        points += part[1:] if points else part
    return points


@cache
def middle(country: str) -> Point | None:
    """The centre of a country's largest land; None for one that the outlines do not have."""
    rings = outlines().get(country)
    if not rings:
        return None
    return max((_centre(ring) for ring in rings), key=lambda each: each[0])[1]


def _centre(ring: list[Point]) -> tuple[float, Point]:
    """A ring's area and centre."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        cross = x1 * y2 - x2 * y1
        area += cross
        x += (x1 + x2) * cross
        y += (y1 + y2) * cross
    if area == 0:
        return 0.0, ring[0]
    return abs(area) / 2, (x / (3 * area), y / (3 * area))
