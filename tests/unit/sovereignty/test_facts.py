"""Facts are kept for a generation of the world and a stretch of days, and never outlive either."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from andromede import clock
from andromede.config import Place
from andromede.db import Connection
from andromede.sovereignty import generation
from andromede.sovereignty.world import facts, store
from andromede.sovereignty.world.change import seed
from andromede.sovereignty.world.model import Site, World
from andromede.sovereignty.world.verdict import Outcome
from tests.harness import TestCloud
from tests.policies import set_allowed_sites
from tests.unit.sovereignty.worlds import entity, holding, public, world


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [])
    yield cloud
    cloud.close()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days for which anything was computed."""
    days: list[date] = []
    plainly = facts.compute

    def compute(world: World, mark: str, day: date) -> Any:
        days.append(day)
        return plainly(world, mark, day)

    monkeypatch.setattr(facts, "compute", compute)
    return days


def keep(cloud: TestCloud, *parts: Any) -> None:
    after = world(*parts, sites={"local": Site(name="local", country="FR", operator="a")})
    cloud.database.transact(lambda c: store.save(c, store.load(c), after))


def ask(cloud: TestCloud, day: date) -> facts.Facts:
    with cloud.database.read() as connection:
        return facts.current(connection, day)


def test_a_stretch_is_computed_once(cloud: TestCloud, computed: list[date]) -> None:
    keep(cloud, entity("a"), public("b"), holding("b", "a", 100, since=date(2022, 3, 1)))
    for at in range(300):
        found = ask(cloud, date(2022, 3, 1) + timedelta(at))
        assert found.date == date(2022, 3, 1) + timedelta(at)
        assert found.entities["a"].verdict.shown
    assert computed == [date(2022, 3, 1)]
    assert ask(cloud, date(2022, 2, 28)).entities["a"].verdict.outcome is Outcome.NOT_SHOWN
    assert len(computed) == 2


def test_a_change_is_seen_at_once_and_a_lost_one_never(
    cloud: TestCloud, computed: list[date]
) -> None:
    keep(cloud, entity("a"))
    today = facts.today()

    def lose(connection: Connection) -> None:
        before = store.load(connection)
        store.save(connection, before, world(entity("a", "US"), sites=dict(before.sites)))
        assert facts.current(connection, today).entities["a"].country == "US"
        raise InterruptedError

    assert ask(cloud, today).entities["a"].country == "FR"
    with pytest.raises(InterruptedError):
        cloud.database.transact(lose)
    assert ask(cloud, today).entities["a"].country == "FR"
    keep(cloud, entity("a", "DE"))
    assert ask(cloud, today).entities["a"].country == "DE"
    assert len(computed) == 3


def test_today_is_the_clocks(cloud: TestCloud) -> None:
    clock.set_source(lambda: clock.parse("2012-09-06T23:59:59Z"))
    try:
        with cloud.database.read() as connection:
            assert facts.current(connection).date == date(2012, 9, 6)
    finally:
        clock.set_source(None)


def test_facts_cost_one_statement_once_known(cloud: TestCloud) -> None:
    ask(cloud, facts.today())
    with cloud.statements() as seen:
        ask(cloud, facts.today())
    assert len(seen) == 1


def test_a_site_that_nobody_declared_is_undeclared_in_all(cloud: TestCloud) -> None:
    found = ask(cloud, facts.today()).site("elsewhere")
    assert found.verdict.outcome is Outcome.NOT_SHOWN
    assert found.country == "undeclared"
    assert [each.en for each in found.undeclared] == ["nobody declared site elsewhere"]
    assert (found.non_eu_individual, found.non_eu_together) == ("0", "0")


def test_marks_never_come_back(cloud: TestCloud) -> None:
    marks = [cloud.database.transact(generation.bump) for _ in range(3)]
    assert len(set(marks)) == 3
    with cloud.database.read() as connection:
        assert generation.read(connection) == marks[-1]


def test_the_settings_operator_is_an_entity_of_the_first_world(cloud: TestCloud) -> None:
    def make(connection: Connection) -> World:
        store.save(connection, store.load(connection), World())
        place = Place(site="paris", country="FR", operator="Société Exemple", host="h1")
        seed(connection, place)
        seed(connection, Place(site="another"))  # there is a site by now
        return store.load(connection)

    made = cloud.database.transact(make)
    assert list(made.sites) == ["paris"]
    assert made.sites["paris"].hosts == ("h1",)
    assert made.sites["paris"].operator == "societe-exemple"
    assert made.entities["societe-exemple"].name == "Société Exemple"
    assert made.entities["societe-exemple"].country == "undeclared"


def test_a_dissolved_operator_shows_nothing(cloud: TestCloud) -> None:
    keep(cloud, entity("a", until=date(2016, 1, 1)))
    found = ask(cloud, date(2016, 1, 1)).sites["local"]
    assert [each.code for each in found.verdict.reasons] == ["entity-undeclared"]
    assert found.jurisdictions == frozenset({"FR"})


def test_a_policy_alone_does_not_compute_the_world_anew(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cloud.database.read() as connection:
        before = facts.current(connection, date(2026, 1, 1))
    monkeypatch.setattr(facts, "compute", lambda *_: pytest.fail("computed anew"))
    cloud.database.transact(lambda connection: set_allowed_sites(connection, "p1", ["local"]))
    with cloud.database.read() as connection:
        after = facts.current(connection, date(2026, 1, 2))
    assert after.generation != before.generation
    assert (after.sites, after.entities) == (before.sites, before.entities)
