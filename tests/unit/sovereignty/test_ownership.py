"""Integrated ownership: chains multiply, cycles converge, order does not matter."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andromede.sovereignty.world.analysis import analyse, percent
from andromede.sovereignty.world.control import controllers
from andromede.sovereignty.world.ownership import (
    Owned,
    Undivided,
    direct,
    first_met,
    integrated,
)
from andromede.sovereignty.world.verdict import Outcome, judge
from tests.unit.sovereignty.worlds import TODAY, entity, holding, public, world

NAMES = "abcdefgh"
COMPANIES, ENDS = NAMES[:5], NAMES[5:]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Owned]:
    """Companies that own each other in any way, and holders at the ends; never more than 100 %,
    and always something of each owned outside the companies or undeclared."""
    owned = {}
    for company in COMPANIES:
        holders = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
        left, shares = 100, {}
        for holder in holders:
            part = draw(st.integers(0, left - 1 if left else 0))
            left -= part
            if part:
                shares[holder] = Fraction(part, 100)
        owned[company] = Owned(capital=shares, votes=shares)
    return owned


def rests(owned: Mapping[str, Owned], company: str) -> Fraction:
    """The undeclared part of all that a company is owned by, as one more owner's share."""
    whole = {
        key: Owned(capital={**each.capital, f"rest of {key}": each.rest("capital")}, votes={})
        for key, each in owned.items()
    }
    shares = integrated(whole, "capital")[company]
    return sum((part for key, part in shares.items() if key.startswith("rest of")), Fraction())


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_ends_and_the_undeclared_rest_sum_to_the_whole(owned: dict[str, Owned]) -> None:
    shares = integrated(owned, "capital")
    for company in COMPANIES:
        ends = sum((shares[company].get(end, Fraction()) for end in ENDS), Fraction())
        assert ends + rests(owned, company) == 1
        assert all(0 <= part <= 1 for part in shares[company].values())
        assert company not in shares[company]


@given(graphs())
@settings(max_examples=25, deadline=None)
def test_a_long_walk_comes_to_the_same_shares(owned: dict[str, Owned]) -> None:
    """An independent account: money paid out along the shares until hardly any is left."""
    shares = integrated(owned, "capital")
    for company in COMPANIES:
        purse, reached = {company: 1.0}, dict.fromkeys(ENDS, 0.0)
        for _ in range(20_000):
            paid: dict[str, float] = {}
            for at, sum_ in purse.items():
                for holder, part in owned[at].capital.items():
                    if holder in reached:
                        reached[holder] += sum_ * float(part)
                    else:
                        paid[holder] = paid.get(holder, 0.0) + sum_ * float(part)
            purse = {key: each for key, each in paid.items() if each > 1e-12}
            if not purse:
                break
        for end in ENDS:
            assert float(shares[company].get(end, Fraction())) == pytest.approx(
                reached[end], abs=1e-6
            )


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_declarations_does_not_matter(
    owned: dict[str, Owned], luck: random.Random
) -> None:
    keys = list(owned)
    luck.shuffle(keys)
    other = {
        key: Owned(
            capital=dict(sorted(owned[key].capital.items(), reverse=True)), votes=owned[key].votes
        )
        for key in keys
    }
    assert integrated(other, "capital") == integrated(owned, "capital")
    foreign = {"a", "f"}
    assert first_met(other, "capital", foreign.__contains__) == first_met(
        owned, "capital", foreign.__contains__
    )


@given(graphs(), st.sets(st.sampled_from(NAMES)))
@settings(max_examples=150, deadline=None)
def test_owners_first_met_never_sum_above_the_whole(
    owned: dict[str, Owned], ends: set[str]
) -> None:
    met = first_met(owned, "capital", ends.__contains__)
    shares = integrated(owned, "capital")
    for company in COMPANIES:
        assert set(met[company]) <= ends
        assert sum(met[company].values(), Fraction()) <= 1
        if company not in ends:  # each is met first no more often than at all
            for owner, part in met[company].items():
                assert part <= shares[company][owner]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_chains_multiply(parts: list[int]) -> None:
    links = [f"c{at}" for at in range(len(parts) + 1)]
    owned = {
        links[at]: Owned(capital={links[at + 1]: Fraction(part, 100)}, votes={})
        for at, part in enumerate(parts)
    }
    product = Fraction(1)
    for part in parts:
        product *= Fraction(part, 100)
    assert integrated(owned, "capital")["c0"][links[-1]] == product


