"""Declarations that do not hold together are refused with the reason, and change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sovereignty.declaring import V1, Declaring


@pytest.fixture
def pair(world: Declaring) -> Declaring:
    world.entity("state", kind="public-body")
    world.entity("region", kind="public-body")
    world.entity("cloud", capital=1000, since="2012-09-06", until="2030-01-01")
    return world


@pytest.mark.parametrize(
    ("holdings", "says"),
    [
        ([{"capital": "60"}, {"capital": "40.000001"}], "100.000001 % of capital"),
        ([{"capital": 60, "votes": 70}, {"capital": 40}], "110 % of votes"),
        ([{"amount": 600}, {"amount": "400.01"}], "100.001 % of capital"),
    ],
)
def test_sums_over_the_whole(pair: Declaring, holdings: list[Any], says: str) -> None:
    first, second = holdings
    pair.hold("state", "cloud", **first)
    answer = pair.try_hold("region", "cloud", **second)
    assert says in answer.expect(409)["message"]
    assert len(pair.reader.get(f"{V1}/holdings").expect(200)["holdings"]) == 1


def test_sums_are_taken_on_every_day(pair: Declaring) -> None:
    pair.hold("state", "cloud", 60, until="2015-01-01")
    pair.hold("region", "cloud", 60, since="2015-01-01")
    answer = pair.try_hold("state", "cloud", 50, since="2020-01-01")
    assert "since 2020-01-01" in answer.expect(409)["message"]
    pair.hold("state", "cloud", 40, since="2020-01-01")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"since": "2020-01-01"}),
        ({"until": "2020-01-02"}, {"since": "2020-01-01"}),
        ({"since": "2019-01-01", "until": "2021-01-01"}, {"until": "2020-01-01"}),
        ({"since": "2020-01-01"}, {"since": "2021-01-01", "until": "2022-01-01"}),
    ],
)
def test_overlapping_periods(pair: Declaring, first: Any, second: Any) -> None:
    pair.hold("state", "cloud", 10, **first)
    answer = pair.try_hold("state", "cloud", 10, **second)
    assert "overlaps" in answer.expect(409)["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"amount": 1001}, "more than the whole capital"),
        ({"amount": 444, "capital": "44"}, None),
        ({"amount": 444, "capital": "45"}, None),  # rounded up to its own decimals
        ({"amount": 444, "capital": "44.5"}, "contradicts the amount"),
        ({"amount": 444, "capital": "43"}, "contradicts the amount"),
    ],
)
def test_contradictory_amounts(pair: Declaring, body: Any, says: str | None) -> None:
    answer = pair.try_hold("state", "cloud", **body)
    if says is None:
        assert answer.status == 201
    else:
        assert says in answer.expect(409)["message"]


def test_an_amount_needs_the_capital_it_is_of(pair: Declaring) -> None:
    pair.entity("other")
    assert (
        "declare that of other" in pair.try_hold("state", "other", amount=5).expect(409)["message"]
    )
    pair.hold("state", "cloud", amount=500)
    body = {"entity": {"name": "cloud", "country": "FR"}}
    assert pair.operator.put(f"{V1}/entities/cloud", body).status == 409


@pytest.mark.parametrize(
    ("period", "held"),
    [
        ({"since": "2012-09-05"}, "cloud"), ({"since": "2030-01-01"}, "cloud"),
        ({"until": "2030-01-02"}, "cloud"), ({"until": "2012-09-06"}, "cloud"),
    ],
)  # fmt: skip
def test_dissolved_entities_hold_and_are_held_no_longer(
    pair: Declaring, period: Any, held: str
) -> None:
    answer = pair.try_hold("state", held, 10, **period)
    assert "exists since 2012-09-06 and is dissolved on 2030-01-01" in answer.expect(409)["message"]


def test_circles_are_accepted_and_closed_ones_are_not(world: Declaring) -> None:
    for key in ("a", "b", "c"):
        world.entity(key)
    world.hold("a", "b", 100)
    world.hold("b", "c", 100)
    answer = world.try_hold("c", "a", 100)
    assert "a, b, c would own one another wholly" in answer.expect(409)["message"]
    world.hold("c", "a", "99.999999")
    assert world.verdict("a") == "not-shown"
    world.entity("d")
    assert "d would own one another wholly" in world.try_hold("d", "d", 100).expect(409)["message"]
    world.hold("d", "d", 10)


def test_a_knot_too_large_to_solve_is_refused(world: Declaring) -> None:
    names = [f"e{at}" for at in range(41)]
    document = {
        "sites": [{"name": "local"}],
        "entities": [{"id": key, "name": key} for key in names],
        "holdings": [
            {"holder": names[at - 1], "held": key, "capital": 50} for at, key in enumerate(names)
        ],
    }
    answer = world.operator.put(f"{V1}/world", {"world": document})
    assert "41 entities own one another in circles" in answer.expect(400)["message"]


@pytest.mark.parametrize(
    ("noun", "body", "says"),
    [
        ("sites", {"country": "XX"}, "ISO 3166-1"),
        ("sites", {"country": "EU"}, "ISO 3166-1"),
        ("sites", {"country": "fr"}, "$.site.country"),
        ("sites", {"operator": "nobody"}, "nobody is not declared"),
        ("sites", {"networks": ["192.0.2.1/24"]}, "host bits"),
        ("sites", {"latitude": 48}, "together"),
        ("sites", {"latitude": 91, "longitude": 0}, "$.site.latitude"),
        ("sites", {"name": "other"}, "the path x"),
        ("sites", {"certificates": [{"scheme": "HDS", "since": "2020-01-01", "until": "2020-01-01"}]},
         "not after its beginning"),
        ("entities", {"name": "A", "country": "ZZ"}, "ISO 3166-1"),
        ("entities", {"name": "A", "country": "EU"}, "ISO 3166-1"),
        ("entities", {"name": "A", "administration": "AA"}, "ISO 3166-1"),
        ("entities", {"name": "A", "establishments": ["QQ"]}, "ISO 3166-1"),
        ("entities", {"name": "A", "kind": "ghost"}, "ghost"),
        ("entities", {"name": ""}, "$.entity.name"),
        ("entities", {}, "name"),
        ("entities", {"name": "A", "capital": 0}, "capital is 0"),
        ("entities", {"name": "A", "capital": "1e30"}, "capital is 1E+30"),
        ("entities", {"name": "A", "capital": "nan"}, "capital is NaN"),
        ("entities", {"name": "A", "since": "2020-01-02", "until": "2020-01-01"}, "not after"),
        ("entities", {"name": "A", "since": "soon"}, "$.entity.since"),
        ("entities", {"name": "A", "colour": 1}, "colour"),
        ("contracts", {"customer": "a", "supplier": "b", "purpose": "x"}, "not declared"),
        ("contracts", {"customer": "state", "supplier": "state", "purpose": "x",
                       "countries": ["XX"]}, "ISO 3166-1"),
        ("contracts", {"customer": "state", "supplier": "state", "purpose": "x",
                       "objection_days": -1}, "objection_days"),
    ],
)  # fmt: skip
def test_faulty_values(pair: Declaring, noun: str, body: Any, says: str) -> None:
    single = {"sites": "site", "entities": "entity", "contracts": "contract"}[noun]
    answer = pair.operator.put(f"{V1}/{noun}/x", {single: body})
    assert says in answer.expect(400)["message"]
    assert pair.reader.get(f"{V1}/{noun}/x").status == 404


@pytest.mark.parametrize("key", ["undeclared", "Upper", "a b", "-a", "x" * 65])
def test_ids_that_are_none(world: Declaring, key: str) -> None:
    path = f"{V1}/entities/{key.replace(' ', '%20')}"
    assert world.operator.put(path, {"entity": {"name": "A"}}).status == 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"capital": "100.01"}, "0 to 100"), ({"capital": -1}, "0 to 100"),
        ({"capital": "0.0000001"}, "6 decimals"), ({"votes": 101}, "0 to 100"),
        ({"capital": "Infinity"}, "Infinity"), ({"amount": -5}, "amount is -5"),
        ({"id": "mine"}, "given its id"), ({"since": "2021-01-01", "until": "2020-01-01"}, "not after"),
        ({"holder": "nobody"}, "nobody is not declared"),
        ({"held": "region"}, "only a company can be held"),
    ],
)  # fmt: skip
def test_faulty_holdings(pair: Declaring, body: Any, says: str) -> None:
    whole = {"holder": "state", "held": "cloud", **body}
    answer = pair.operator.post(f"{V1}/holdings", {"holding": whole})
    assert says in answer.expect(400)["message"]
    assert pair.reader.get(f"{V1}/holdings").expect(200)["holdings"] == []


def test_what_is_needed_is_not_deleted(pair: Declaring) -> None:
    held = pair.hold("state", "cloud", 100)
    pair.site("paris", operator="cloud")
    pair.entity("helpdesk")
    pair.contract("help", "cloud", "helpdesk")
    for key in ("state", "cloud", "helpdesk"):
        answer = pair.operator.delete(f"{V1}/entities/{key}")
        assert "while it is needed" in answer.expect(409)["message"]
    assert (
        "where this host stands" in pair.operator.delete(f"{V1}/sites/local").expect(409)["message"]
    )
    for path in ("contracts/help", "sites/paris", f"holdings/{held}", "entities/cloud"):
        assert pair.operator.delete(f"{V1}/{path}").status == 204


def test_an_operator_is_not_dissolved_while_it_runs_a_site(pair: Declaring) -> None:
    pair.site("paris", operator="cloud")
    body = {"entity": {"name": "cloud", "country": "FR", "capital": 1000, "until": "2020-01-01"}}
    answer = pair.operator.put(f"{V1}/entities/cloud", body)
    assert "its operator cloud" in answer.expect(409)["message"]


def test_a_host_is_at_one_site(pair: Declaring) -> None:
    pair.site("paris", hosts=["h1"])
    body = {"site": {"hosts": ["h1"]}}
    answer = pair.operator.put(f"{V1}/sites/lyon", body)
    assert "it is at one" in answer.expect(409)["message"]
