"""Row 3 (SecNumCloud 19.6.a): seat, central administration and main establishment in the EU."""

from __future__ import annotations

import pytest

from tests.contract.sovereignty.declaring import Declaring


@pytest.mark.parametrize(
    ("places", "code"),
    [
        ({"country": "US"}, "seat-outside"),
        ({"administration": "US"}, "administration-outside"),
        ({"establishment": "CH"}, "establishment-outside"),
    ],
)
def test_any_one_outside_fails(world: Declaring, places: dict[str, str], code: str) -> None:
    world.entity("state", kind="public-body")
    world.entity("cloud", **{"country": "FR", **places})
    world.hold("state", "cloud", 100)
    assert code in world.codes("cloud")
    assert world.verdict("cloud") == "failed"


def test_all_inside_is_shown(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("cloud", "FR", administration="DE", establishment="GP")
    world.hold("state", "cloud", 100)
    assert world.verdict("cloud") == "shown"


def test_an_undeclared_seat_is_not_shown(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("cloud", "undeclared")
    world.hold("state", "cloud", 100)
    assert world.codes("cloud") == ["seat-undeclared"]
    world.entity("cloud", "undeclared", administration="US")
    assert world.verdict("cloud") == "failed"


def test_a_holder_administered_outside_counts_as_outside(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("holding-company", "NL", administration="US")
    world.entity("cloud")
    world.hold("holding-company", "cloud", 25)
    world.hold("state", "cloud", 75)
    assert world.codes("cloud") == ["individual-above"]


def test_a_public_body_needs_no_owners(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("canton", "CH", "public-body")
    assert world.verdict("state") == "shown"
    assert world.verdict("canton") == "failed"
