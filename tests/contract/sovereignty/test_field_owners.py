"""The owners of two clouds, by date, and the verdict that what was declared must give.

The shares are those of the press of the day; what no row declares stays undeclared.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sovereignty.declaring import V1, Declaring

CLOUDWATT = {
    "capital": 225_000_000, "currency": "EUR", "since": "2012-09-06", "until": "2016-01-01",
}  # fmt: skip


@pytest.fixture
def cloudwatt(world: Declaring) -> Declaring:
    world.entity("cdc", kind="public-body")
    for owner in ("orange", "thales"):
        world.entity(owner)
    world.entity("cloudwatt", **CLOUDWATT)
    thirds = (("orange", "44.4", 100), ("cdc", "33.3", 75), ("thales", "22.2", 50))
    for owner, printed, millions in thirds:
        period: dict[str, Any] = {"since": "2012-09-06", "until": "2015-03-21"}
        world.hold(owner, "cloudwatt", printed, amount=millions * 1_000_000, **period)
    world.hold("orange", "cloudwatt", 100, since="2015-03-21")
    return world


@pytest.fixture
def numergy(world: Declaring) -> Declaring:
    world.entity("cdc", kind="public-body")
    for owner in ("sfr", "vivendi", "bull", "numericable", "atos"):
        world.entity(owner)
    world.entity("numergy", since="2012-09-05")
    world.hold("cdc", "numergy", 33, since="2012-09-05", until="2015-06-01")
    for owner in ("sfr", "bull"):  # the split between them was never declared
        world.hold(owner, "numergy", since="2012-09-05", until="2015-06-01")
    world.hold("vivendi", "sfr", 100, until="2014-11-27")
    world.hold("numericable", "sfr", 100, since="2014-11-27")
    world.hold("atos", "bull", 100, since="2014-08-18")
    world.hold("sfr", "numergy", 100, since="2015-06-01")
    return world


def held_in_the_union(world: Declaring, *companies: str) -> None:
    """Declare each company's owners as dispersed holders within the Union."""
    for company in companies:
        world.entity(f"holders-of-{company}", "EU", "holders")
        world.hold(f"holders-of-{company}", company, 100)


def test_numergy_2012_is_not_shown(numergy: Declaring) -> None:
    told = numergy.ownership("numergy", "2012-09-05")
    assert told["verdict"]["outcome"] == "not-shown"
    assert told["undeclared_capital"] == "67"
    assert {each["entity"] for each in told["owners"]} == {"cdc", "sfr", "bull"}
    held_in_the_union(numergy, "vivendi")
    assert numergy.verdict("numergy", "2012-09-05") == "not-shown"


def test_cloudwatt_2012_by_its_amounts(cloudwatt: Declaring) -> None:
    told = cloudwatt.ownership("cloudwatt", "2012-09-06")
    assert told["undeclared_capital"] == "0"
    assert {each["entity"]: each["capital"] for each in told["owners"]} == {
        "orange": "44.444444", "cdc": "33.333333", "thales": "22.222222",
    }  # fmt: skip
    assert told["verdict"]["outcome"] == "not-shown"
    assert [each["entity"] for each in told["verdict"]["reasons"]] == ["orange", "thales"]
    held_in_the_union(cloudwatt, "orange")
    assert cloudwatt.verdict("cloudwatt", "2012-09-06") == "not-shown"
    held_in_the_union(cloudwatt, "thales")
    assert cloudwatt.verdict("cloudwatt", "2012-09-06") == "shown"


@pytest.mark.parametrize("day", ["2014-08-18", "2014-12-31", "2015-03-01", "2015-12-31"])
def test_numergy_2014_and_2015_is_not_shown(numergy: Declaring, day: str) -> None:
    assert numergy.verdict("numergy", day) == "not-shown"


def test_sfr_passes_from_vivendi_to_numericable(numergy: Declaring) -> None:
    def owners(day: str) -> set[str]:
        return {each["entity"] for each in numergy.ownership("sfr", day)["owners"]}

    assert owners("2014-11-26") == {"vivendi"}
    assert owners("2014-11-27") == {"numericable"}


