"""Row 2 (SecNumCloud 19.6.b): a veto or the power to appoint a board majority, on a 1 % share."""

from __future__ import annotations

import pytest

from tests.contract.sovereignty.declaring import Declaring


def cloud(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("cloud")
    world.hold("state", "cloud", 99)


@pytest.mark.parametrize("right", ["veto", "board"])
def test_either_right_outside_the_union_fails(world: Declaring, right: str) -> None:
    cloud(world)
    world.entity("fund", "US")
    world.hold("fund", "cloud", 1, **{right: True})
    assert world.verdict("cloud") == "failed"
    assert right in world.codes("cloud")


@pytest.mark.parametrize("right", ["veto", "board"])
def test_the_same_right_inside_the_union_does_not(world: Declaring, right: str) -> None:
    cloud(world)
    world.entity("region", "DE", "public-body")
    world.hold("region", "cloud", 1, **{right: True})
    assert world.verdict("cloud") == "shown"


def test_the_share_alone_does_not(world: Declaring) -> None:
    cloud(world)
    world.entity("fund", "US")
    world.hold("fund", "cloud", 1)
    assert world.verdict("cloud") == "shown"


def test_a_right_of_a_company_held_from_outside_fails(world: Declaring) -> None:
    cloud(world)
    world.entity("giant", "US")
    world.entity("letterbox")
    world.hold("giant", "letterbox", 51)
    world.hold("state", "letterbox", 49)
    world.hold("letterbox", "cloud", 1, veto=True)
    reason = world.ownership("cloud")["verdict"]["reasons"][0]
    assert reason["code"] == "veto"
    assert "held by giant" in reason["text"]


def test_a_right_over_the_company_that_controls_it_fails(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("fund", "US")
    for company in ("parent", "cloud"):
        world.entity(company)
    world.hold("state", "parent", 99)
    world.hold("fund", "parent", 1, veto=True)
    world.hold("parent", "cloud", 60)
    world.hold("state", "cloud", 40)
    assert world.codes("cloud") == ["veto"]


def test_a_right_fails_although_owners_are_undeclared(world: Declaring) -> None:
    world.entity("cloud")
    world.entity("fund", "US")
    world.hold("fund", "cloud", 1, veto=True)
    assert world.codes("cloud") == ["veto", "owners-undeclared"]
    assert world.verdict("cloud") == "failed"
