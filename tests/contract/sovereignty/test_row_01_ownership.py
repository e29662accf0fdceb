"""Row 1 (SecNumCloud 19.6.b): non-EU capital or votes at most 24 % each and 39 % together."""

from __future__ import annotations

import pytest

from tests.contract.sovereignty.declaring import Declaring


def target(world: Declaring, *foreign: object, right: str = "capital") -> None:
    """A company that non-EU owners hold so much of, and the State the rest."""
    world.entity("state", kind="public-body")
    world.entity("cloud")
    rest = 100.0
    for at, share in enumerate(foreign):
        world.entity(f"fund-{at}", "US", "holders" if at % 2 else "company")
        world.hold(f"fund-{at}", "cloud", *([share] if right == "capital" else [0]),
                   **({} if right == "capital" else {"votes": share}))  # fmt: skip
        rest -= float(str(share))
    whole = f"{rest:.6f}"
    world.hold("state", "cloud", whole if right == "capital" else 100,
               **({} if right == "capital" else {"votes": whole}))  # fmt: skip


@pytest.mark.parametrize("right", ["capital", "votes"])
@pytest.mark.parametrize(
    ("share", "verdict"), [("24.00", "shown"), (24, "shown"), ("24.01", "failed"), (25.5, "failed")]
)
def test_one_owner(world: Declaring, right: str, share: object, verdict: str) -> None:
    target(world, share, right=right)
    assert world.verdict("cloud") == verdict
    if verdict == "failed":
        assert world.codes("cloud") == ["individual-above"]


@pytest.mark.parametrize("right", ["capital", "votes"])
@pytest.mark.parametrize(("last", "verdict"), [("0", "shown"), ("0.01", "failed")])
def test_all_of_them(world: Declaring, right: str, last: str, verdict: str) -> None:
    target(world, 13, 13, 13, last, right=right)
    shown = world.ownership("cloud")["verdict"]
    assert shown["outcome"] == verdict
    assert shown["non_eu_together"] == ("39" if verdict == "shown" else "39.01")
    assert shown["non_eu_individual"] == "13"
    assert [each["code"] for each in shown["reasons"]] == [
        "within-thresholds" if verdict == "shown" else "together-above"
    ]


def chain(world: Declaring, first: object, second: object) -> None:
    world.entity("state", kind="public-body")
    world.entity("giant", "US")
    for company in ("parent", "cloud"):
        world.entity(company)
    world.hold("giant", "parent", first)
    world.hold("state", "parent", 100 - float(str(first)))
    world.hold("parent", "cloud", second)
    world.hold("state", "cloud", 100 - float(str(second)))


@pytest.mark.parametrize(
    ("first", "second", "share", "verdict"),
    [(48, 50, "24", "shown"), (49, 50, "24.5", "failed"), (40, 40, "16", "shown")],
)
def test_chains_multiply(
    world: Declaring, first: object, second: object, share: str, verdict: str
) -> None:
    chain(world, first, second)
    shown = world.ownership("cloud")
    assert shown["verdict"]["outcome"] == verdict
    assert shown["verdict"]["non_eu_individual"] == share
    giant = next(each for each in shown["owners"] if each["entity"] == "giant")
    assert (giant["capital"], giant["direct_capital"], giant["outside_eu"]) == (share, None, True)


def test_a_chain_of_majorities_fails_below_any_threshold(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("giant", "US")
    for owner, company in (("giant", "a"), ("a", "b"), ("b", "cloud")):
        world.entity(company)
        world.hold(owner, company, "0.1", votes=51)
        world.hold("state", company, "99.9", votes=49)
    assert "controlled" in world.codes("cloud")
    assert world.verdict("cloud") == "failed"
    giant = next(e for e in world.ownership("cloud")["owners"] if e["entity"] == "giant")
    assert giant["controls"] == ["cloud", "b", "a", "giant"]


def test_cycles_converge(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("fund", "US")
    for company in ("a", "b"):
        world.entity(company)
    world.hold("b", "a", 50)
    world.hold("state", "a", 50)
    world.hold("a", "b", 50)
    world.hold("fund", "b", 36)
    world.hold("state", "b", 14)
    owners = {each["entity"]: each["capital"] for each in world.ownership("a")["owners"]}
    assert owners == {"state": "76", "b": "50", "fund": "24"}
    assert world.verdict("a") == "shown"
    assert world.ownership("b")["verdict"]["non_eu_individual"] == "48"
    assert world.verdict("b") == "failed"


def test_the_undeclared_is_never_guessed(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("cloud")
    assert world.codes("cloud") == ["owners-undeclared"]
    world.hold("state", "cloud", "99.9")
    shown = world.ownership("cloud")
    assert shown["verdict"]["outcome"] == "not-shown"
    assert shown["undeclared_capital"] == "0.1"
    assert "0.1 % of cloud" in shown["undeclared"][0]
    world.entity("stranger", "undeclared", "holders")
    world.hold("stranger", "cloud", "0.1")
    assert world.codes("cloud") == ["seat-undeclared"]
    world.entity("stranger", "EU", "holders")
    assert world.verdict("cloud") == "shown"


def test_membership_of_the_union_is_by_date(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("crown", "GB", "public-body")
    world.entity("cloud")
    world.hold("crown", "cloud", 30)
    world.hold("state", "cloud", 70)
    assert world.verdict("cloud", "2020-01-31") == "shown"
    assert world.verdict("cloud", "2020-02-01") == "failed"
