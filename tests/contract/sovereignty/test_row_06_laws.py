"""Row 6 (S5.3.d, HDS 30, SOV-2.2): the laws, domestic and extraterritorial, that reach each entity."""

from __future__ import annotations

import pytest

from tests.contract.sovereignty.declaring import V1, Declaring

CLOUD_ACT = "us-cloud-act"


@pytest.fixture
def owned(world: Declaring) -> Declaring:
    world.entity("state", kind="public-body")
    world.entity("cloud")
    world.hold("state", "cloud", 100)
    world.site("paris", operator="cloud")
    return world


def test_a_french_cloud_is_reached_by_french_and_european_law_only(owned: Declaring) -> None:
    laws = owned.laws("cloud", "2026-09-01")
    assert laws
    assert all(each.startswith(("fr-", "eu-")) for each in laws)
    assert "eu-e-evidence" not in owned.laws("cloud", "2026-08-17")


@pytest.mark.parametrize(("country", "law"), [("US", CLOUD_ACT), ("CA", "ca-production-order")])
def test_a_subsidiary_adds_the_exposure(owned: Declaring, country: str, law: str) -> None:
    assert law not in owned.laws("paris", noun="sites")
    owned.entity("subsidiary", country)
    owned.hold("cloud", "subsidiary", 60)
    reached = owned.exposures("paris", noun="sites")
    found = next(each for each in reached["exposures"] if each["law"] == law)
    assert found["way"] == "establishment"
    assert found["path"] == ["cloud", "subsidiary"]
    assert country in reached["jurisdictions"]


def test_a_minority_abroad_adds_nothing_and_a_branch_does(owned: Declaring) -> None:
    owned.entity("venture", "US")
    owned.hold("cloud", "venture", 50)
    assert CLOUD_ACT not in owned.laws("cloud")
    owned.entity("cloud", establishments=["US"])
    assert CLOUD_ACT in owned.laws("cloud")


def test_a_subsidiary_of_the_parent_reaches_what_the_parent_controls(owned: Declaring) -> None:
    owned.entity("operator")
    owned.hold("cloud", "operator", 100)
    owned.entity("sister", "US")
    owned.hold("cloud", "sister", 100)
    found = next(e for e in owned.exposures("operator")["exposures"] if e["law"] == CLOUD_ACT)
    assert found["path"] == ["operator", "cloud", "sister"]
    assert found["way"] == "controlled"


def test_laws_begin_and_end(owned: Declaring) -> None:
    owned.entity("giant", "US")
    assert CLOUD_ACT not in owned.laws("giant", "2018-03-22")
    assert CLOUD_ACT in owned.laws("giant", "2018-03-23")
    assert "us-patriot-215" in owned.laws("giant", "2012-09-06")
    assert "us-patriot-215" in owned.laws("giant", "2020-03-14")
    assert "us-patriot-215" not in owned.laws("giant", "2020-03-15")


def test_a_share_counts_above_its_measure(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("giant", "US")
    world.entity("cloud")
    at_most = world.hold("giant", "cloud", 24)
    world.hold("state", "cloud", 75)
    assert CLOUD_ACT not in world.laws("cloud")
    world.operator.delete(f"{V1}/holdings/{at_most}").expect(204)
    world.hold("giant", "cloud", "24.01")
    assert CLOUD_ACT in world.laws("cloud")


def test_dispersed_holders_give_no_orders(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("float", "US", "holders")
    world.entity("cloud")
    world.hold("float", "cloud", 30)
    world.hold("state", "cloud", 70)
    assert CLOUD_ACT not in world.laws("cloud")


@pytest.mark.parametrize(
    ("data", "reached"), [("none", False), ("metadata", True), ("access", True)]
)
def test_suppliers_count_by_what_they_can_reach(owned: Declaring, data: str, reached: bool) -> None:
    owned.entity("helpdesk", "US")
    owned.contract("help", "cloud", "helpdesk", data=data, countries=["IN"])
    laws = owned.laws("paris", noun="sites")
    assert (CLOUD_ACT in laws) is reached
    assert ("in-it-69" in laws) is reached
    jurisdictions = owned.exposures("paris", noun="sites")["jurisdictions"]
    assert ("US" in jurisdictions) is reached


def test_a_suppliers_supplier_counts(owned: Declaring) -> None:
    owned.entity("helpdesk", "IE")
    owned.entity("night-shift", "US")
    owned.contract("help", "cloud", "helpdesk", data="access")
    owned.contract("nights", "helpdesk", "night-shift", data="access", until="2026-01-01")
    found = next(
        each
        for each in owned.exposures("cloud", "2025-06-01")["exposures"]
        if each["law"] == CLOUD_ACT
    )
    assert found["path"] == ["cloud", "helpdesk", "night-shift"]
    assert CLOUD_ACT not in owned.laws("cloud", "2026-01-01")


def test_territories_are_under_their_states_law(world: Declaring) -> None:
    world.entity("isle", "PR")
    assert CLOUD_ACT in world.laws("isle")
    world.site("noumea", "NC")
    assert "fr-cpp-60-1" in world.laws("noumea", noun="sites")
    assert world.exposures("noumea", noun="sites")["jurisdictions"] == ["FR"]


def test_the_list_of_laws_can_be_read_and_checked(world: Declaring) -> None:
    laws = world.reader.get(f"{V1}/laws").expect(200)["laws"]
    assert len(laws) >= 20
    assert len({each["id"] for each in laws}) == len(laws)
    for each in laws:
        assert each["article"]
        assert each["source"]
        assert set(each["summary"]) == {"en", "fr"}
        assert each["kind"] in ("domestic", "extraterritorial")
        assert each["reaches"]
        assert each["until"] is None or each["until"] > each["since"]
        assert set(each["country_name"]) == {"en", "fr"}
    patriot = next(each for each in laws if each["id"] == "us-patriot-215")
    assert patriot["in_force"] is False
    assert patriot["country_name"]["fr"] == "États-Unis"


def test_faulty_questions(world: Declaring) -> None:
    for path in ("entities/nobody/exposures", "entities/nobody/ownership", "sites/x/exposures"):
        assert world.reader.get(f"{V1}/{path}").status == 404
    for day in ("yesterday", "2012-13-01", "", "2012"):
        answer = world.reader.get(f"{V1}/sites/local/exposures?date={day}")
        assert "2012-09-05 is accepted" in answer.expect(400)["message"]
