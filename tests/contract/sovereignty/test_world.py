"""The declared world over HTTP: who may write it, what it answers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from andromede.sovereignty import generation
from andromede.sovereignty.log.leaves import leaf
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.harness import TestCloud, caller

SITE = {
    "name": "paris-1", "region": "RegionOne", "country": "FR", "place": "Val-de-Reuil",
    "latitude": 49.27, "longitude": 1.21, "operator": "cloudwatt", "hosts": ["h1", "h2"],
    "networks": ["192.0.2.0/24", "2001:db8::/32"],
    "certificates": [
        {
            "scheme": "SecNumCloud 3.2", "number": "42", "issuer": "ANSSI",
            "since": "2026-01-01", "until": "2029-01-01",
        }
    ],
    "former": [],
}  # fmt: skip


def mark(cloud: TestCloud) -> str:
    with cloud.database.read() as connection:
        return generation.read(connection)


def test_the_first_site_is_this_hosts(world: Declaring) -> None:
    (site,) = world.reader.get(f"{V1}/sites").expect(200)["sites"]
    assert (site["name"], site["country"], site["operator"]) == (
        "local", "undeclared", "undeclared",
    )  # fmt: skip
    told = world.exposures("local", noun="sites")
    assert told["exposures"] == []
    assert told["undeclared"] == [
        "nobody declared where site local is", "nobody declared who it is",
    ]  # fmt: skip


def test_a_site_is_declared_replaced_and_taken_back(world: Declaring) -> None:
    world.entity("cloudwatt")
    path = f"{V1}/sites/paris-1"
    first = world.operator.put(path, {"site": SITE})
    assert first.expect(201)["site"] == SITE
    assert world.reader.get(path).expect(200)["site"] == SITE
    again = {"country": "FR", "operator": "cloudwatt"}
    assert world.operator.put(path, {"site": again}).expect(200)["site"]["hosts"] == []
    assert world.operator.delete(path).status == 204
    assert world.reader.get(path).status == 404
    assert world.operator.delete(path).status == 404


@pytest.mark.parametrize("noun", ["sites", "entities", "contracts", "holdings"])
def test_only_operators_write(declared_cloud: TestCloud, world: Declaring, noun: str) -> None:
    manager = declared_cloud.as_(caller("manager"))
    single = {"entities": "entity"}.get(noun, noun.removesuffix("s"))
    bodies = {
        "site": {"country": "FR"}, "entity": {"name": "A"},
        "contract": {"customer": "a", "supplier": "b", "purpose": "x"},
        "holding": {"holder": "a", "held": "b"},
    }  # fmt: skip
    body = {single: bodies[single]}
    if noun == "holdings":
        assert manager.post(f"{V1}/holdings", body).status == 403
        assert manager.patch(f"{V1}/holdings/x", {"holding": {"until": "2020-01-01"}}).status == 403
    else:
        assert manager.put(f"{V1}/{noun}/x", body).status == 403
    assert manager.delete(f"{V1}/{noun}/x").status == 403
    assert manager.put(f"{V1}/world", {"world": {}}).status == 403
    assert manager.get(f"{V1}/{noun}").status == 200
    assert declared_cloud.as_().get(f"{V1}/{noun}").status == 401
    assert world.reader.get(f"{V1}/{noun}/nothing").status == 404
    assert world.operator.delete(f"{V1}/{noun}/nothing").status == 404


def test_lists_are_paged(world: Declaring) -> None:
    for key in ("a", "b", "c"):
        world.entity(key)
    first = world.reader.get(f"{V1}/entities?limit=2").expect(200)
    assert [each["id"] for each in first["entities"]] == ["a", "b"]
    href = first["entities_links"][0]["href"]
    rest = world.reader.get(href.partition(":8443")[2]).expect(200)
    assert [each["id"] for each in rest["entities"]] == ["c"]
    assert "entities_links" not in rest
    assert world.reader.get(f"{V1}/entities?limit=0").expect(200) == {"entities": []}
    assert world.reader.get(f"{V1}/entities?limit=x").status == 400


def test_a_holding_begins_and_ends(world: Declaring) -> None:
    world.entity("state", kind="public-body")
    world.entity("cloud")
    first = world.hold("state", "cloud", 100, source="the press of the day")
    world.end(first, "2020-01-01")
    assert world.reader.get(f"{V1}/holdings/{first}").expect(200)["holding"] == {
        "holder": "state", "held": "cloud", "id": first, "since": None, "until": "2020-01-01",
        "capital": "100", "amount": None, "votes": None, "veto": False, "board": False,
        "source": "the press of the day",
    }  # fmt: skip
    assert world.verdict("cloud", "2019-12-31") == "shown"
    assert world.verdict("cloud", "2020-01-01") == "not-shown"
    world.hold("state", "cloud", 100, since="2020-01-01")
    assert world.verdict("cloud", "2020-01-01") == "shown"
    answer = world.operator.patch(f"{V1}/holdings/none", {"holding": {"until": "2020-01-01"}})
    assert answer.status == 404


def test_every_change_is_a_leaf_for_everyone(declared_cloud: TestCloud, world: Declaring) -> None:
    before = mark(declared_cloud)
    world.entity("cloud")
    after = mark(declared_cloud)
    assert after != before
    world.entity("cloud", "DE")
    assert mark(declared_cloud) not in (before, after)
    with declared_cloud.database.read() as connection:
        rows = connection.execute(sa.select(leaf).order_by(leaf.c.arrival)).mappings().all()
    assert [(row["action"], row["subject"], row["project_id"]) for row in rows] == [
        ("sovereignty:entity:declare", "cloud", "*")
    ] * 2
    assert rows[1]["detail"]["before"]["country"] == "FR"
    assert rows[1]["detail"]["after"]["country"] == "DE"


def test_what_changes_nothing_leaves_the_generation(
    declared_cloud: TestCloud, world: Declaring
) -> None:
    world.entity("cloud")
    before = mark(declared_cloud)
    world.entity("cloud")
    assert mark(declared_cloud) == before


def test_the_whole_world_is_replaced_at_once(declared_cloud: TestCloud, world: Declaring) -> None:
    world.entity("old")
    document: dict[str, Any] = {
        "sites": [{"name": "local", "country": "FR", "operator": "cloud"}],
        "entities": [
            {"id": "cloud", "name": "Cloud", "country": "FR"},
            {"id": "state", "name": "State", "country": "FR", "kind": "public-body"},
        ],
        "holdings": [{"holder": "state", "held": "cloud", "capital": 100}],
    }
    path = f"{V1}/world"
    first = world.operator.put(path, {"world": document}).expect(200)["world"]
    assert world.reader.get(path).expect(200)["world"] == first
    assert first["holdings"][0]["id"]
    assert world.reader.get(f"{V1}/entities/old").status == 404
    assert world.verdict("cloud") == "shown"
    before = mark(declared_cloud)
    again = world.operator.put(path, {"world": document}).expect(200)["world"]
    assert again == first  # holdings keep their ids
    assert mark(declared_cloud) == before
    with declared_cloud.database.read() as connection:
        details = connection.execute(sa.select(leaf.c.detail).order_by(leaf.c.arrival)).scalars()
        told = list(details)[1]
    assert told["entities"] == {"added": ["cloud", "state"], "removed": ["old"]}
    assert told["sites"] == {"changed": ["local"]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"entities": [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}]}, "entity a"),
        ({"entities": [{"name": "A"}]}, "no id"),
        ({"sites": [{"country": "FR"}]}, "no name"),
        ({"sites": []}, "where this host stands"),
        ({"holdings": [{"holder": "a", "held": "b"}]}, "not declared"),
        ({"colour": []}, "colour"),
    ],
)
def test_a_faulty_document_changes_nothing(
    declared_cloud: TestCloud, world: Declaring, change: dict[str, Any], says: str
) -> None:
    before = mark(declared_cloud)
    document = {"sites": [{"name": "local"}], **change}
    answer = world.operator.put(f"{V1}/world", {"world": document})
    assert says in answer.expect(400)["message"]
    assert mark(declared_cloud) == before