def test_cloudwatt_2015_is_not_shown_until_oranges_owners_are(cloudwatt: Declaring) -> None:
    assert cloudwatt.verdict("cloudwatt", "2015-03-21") == "not-shown"
    held_in_the_union(cloudwatt, "orange")
    assert cloudwatt.verdict("cloudwatt", "2015-03-21") == "shown"


def test_cloudwatt_2016_is_dissolved_and_the_service_goes_on(cloudwatt: Declaring) -> None:
    cloudwatt.entity("orange-cloud", since="2010-01-01")
    cloudwatt.hold("orange", "orange-cloud", 100)
    gone = cloudwatt.reader.get(f"{V1}/entities/cloudwatt/ownership?date=2016-01-01")
    assert "could not be found on 2016-01-01" in gone.expect(404)["message"]
    assert cloudwatt.verdict("cloudwatt", "2015-12-31") == "not-shown"
    body = {"site": {"country": "FR", "operator": "cloudwatt"}}
    refused = cloudwatt.operator.put(f"{V1}/sites/val-de-reuil", body).expect(409)
    assert "dissolved on 2016-01-01" in refused["message"]
    cloudwatt.site("val-de-reuil", operator="orange-cloud")
    cloudwatt.contract("ministry", "cdc", "orange-cloud", since="2016-01-01")
    late = {"customer": "cdc", "supplier": "cloudwatt", "purpose": "x", "since": "2016-01-01"}
    answer = cloudwatt.operator.put(f"{V1}/contracts/late", {"contract": late})
    assert "dissolved on 2016-01-01" in answer.expect(409)["message"]


def test_a_quarter_bought_by_a_company_of_the_united_states(world: Declaring) -> None:
    world.entity("cdc", kind="public-body")
    world.entity("giant", "US")
    world.entity("cloudwatt")
    world.hold("cdc", "cloudwatt", 75)
    world.hold("giant", "cloudwatt", 25)
    world.site("val-de-reuil", operator="cloudwatt")
    assert world.codes("cloudwatt") == ["individual-above"]
    assert world.verdict("cloudwatt") == "failed"
    reached = world.exposures("val-de-reuil", noun="sites")
    cloud_act = next(each for each in reached["exposures"] if each["law"] == "us-cloud-act")
    assert cloud_act["path"] == ["cloudwatt", "giant"]
    assert cloud_act["way"] == "holder"
    assert "US" in reached["jurisdictions"]


def test_three_funds_of_thirteen_and_a_hundredth_more(world: Declaring) -> None:
    world.entity("numergy")
    for at in range(3):
        world.entity(f"fund-{at}", "US")
        world.hold(f"fund-{at}", "numergy", 13)
    assert world.verdict("numergy") == "not-shown"
    world.entity("fund-3", "SG")
    world.hold("fund-3", "numergy", "0.01")
    assert world.codes("numergy")[0] == "together-above"
    assert world.verdict("numergy") == "failed"


@pytest.mark.parametrize("company", ["cloudwatt", "numergy"])
def test_a_veto_of_one_percent(world: Declaring, company: str) -> None:
    world.entity("cdc", kind="public-body")
    world.entity("fund", "US")
    world.entity(company)
    world.hold("cdc", company, 99)
    world.hold("fund", company, 1, veto=True)
    assert world.verdict(company) == "failed"


def test_the_places_own_laws_count_too(world: Declaring) -> None:
    world.entity("cdc", kind="public-body")
    world.site("val-de-reuil", operator="cdc")
    assert "fr-lpm-20" in world.laws("val-de-reuil", "2015-03-01", "sites")
    assert "fr-csi-851" not in world.laws("val-de-reuil", "2015-03-01", "sites")
    now = world.laws("val-de-reuil", "2016-03-01", "sites")
    assert {"fr-csi-851", "fr-cpp-60-1"} <= now
    assert "fr-lpm-20" not in now
    assert world.exposures("val-de-reuil", "2016-03-01", "sites")["jurisdictions"] == ["FR"]
