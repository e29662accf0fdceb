"""`python -m andromede.roles.outlines countries-50m.json > outlines.json`: the outlines of the map.

Reads a TopoJSON file of Natural Earth's countries, keeps each country's borders simplified (finer
in Europe), and drops islets; borders that countries share stay shared.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from babel.core import get_global

SOURCE = (
    "Natural Earth 4.1, Admin 0 countries, 1:50m (public domain), as in countries-50m.json of the npm "
    "package world-atlas 2.0.2; simplified by andromede.roles.outlines. Hundredths of a degree, "
    "each arc's points but the first as steps from the one before."
)
EUROPE = (-25.0, 33.0, 45.0, 72.0)  # west, south, east, north
FINE, COARSE = 0.09, 0.4  # degrees an outline may be off
ISLET_FINE, ISLET = 0.08, 2.5  # square degrees
UNIT = 100
Point = tuple[float, float]


def build(topology: dict[str, Any]) -> dict[str, Any]:
    """The document: arcs, and for each country its rings as lists of arcs (~n: arc n backwards)."""
    arcs = _arcs(topology)
    countries: dict[str, list[list[int]]] = {}
    aliases = get_global("territory_aliases")
    for shape in topology["objects"]["countries"]["geometries"]:
        code = next(iter(aliases.get(str(shape.get("id", "")), ())), None)
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        all_rings = [ring for polygon in polygons for ring in polygon]
        kept = [ring for ring in all_rings if _keep(ring, arcs)]
        rings = kept or [max(all_rings, key=lambda ring: _area(ring_points(ring, arcs)))]
        countries.setdefault(code or "--", []).extend(rings)
    used = sorted({_plain(arc) for rings in countries.values() for ring in rings for arc in ring})
    place = {arc: index for index, arc in enumerate(used)}

    def renumber(arc: int) -> int:
        return place[arc] if arc >= 0 else ~place[~arc]

    return {
        "source": SOURCE,
        "unit": UNIT,
        "arcs": [_steps(_simple(arcs[arc])) for arc in used],
        "countries": {
            code: [[renumber(arc) for arc in ring] for ring in rings]
            for code, rings in sorted(countries.items())
            if rings
        },
    }


def _plain(arc: int) -> int:
    return arc if arc >= 0 else ~arc


def _arcs(topology: dict[str, Any]) -> list[list[Point]]:
    """The arcs in degrees."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for steps in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        found.append(points)
    return found


def ring_points(ring: list[int], arcs: list[list[Point]]) -> list[Point]:
    """A ring's points, arc after arc."""
    points: list[Point] = []
    for arc in ring:
        part = arcs[arc] if arc >= 0 else arcs[~arc][::-1]
        points += part[1:] if points else part
    return points


def _in_europe(points: list[Point]) -> bool:
    west, south, east, north = EUROPE
    return any(west <= x <= east and south <= y <= north for x, y in points)


def _keep(ring: list[int], arcs: list[list[Point]]) -> bool:
    points = ring_points(ring, arcs)
    return _area(points) >= (ISLET_FINE if _in_europe(points) else ISLET)


def _area(points: list[Point]) -> float:
    """Square degrees inside a ring."""
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs) / 2)


def _simple(points: list[Point]) -> list[Point]:
    """Douglas and Peucker's simplification; the ends stay."""
    limit = FINE if _in_europe(points) else COARSE
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        worst, at = 0.0, -1
        for index in range(first + 1, last):
            off = _distance(points[index], points[first], points[last])
            if off > worst:
                worst, at = off, index
        if at >= 0 and worst > limit:
            keep.add(at)
            spans += [(first, at), (at, last)]
    return [points[index] for index in sorted(keep)]


def _distance(point: Point, start: Point, end: Point) -> float:
    (px, py), (ax, ay), (bx, by) = point, start, end
    length = (bx - ax) ** 2 + (by - ay) ** 2
    if length == 0:
        return float(((px - ax) ** 2 + (py - ay) ** 2) ** 0.5)
    along = max(0.0, min(1.0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length))
    return float(((px - ax - along * (bx - ax)) ** 2 + (py - ay - along * (by - ay)) ** 2) ** 0.5)


def _steps(points: list[Point]) -> list[int]:
    """x, y of the first point, then steps, flat."""
    flat: list[int] = []
    x = y = 0
    for px, py in points:
        nx, ny = round(px * UNIT), round(py * UNIT)
        flat += [nx - x, ny - y]
        x, y = nx, ny
    return flat


if __name__ == "__main__":
    document = build(json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(document, separators=(",", ":")))  # noqa: T201