def test_a_circle_converges_to_the_exact_share() -> None:
    owned = {
        "a": Owned(capital={"b": Fraction(1, 2), "x": Fraction(1, 2)}, votes={}),
        "b": Owned(capital={"a": Fraction(1, 2), "y": Fraction(1, 2)}, votes={}),
    }
    shares = integrated(owned, "capital")["a"]
    assert shares == {"b": Fraction(1, 2), "x": Fraction(2, 3), "y": Fraction(1, 3)}


def test_owning_oneself_leaves_the_others_all() -> None:
    owned = {"a": Owned(capital={"a": Fraction(1, 4), "x": Fraction(3, 4)}, votes={})}
    assert integrated(owned, "capital")["a"] == {"x": Fraction(1)}


def test_nobody_owns_a_closed_circle() -> None:
    owned = {
        "a": Owned(capital={"b": Fraction(1)}, votes={}),
        "b": Owned(capital={"a": Fraction(1)}, votes={}),
    }
    with pytest.raises(Undivided, match="a, b own one another wholly"):
        integrated(owned, "capital")


def test_parallel_paths_of_one_owner_add_up() -> None:
    there = world(
        entity("parent", "US"), entity("left"), entity("right"), entity("target"), public("state"),
        holding("parent", "left", 100), holding("parent", "right", 50),
        holding("state", "right", 50), holding("left", "target", 20),
        holding("right", "target", 20), holding("state", "target", 60),
    )  # fmt: skip
    analysis = analyse(there, TODAY)
    assert analysis.share("target", "parent") == Fraction(30, 100)
    assert analysis.outside_capital["target"] == {"parent": Fraction(30, 100)}


def test_an_owner_behind_another_outside_counts_once() -> None:
    there = world(
        entity("top", "US"), entity("middle", "US"), entity("target"), public("state"),
        holding("top", "middle", 100), holding("middle", "target", 30),
        holding("state", "target", 70),
    )  # fmt: skip
    analysis = analyse(there, TODAY)
    assert analysis.outside_capital["target"] == {"middle": Fraction(30, 100)}
    assert analysis.share("target", "top") == Fraction(30, 100)


def test_amounts_win_over_rounded_percentages() -> None:
    from decimal import Decimal

    there = world(
        entity("cloud", capital=Decimal(225)), public("a"), public("b"), public("c"),
        holding("a", "cloud", "44.4", amount=Decimal(100)),
        holding("b", "cloud", "33.3", amount=Decimal(75)),
        holding("c", "cloud", "22.2", amount=Decimal(50)),
    )  # fmt: skip
    owned = direct(there)["cloud"]
    assert owned.capital == {"a": Fraction(4, 9), "b": Fraction(1, 3), "c": Fraction(2, 9)}
    assert owned.rest("votes") == 0


def test_control_passes_through_those_one_controls_together() -> None:
    there = world(
        entity("top", "US"), entity("left"), entity("right"), entity("target"),
        holding("top", "left", 51), holding("top", "right", 51),
        holding("left", "target", 26), holding("right", "target", 25),
    )  # fmt: skip
    found = controllers(there, direct(there))["target"]
    assert found == {"top": ("target", "left", "top")}


def test_half_the_votes_are_no_control_and_a_board_is() -> None:
    there = world(
        entity("top", "US"), entity("half"), entity("board"),
        holding("top", "half", 50), holding("top", "board", 1, board=True),
    )  # fmt: skip
    found = controllers(there, direct(there))
    assert found == {"top": {}, "half": {}, "board": {"top": ("board", "top")}}


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(0), "0"), (Fraction(1), "100"), (Fraction(4, 9), "44.444444"),
        (Fraction(2401, 10_000), "24.01"), (Fraction(1, 10**12), "0.000001"),
    ],
)  # fmt: skip
def test_percentages_as_people_read_them(share: Fraction, text: str) -> None:
    assert percent(share) == text


def test_figures_that_are_compared_are_rounded_up() -> None:
    assert percent(Fraction(24, 100), up=True) == "24"
    assert percent(Fraction(24, 100) + Fraction(1, 10**12), up=True) == "24.000001"
    there = world(
        entity("fund", "US"), entity("middle"), entity("target"), public("state"),
        holding("fund", "middle", "24.000001"), holding("state", "middle", "75.999999"),
        holding("middle", "target", "99.999998"), holding("state", "target", "0.000002"),
    )  # fmt: skip
    verdict = judge(analyse(there, TODAY), "target")
    assert verdict.outcome is Outcome.FAILED
    assert verdict.non_eu_individual == "24.000001"
