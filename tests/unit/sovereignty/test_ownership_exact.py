"""Integrated ownership to the last digit, against another solution; only what is asked for."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings

from andromede.sovereignty.world.facts import compute
from andromede.sovereignty.world.model import Site
from andromede.sovereignty.world.ownership import Owned, components, first_met, integrated
from tests.unit.sovereignty.test_ownership import NAMES, graphs
from tests.unit.sovereignty.worlds import TODAY, entity, holding, public, world


def reaching(owned: dict[str, Owned], owner: str) -> dict[str, Fraction]:
    """The probability to come from each to an owner: Gauss on the equations s = a + A s, in which
    the owner itself is where every walk ends."""
    names = [each for each in NAMES if each != owner]
    rows = []
    for at in names:
        shares = owned[at].capital if at in owned else {}
        row = [Fraction(at == to) - shares.get(to, Fraction()) for to in names]
        rows.append([*row, shares.get(owner, Fraction())])
    for at in range(len(names)):
        pivot = next(number for number in range(at, len(names)) if rows[number][at])
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [each / rows[at][at] for each in rows[at]]
        for number in range(len(names)):
            if number != at:
                scale = rows[number][at]
                rows[number] = [
                    value - scale * other
                    for value, other in zip(rows[number], rows[at], strict=True)
                ]
    return {name: row[-1] for name, row in zip(names, rows, strict=True)}


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_every_share_is_exact(owned: dict[str, Owned]) -> None:
    shares = integrated(owned, "capital")
    for owner in NAMES:
        for company, part in reaching(owned, owner).items():
            if company in owned and company != owner:
                assert shares[company].get(owner, Fraction()) == part


def circles(size: int, seed: int) -> dict[str, Owned]:
    """Companies that each own of many others, all in one circle."""
    luck = random.Random(seed)
    names = [f"c{at}" for at in range(size)]
    owned = {}
    for at, name in enumerate(names):
        held = {names[at - 1], *luck.sample(names, 4)} - {name}
        shares = {each: Fraction(luck.randint(1, 15_000_000), 100_000_000) for each in held}
        shares["outside"] = 1 - sum(shares.values())
        owned[name] = Owned(capital=shares, votes=shares)
    return owned


def test_a_large_circle_is_solved_exactly() -> None:
    owned = circles(30, 7)
    assert max(map(len, components({key: each.capital for key, each in owned.items()}))) == 30
    shares = integrated(owned, "capital")
    for company, each in owned.items():
        assert shares[company]["outside"] == 1
        for owner in ("c3", "c17"):
            if company != owner:
                by = sum(
                    part * (1 if via == owner else shares[via].get(owner, Fraction()))
                    for via, part in each.capital.items()
                )
                assert shares[company][owner] == by


def test_what_nobody_asks_for_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = world(
        public("state"), entity("shop"), entity("cloud"), entity("other"),
        holding("state", "cloud", "100"), holding("state", "shop", "60"),
        holding("cloud", "other", "10"), sites={"paris": Site(name="paris", operator="cloud")},
    )  # fmt: skip
    asked: list[str] = []
    judged = compute.__globals__["_entity"]

    def count(analysis: object, key: str) -> object:
        asked.append(key)
        return judged(analysis, key)

    monkeypatch.setitem(compute.__globals__, "_entity", count)
    found = compute(declared, "mark", TODAY)
    assert asked == ["cloud"]
    assert found.sites["paris"].verdict.shown
    assert found.entities["cloud"] is found.entities["cloud"]
    assert found.entities.get("nobody") is None
    assert len(found.entities) == 4
    assert {key: each.id for key, each in found.entities.items()} == {
        each: each for each in ("cloud", "other", "shop", "state")
    }
    assert sorted(asked) == ["cloud", "other", "shop", "state"]


def test_shares_are_looked_up_like_any_others() -> None:
    half = Owned(capital={"x": Fraction(1, 2)}, votes={})
    shares = integrated({"a": half}, "capital")
    assert ("a" in shares, "z" in shares, len(shares)) == (True, False, 2)
    assert shares.get("z", {}) == {}
    assert shares["x"] == {}
    met = first_met({"a": half}, "capital", lambda each: each == "x")
    assert (dict(met), len(met)) == ({"a": {"x": Fraction(1, 2)}}, 1)
