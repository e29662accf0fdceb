"""The declared world as a document: TOML and back, and which ids its holdings get."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.sovereignty.world.change import slug
from andromede.sovereignty.world.check import FaultyWorld
from andromede.sovereignty.world.document import (
    Document,
    of_world,
    read_toml,
    to_world,
    write_toml,
)
from andromede.sovereignty.world.model import (
    Certificate,
    Contract,
    Data,
    Entity,
    Holding,
    Kind,
    Site,
    World,
)

DAYS = st.none() | st.dates()
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
SHARES = st.none() | st.decimals(0, 100, places=6)

certificates = st.builds(Certificate, scheme=TEXTS, number=TEXTS, since=DAYS, until=DAYS)
sites = st.builds(
    Site,
    name=st.just("paris"),
    place=TEXTS,
    latitude=st.none() | st.floats(-90, 90),
    hosts=st.lists(TEXTS.filter(bool), max_size=2).map(tuple),
    certificates=st.lists(certificates, max_size=2).map(tuple),
)
entities = st.builds(
    Entity, id=st.just("a"), name=TEXTS.filter(bool), kind=st.sampled_from(Kind), since=DAYS,
    capital=st.none() | st.decimals(1, 10**15, places=2),
)  # fmt: skip
holdings = st.builds(
    Holding, id=st.just("h"), holder=st.just("a"), held=st.just("a"), capital=SHARES,
    votes=SHARES, veto=st.booleans(), since=DAYS, until=DAYS, source=TEXTS,
)  # fmt: skip
contracts = st.builds(
    Contract, id=st.just("c"), customer=st.just("a"), supplier=st.just("a"), purpose=TEXTS,
    data=st.sampled_from(Data), objection_days=st.integers(0, 366),
)  # fmt: skip


@given(sites, entities, holdings, contracts)
def test_toml_says_all_of_a_document(
    site: Site, entity: Entity, holding: Holding, contract: Contract
) -> None:
    document = Document(
        sites=(site,), entities=(entity,), holdings=(holding,), contracts=(contract,)
    )
    assert read_toml(write_toml(document)) == document
    assert msgspec.json.decode(msgspec.json.encode(document), type=Document) == document
    assert of_world(to_world(document, World())) == document


def test_percentages_are_kept_as_they_were_written() -> None:
    text = '[[holdings]]\nholder = "a"\nheld = "b"\ncapital = 44.40\nsince = 2012-09-06\n'
    (holding,) = read_toml(text).holdings
    assert str(holding.capital) == "44.40"
    assert holding.since == date(2012, 9, 6)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[sites]\n", "line 1"),
        ('[[sites]]\ncolour = "red"\n', "colour"),
        ("[[sites]]\nlatitude = 91\n", "sites[0].latitude"),
        ('[[holdings]]\nholder = "a"\n', "held"),
        ("[[entities]]\nname = 3\n", "entities[0].name"),
    ],
)
def test_faulty_toml_is_refused_by_its_place(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".*") as refused:
        read_toml(text)
    assert says in str(refused.value)


def test_holdings_keep_the_ids_of_what_is_declared_already() -> None:
    held = Holding(holder="a", held="b", id="known", capital=Decimal(10))
    before = World(holdings={"known": held})
    again = Document(holdings=(msgspec.structs.replace(held, id="", capital=Decimal(20)),))
    assert list(to_world(again, before).holdings) == ["known"]
    later = Document(holdings=(Holding(holder="a", held="b", since=date(2020, 1, 1)),))
    (fresh,) = to_world(later, before).holdings
    assert fresh not in ("", "known")


def test_two_of_one_id_are_refused() -> None:
    entity = Entity(id="a", name="A")
    with pytest.raises(FaultyWorld, match="two declarations of entity a"):
        to_world(Document(entities=(entity, entity)), World())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Société Générale", "societe-generale"), ("  A & B, Ltd. ", "a-b-ltd"),
        ("日本", "operator"), ("x" * 80, "x" * 64),
    ],
)  # fmt: skip
def test_an_operators_id_is_made_of_its_name(name: str, key: str) -> None:
    assert slug(name) == key
