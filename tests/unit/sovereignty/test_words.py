"""Sentences in two languages: every reason that a verdict, a law or a rule can give is French in
French, and set as French is printed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from andromede.sovereignty import words
from andromede.sovereignty.policy import decide, merge
from andromede.sovereignty.policy.decide import Destination
from andromede.sovereignty.policy.merge import Effective, Layer
from andromede.sovereignty.policy.model import DEFAULTS, Keys, Policy, SupplierAccess
from andromede.sovereignty.words import Text, join, percentage, text, typeset
from andromede.sovereignty.world import facts
from andromede.sovereignty.world.model import Contract, Data, Site
from andromede.sovereignty.world.verdict import judge
from tests.french import english, unprinted
from tests.unit.sovereignty.worlds import entity, holding, public, world

DAY = date(2026, 1, 1)


def test_french_is_set_as_it_is_printed() -> None:
    assert typeset("C'est « lu » : 24 % ; quoi ?") == (
        "C\u2019est «\u00a0lu\u00a0»\u00a0: 24\u00a0%\u00a0; quoi\u00a0?"
    )
    assert typeset("--key 'abc'") == "--key 'abc'"


@pytest.mark.parametrize(
    ("name", "said"),
    [("acme", "d\u2019acme"), ("Éole", "d\u2019Éole"), ("orange", "d\u2019orange"),
     ("cloud", "de cloud"), ("7e", "de 7e"), ("", "de ")],
)  # fmt: skip
def test_de_is_elided_before_a_vowel(name: str, said: str) -> None:
    assert text("of {who}", "de {who}", who=name) == Text(f"of {name}", said)


def test_values_are_told_in_the_language_and_left_as_they_are() -> None:
    told = text("{share} : {why}", "{share} : {why}", share=percentage("2.5"), why="l'a : {x}")
    assert told == Text("2.5 % : l'a : {x}", "2,5\u00a0%\u00a0: l'a : {x}")
    assert told.in_("fr") == told.fr
    assert told.in_("de") == told.en
    assert join([Text("a", "b"), Text("c", "d")], words.AND) == Text("a and c", "b et d")


def worst() -> facts.Facts:
    """A world with every fault that a verdict tells, and every way by which a law reaches."""
    return facts.compute(
        world(
            entity("op", establishments=("GB",)), entity("giant", "US", establishments=("CA",)),
            entity("fund", "US"), entity("arm", "CA"), entity("veto", administration="CH"),
            entity("torn", "undeclared"), entity("acme", "US"), entity("ours"), public("state"),
            entity("held", establishment="US"), entity("master"), entity("split"),
            entity("seated", administration="undeclared"), entity("based", establishment="undeclared"),
            entity("good"), entity("second", "US"),
            holding("giant", "op", 60), holding("fund", "op", 5, votes=Decimal(30)),
            holding("torn", "op", 10), holding("veto", "op", 1, veto=True, board=True),
            holding("giant", "ours", 20, board=True), holding("ours", "held", 90, veto=True),
            holding("giant", "arm", 100), holding("master", "split", 70), holding("op", "master", 55),
            holding("state", "seated", 100), holding("state", "based", 100),
            holding("state", "good", 100), holding("fund", "split", 20),
            holding("second", "split", 10),
            contracts={
                "help": Contract(id="help", customer="op", supplier="acme", purpose="help",
                                 data=Data.ACCESS, countries=("IN", "US")),
            },
            sites={
                "bad": Site(name="bad", country="US", operator="op"),
                "nowhere": Site(name="nowhere", operator="torn"),
                "noone": Site(name="noone", country="FR"),
                "good": Site(name="good", country="FR", operator="good"),
            },
        ),
        "mark", DAY,
    )  # fmt: skip


def told(known: facts.Facts) -> Iterator[Text]:
    """Everything that verdicts, laws and what is missing say."""
    for each in (*known.entities.values(), *known.sites.values(), known.site("unheard")):
        yield from (reason.text for reason in each.verdict.reasons)
        yield from (exposure.why for exposure in each.exposures)
        yield from each.undeclared
    yield from (reason.text for reason in judge(known.analysis, "ghost").reasons)


POLICIES: list[Any] = [
    Policy(allowed_sites=("good",)),
    Policy(allowed_countries=("FR",)),
    Policy(refused_jurisdictions=("CA", "US")),
    Policy(required_keys=Keys.CUSTOMER),
    Policy(backup_elsewhere=True),
    Policy(supplier_access=SupplierAccess.EU),
]


def refused(known: facts.Facts) -> Iterator[decide.Refusal]:
    """Every rule's refusals."""
    limits = [
        Effective(individual_percent=Decimal(24)), Effective(together_percent=Decimal("38.5")),
        Effective(shown_required=True),
    ]  # fmt: skip
    layers = [Layer(scope=scope, policy=each) for each in POLICIES for scope in ("cloud", DEFAULTS)]
    for policy in (*limits, *(merge.merge([each]) for each in layers)):
        for site in ("bad", "nowhere", "noone", "unheard", "good"):
            for keys in (Keys.NONE, Keys.CLOUD):
                to = Destination(site=site, keys=keys, origin_site=site)
                yield from decide.refusals(policy, known, to)
        for holder in ("acme", "torn", "unheard"):
            yield from decide.refusals(policy, known, Destination(site="", holder=holder))


def test_every_reason_is_told_in_french() -> None:
    known = worst()
    found = set(told(known))
    rules = list(refused(known))
    found |= {part for each in rules for part in (each.why, each.where)}
    assert {each.rule for each in rules} == {
        "allowed_sites", "allowed_countries", "refused_jurisdictions", "required_keys",
        "backup_elsewhere", "supplier_access", "ownership.individual_percent",
        "ownership.together_percent", "ownership.shown_required",
    }  # fmt: skip
    codes = {
        reason.code for each in (*known.entities.values(), *known.sites.values(), known.site("x"))
        for reason in each.verdict.reasons
    }  # fmt: skip
    assert codes == {
        "seat-outside", "administration-outside", "establishment-outside", "individual-above",
        "together-above", "veto", "board", "controlled", "seat-undeclared", "owners-undeclared",
        "entity-undeclared", "site-undeclared", "within-thresholds",
    }  # fmt: skip
    ways = {each.way for one in known.entities.values() for each in one.exposures}
    assert ways == {"seat", "establishment", "controlled", "holder", "place"}
    names = [*known.entities, *known.sites, "ghost", "allowed_sites", "ownership.shown_required"]
    for each in found:
        assert each.en != each.fr, each
        assert english(each.fr, names) == [], each.fr
        assert unprinted(each.fr) == [], each.fr
        assert "None" not in each.fr + each.en, each


def test_english_in_french_is_seen() -> None:
    assert english("le siège of acme est ici") == ["of"]
    assert english("the-site est un site, on le sait", ["the-site"]) == []
    assert english("règle a0320352-bedb156987b4", ["db"]) == []
    assert unprinted("oui : l'un") == ["oui : l'un", "oui : l'un"]
