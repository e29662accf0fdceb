"""Who ran a site on any day: a successor does not rewrite the past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from andromede import clock
from tests.contract.sovereignty.declaring import V1, Declaring


@pytest.fixture
def today() -> Iterator[Any]:
    """Sets the clock's day; the real clock comes back at the end."""

    def become(day: str) -> None:
        moment = int(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp())
        clock.set_source(lambda: moment * clock.SECOND)

    yield become
    clock.set_source(None)


def operators(world: Declaring) -> tuple[str, list[dict[str, str]]]:
    site = world.reader.get(f"{V1}/sites/val").expect(200)["site"]
    return site["operator"], site["former"]


def test_cloudwatts_site_passes_to_orange_and_its_past_stays(world: Declaring, today: Any) -> None:
    today("2015-06-01")
    world.entity("us", "US")
    world.entity("cloudwatt")
    world.entity("orange-cloud-for-business")
    world.hold("us", "orange-cloud-for-business", 100)
    world.site("val", operator="cloudwatt")
    today("2016-01-01")
    world.site("val", operator="orange-cloud-for-business")
    assert operators(world) == (
        "orange-cloud-for-business", [{"operator": "cloudwatt", "until": "2016-01-01"}],
    )  # fmt: skip
    assert "us-patriot-215" not in world.laws("val", "2015-12-31", noun="sites")
    assert "us-patriot-215" in world.laws("val", "2016-01-01", noun="sites")


def test_changes_of_one_day_count_once(world: Declaring, today: Any) -> None:
    today("2015-06-01")
    for key in ("a", "b", "c"):
        world.entity(key)
    world.site("val", operator="a")
    today("2015-06-02")
    world.site("val", operator="b")
    world.site("val", operator="c")
    assert operators(world) == ("c", [{"operator": "a", "until": "2015-06-02"}])


def test_a_change_that_says_nothing_of_the_past_leaves_it(world: Declaring) -> None:
    world.entity("a")
    world.entity("b")
    past = [{"operator": "a", "until": "2014-01-01"}]
    world.site("val", operator="b", former=past)
    world.site("val", operator="b", place="Val-de-Reuil")
    assert operators(world) == ("b", past)
    corrected = [{"operator": "a", "until": "2014-02-01"}]
    world.site("val", operator="b", former=corrected)
    assert operators(world) == ("b", corrected)


@pytest.mark.parametrize(
    ("former", "status", "why"),
    [
        ([{"operator": "nobody", "until": "2014-01-01"}], 400, "not declared"),
        (
            [{"operator": "a", "until": "2014-02-01"}, {"operator": "b", "until": "2014-01-01"}],
            400,
            "order of their days",
        ),
        ([{"operator": "young", "until": "2014-01-01"}], 409, "exists since 2015-01-01"),
    ],
)
def test_a_past_that_cannot_be_is_refused(
    world: Declaring, former: list[dict[str, str]], status: int, why: str
) -> None:
    world.entity("a")
    world.entity("b")
    world.entity("young", since="2015-01-01")
    body = {"site": {"country": "FR", "operator": "b", "former": former}}
    answer = world.operator.put(f"{V1}/sites/val", body)
    assert answer.status == status
    assert why in answer.body.decode()
    assert world.reader.get(f"{V1}/sites/val").status == 404


def test_who_ran_a_site_stays_declared(world: Declaring) -> None:
    world.entity("a")
    world.entity("b")
    world.site("val", operator="b", former=[{"operator": "a", "until": "2014-01-01"}])
    assert world.operator.delete(f"{V1}/entities/a").status == 409
