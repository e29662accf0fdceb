"""The pictures: what is on them, that they say it in words, and that nothing overlaps or escapes."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from andromede.roles import outlines
from andromede.sovereignty.evidence.pictures import owners, places, projection, svg, timeline

NAME = "{http://www.w3.org/2000/svg}"
DAY = timeline.DAY


def parse(text: str) -> ElementTree.Element:
    found = ElementTree.fromstring(text)
    assert found.attrib["role"] == "img"
    assert found.find(f"{NAME}title") is not None
    assert found.find(f"{NAME}desc") is not None
    return found


def spot(label: str, verdict: str = "shown", **more: object) -> places.Spot:
    return places.Spot(label=label, note="a note", verdict=verdict, country="FR", **more)  # type: ignore[arg-type]


PARIS = {"latitude": 48.85, "longitude": 2.35}


def test_a_verdict_has_a_shape_of_its_own() -> None:
    tags = {svg.mark(each, 0, 0).split()[0] for each in svg.MARKS}
    assert len(tags) == 3
    assert "not-shown" in svg.mark("whatever", 0, 0)


def test_the_map_lights_countries_and_names_sites() -> None:
    found = parse(places.draw([spot("paris", **PARIS), spot("somewhere")], "t", "d"))
    texts = [each.text for each in found.iter(f"{NAME}text")]
    assert texts.count("a note") == 2
    assert {"paris", "somewhere"} <= set(texts)
    kinds = [each.attrib.get("class") for each in found.iter()]
    assert kinds.count("lit") == 1
    assert kinds.count("somewhere") == 1
    assert kinds.count("mark shown") == 2


def test_what_operators_write_is_escaped() -> None:
    drawn = places.draw([spot('<b>"&', **PARIS)], "<t>", "&")
    assert "&lt;b&gt;" in drawn
    parse(drawn)


def test_the_view_is_of_europe_or_of_the_world() -> None:
    assert projection.view([]).europe
    near = projection.view([(2.35, 48.85)])
    wide = projection.view([(-9, 38), (28, 60)])
    assert near.scale > wide.scale
    assert not projection.view([(2.35, 48.85), (-77.0, 39.0)]).europe
    for seen in (near, wide):
        for at in ((2.35, 48.85),) if seen is near else ((-9, 38), (28, 60)):
            x, y = seen.place(*at) or (-1, -1)
            assert 0 < x < seen.width
            assert 0 < y < seen.height


def test_projections_agree_with_their_sources() -> None:
    assert projection.lambert(10, 52) == pytest.approx((0, 0))
    assert projection.lambert(-170, -52) is None
    assert projection.equal_earth(0, 0) == pytest.approx((0, 0))
    assert projection.equal_earth(180, 0)[0] == pytest.approx(2.7066, abs=1e-3)
    assert projection.equal_earth(0, 90)[1] == pytest.approx(1.3173, abs=1e-3)


def test_every_member_of_the_union_is_on_the_map() -> None:
    from andromede.sovereignty.countries import _MEMBERS

    for code in _MEMBERS:
        assert projection.middle(code) is not None, code
    assert projection.middle("XX") is None
    x, y = projection.middle("FR") or (0, 0)
    assert (x, y) == pytest.approx((2.5, 46.6), abs=1)


def test_a_world_map_has_no_line_across_the_date_line() -> None:
    drawn = places.draw([spot("a", **PARIS), spot("b", latitude=39.0, longitude=-77.0)], "t", "d")
    for path in re.findall(r"M([^MZ]*)Z", drawn):
        points = [[float(one) for one in each.split()]
                  for each in re.findall(r"-?[\d.]+ -?[\d.]+", path)]  # fmt: skip
        above = [each[0] for each in points if each[1] < 340]  # the south pole is a line, too
        assert all(abs(a - b) < 300 for a, b in pairwise(above))


def box(key: str, operator: bool = False) -> owners.Box:
    return owners.Box(id=key, name=key, note="n", where="eu", operator=operator)


def share(holder: str, held: str, strong: bool = False) -> owners.Share:
    return owners.Share(holder=holder, held=held, label="10 %", strong=strong)


def tops(text: str) -> dict[str, float]:
    """Where each box stands."""
    found = {}
    for group in parse(text).iter(f"{NAME}g"):
        name = group.find(f"{NAME}text[@class='name']")
        rect = group.find(f"{NAME}rect")
        if name is not None and rect is not None:
            found[str(name.text)] = float(rect.attrib["y"])
    return found


def test_holders_stand_above_what_they_hold() -> None:
    boxes = [box("op", operator=True), box("mid"), box("top")]
    at = tops(owners.draw(boxes, [share("mid", "op"), share("top", "mid"), share("top", "op")],
                          "t", "d"))  # fmt: skip
    assert at["top"] < at["mid"] < at["op"]


def test_cycles_and_many_owners_are_drawn() -> None:
    boxes = [box("op", operator=True), box("a"), box("b"), *(box(f"h{n}") for n in range(14))]
    shares = [share("a", "op", strong=True), share("b", "a"), share("a", "b"), share("op", "a"),
              *(share(f"h{n}", "op") for n in range(14))]  # fmt: skip
    drawn = owners.draw(boxes, shares, "t", "d")
    assert len(tops(drawn)) == len(boxes)
    assert drawn.count("share strong") == 1
    assert drawn.count('class="percent"') == len(shares)
    assert owners.draw([], [], "t", "d") == ""


def test_the_timeline_shows_accesses_bars_and_now() -> None:
    now = 1_790_000_000_000_000
    event = timeline.Event
    drawn = timeline.draw(
        ["Accesses", "Consents"],
        [event(row="Accesses", at=now - DAY, text="<look>"),
         event(row="Accesses", at=now - 2 * DAY, kind="refused"),
         event(row="Consents", at=now - 9 * DAY, until=now + 9 * DAY, kind="consent")],
        now - 30 * DAY, now, "fr", "t", "d",
    )  # fmt: skip
    found = parse(drawn)
    kinds = [each.attrib.get("class") for each in found.iter()]
    for kind in ("event access", "event refused", "bar consent", "now"):
        assert kinds.count(kind) == 1
    assert 0 < kinds.count("date") <= timeline.TICKS
    assert "&lt;look&gt;" in drawn


def test_long_words_are_cut() -> None:
    assert svg.shortened("short", 13, 200) == "short"
    cut = svg.shortened("a very long name of a company indeed", 13, 100)
    assert cut.endswith("…")
    assert svg.width_of(cut, 13) <= 100


def test_outlines_are_built_from_a_topology() -> None:
    square = [[0, 0], [100, 0], [0, 100], [-100, 0], [0, -100]]
    islet = [[500, 500], [1, 0], [0, 1], [-1, -1]]
    topology = {
        "transform": {"scale": [0.1, 0.1], "translate": [0, 40]},
        "arcs": [square, islet],
        "objects": {"countries": {"geometries": [
            {"type": "MultiPolygon", "id": "250", "arcs": [[[0]], [[1]]]},
            {"type": "Polygon", "id": "470", "arcs": [[-2]]},
        ]}},
    }  # fmt: skip
    made = outlines.build(topology)
    assert set(made["countries"]) == {"FR", "MT"}
    assert made["countries"] == {"FR": [[0]], "MT": [[-2]]}
    assert made["arcs"][0] == [0, 4000, 1000, 0, 0, 1000, -1000, 0, 0, -1000]
