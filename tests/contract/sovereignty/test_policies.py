"""Policies over HTTP: who sets and reads them, how they merge, what they refuse, what is faulty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.http.access import Caller
from andromede.services import identity, image, sovereignty
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.policy import store
from tests.harness import TestCloud, caller
from tests.policies import add_project

ROOT = "/sovereignty/v1/policies"
P1 = f"{ROOT}/projects/p1"


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    services = [identity.SERVICE, image.SERVICE, sovereignty.SERVICE]
    cloud = TestCloud(tmp_path, services, url=database_url, closed=True)

    def people(connection: sa.Connection) -> None:
        add_project(connection, "p1")
        add_project(connection, "nested", parent="p1")
        add_project(connection, "p2", domain_id="d2")

    cloud.database.transact(people)
    yield cloud
    cloud.close()


def operator() -> Caller:
    return caller("admin", "ops")


def put(cloud: TestCloud, scope: str, who: Caller | None = None, **policy: Any) -> Any:
    return cloud.as_(who or operator()).put(f"{ROOT}/{scope}", {"policy": policy}).expect(200)


def test_managers_set_their_own_and_members_read_it(cloud: TestCloud) -> None:
    body = {"policy": {"allowed_sites": ["paris", "lyon"]}}
    assert cloud.as_(caller("reader")).get(P1).status == 404
    assert cloud.as_(caller("member")).put(P1, body).status == 403
    made = cloud.as_(caller("manager")).put(P1, body).expect(200)
    assert (made["scope"], made["policy"]) == ("project/p1", body["policy"])
    assert cloud.as_(caller("reader")).get(P1).expect(200) == made
    assert cloud.as_(operator()).get(P1).expect(200) == made
    stranger = cloud.as_(caller("manager", "p2"))
    for answer in (stranger.get(P1), stranger.put(P1, body), stranger.delete(P1)):
        assert answer.status == 404
    assert cloud.as_(caller()).delete(P1).status == 403
    assert cloud.as_(operator()).delete(P1).status == 204
    assert cloud.as_(operator()).delete(P1).status == 404


def test_domains_and_the_cloud(cloud: TestCloud) -> None:
    domain = f"{ROOT}/domains/d2"
    body = {"policy": {"allowed_countries": ["FR"]}}
    manager = cloud.as_(caller("manager", None, domain_id="d2"))
    assert manager.put(domain, body).expect(200)["scope"] == "domain/d2"
    assert cloud.as_(caller("manager")).put(domain, body).status == 404
    assert cloud.as_(operator()).put(f"{ROOT}/domains/none", body).status == 404
    assert cloud.as_(operator()).put(f"{ROOT}/projects/none", body).status == 404
    assert manager.put(f"{ROOT}/cloud", body).status == 403
    assert put(cloud, "cloud", second_factor="off")["policy"] == {"second_factor": "off"}
    assert cloud.as_(caller("reader")).get(f"{ROOT}/cloud").expect(200)["scope"] == "cloud"
    assert manager.get(ROOT).status == 403
    listed = cloud.as_(operator()).get(ROOT).expect(200)["policies"]
    assert [each["scope"] for each in listed] == ["cloud", "domain/d2"]
    first = cloud.as_(operator()).get(f"{ROOT}?limit=1").expect(200)
    assert [each["scope"] for each in first["policies"]] == ["cloud"]
    assert "marker=cloud" in first["policies_links"][0]["href"]


def test_the_strictest_wins_and_says_where_it_was_set(cloud: TestCloud) -> None:
    put(cloud, "cloud", allowed_countries=["FR", "DE", "IT"], operator_access="open")
    put(cloud, "domains/default", allowed_countries=["FR", "DE"], required_keys="cloud")
    put(cloud, "projects/p1", refused_jurisdictions=["US"], operator_access="consent",
        ownership={"individual_percent": "24", "together_percent": 39})  # fmt: skip
    put(cloud, "projects/nested", allowed_countries=["DE", "PL"], required_keys="none",
        ownership={"individual_percent": 10}, refused_jurisdictions=["CN"])  # fmt: skip
    who = cloud.as_(caller("reader", "nested"))
    found = who.get(f"{ROOT}/projects/nested/effective").expect(200)
    assert found["scopes"] == ["cloud", "domain/default", "project/p1", "project/nested"]
    fields = found["fields"]
    assert fields["allowed_countries"]["value"] == ["DE"]
    assert set(fields["allowed_countries"]["set_at"]) == set(found["scopes"]) - {"project/p1"}
    assert fields["required_keys"] == {"value": "cloud", "set_at": ["domain/default"]}
    assert fields["individual_percent"] == {"value": "10", "set_at": ["project/nested"]}
    assert fields["together_percent"] == {"value": "39", "set_at": ["project/p1"]}
    assert fields["refused_jurisdictions"]["value"] == ["CN", "US"]
    assert fields["operator_access"] == {"value": "consent", "set_at": ["project/p1"]}
    assert fields["second_factor"] == {"value": "on", "set_at": ["the cloud's defaults"]}
    assert who.get(f"{ROOT}/projects/p1/effective").status == 404


def test_a_project_cannot_open_what_the_cloud_keeps_closed(cloud: TestCloud) -> None:
    put(cloud, "projects/p1", operator_access="open")
    found = cloud.as_(caller()).get(f"{P1}/effective").expect(200)["fields"]
    assert found["operator_access"]["value"] == "consent"


def test_a_refusal_names_rule_scope_and_what_is_accepted(cloud: TestCloud) -> None:
    put(cloud, "domains/default", allowed_sites=["lyon", "paris"])
    member = cloud.as_(caller("member", "nested"), accept="application/json")
    message = member.post("/image/v2/images", {}).expect(403)["message"]
    for part in ("allowed_sites", "domain/default", "no site of this cloud", "local", "nested"):
        assert part in message
    with cloud.database.read() as connection:
        rows = connection.execute(sa.select(leaf).where(leaf.c.status == 403)).mappings().all()
    assert [row["action"] for row in rows] == ["image:image:create"]
    assert rows[0]["detail"]["rule"] == "allowed_sites"
    assert rows[0]["detail"]["set_at"] == "domain/default"
    put(cloud, "domains/default", allowed_sites=["lyon", "local"])
    assert member.post("/image/v2/images", {}).status == 201


def test_a_change_is_a_leaf_with_both_documents(cloud: TestCloud) -> None:
    put(cloud, "projects/p1", finding_days=5)
    put(cloud, "cloud", finding_days=9)
    assert cloud.as_(operator()).delete(P1).status == 204
    with cloud.database.read() as connection:
        rows = connection.execute(sa.select(leaf).order_by(leaf.c.arrival)).mappings().all()
    assert [(row["project_id"], row["subject"]) for row in rows] == [
        ("p1", "project/p1"), ("*", "cloud"), ("p1", "project/p1"),
    ]  # fmt: skip
    assert rows[2]["detail"] == {"before": {"finding_days": 5}, "after": None}


@pytest.mark.parametrize(
    "policy",
    [
        None, "text", {"allowed_sites": "paris"}, {"allowed_sites": [""]},
        {"allowed_sites": ["a b"]}, {"allowed_sites": ["s" * 65]}, {"colour": 1},
        {"allowed_countries": ["fr"]}, {"allowed_countries": ["France"]},
        {"allowed_countries": ["ZZ"]}, {"refused_jurisdictions": ["QQ"]},
        {"required_keys": "mine"}, {"operator_access": "closed"}, {"retention_days": 182},
        {"finding_days": 0}, {"ownership": {"individual_percent": 101}},
        {"ownership": {"together_percent": "-1"}}, {"ownership": {"individual_percent": "NaN"}},
        {"ownership": {"individual_percent": "24.0000001"}}, {"ownership": {"other": 1}},
        {"second_factor": "off"}, {"administration_from": ["10.0.0.0/8"]},
    ],
)  # fmt: skip
def test_faulty_policies_change_nothing(cloud: TestCloud, policy: Any) -> None:
    answer = cloud.as_(operator()).put(P1, {"policy": policy})
    assert answer.expect(400)["message"]
    assert cloud.as_(operator()).get(P1).status == 404
    assert cloud.as_(operator()).get(ROOT).expect(200)["policies"] == []


def test_networks_of_administration_are_checked(cloud: TestCloud) -> None:
    body = {"policy": {"administration_from": ["10.0.0.1/8"]}}
    assert "10.0.0.1/8" in cloud.as_(operator()).put(f"{ROOT}/cloud", body).expect(400)["message"]
    put(cloud, "cloud", administration_from=["local", "127.0.0.0/8", "10.0.0.0/8", "fd00::/8"])


def test_what_changed_is_remembered(cloud: TestCloud) -> None:
    put(cloud, "projects/p1", finding_days=5)
    put(cloud, "projects/p1", finding_days=5)
    put(cloud, "projects/p1", finding_days=6)
    assert cloud.as_(operator()).delete(P1).status == 204
    with cloud.database.read() as connection:
        scopes = store.scopes_of(connection, "nested")
        assert scopes == ("cloud", "domain/default", "project/p1", "project/nested")
        changes = store.history(connection, scopes)
    told = [(each["scope"], each["before"], each["after"]) for each in changes]
    assert sorted(told, key=str) == sorted(
        [
            ("project/p1", {"finding_days": 6}, None),
            ("project/p1", {"finding_days": 5}, {"finding_days": 6}),
            ("project/p1", None, {"finding_days": 5}),
        ],
        key=str,
    )
    assert {each["actor"] for each in changes} == {"user-of-ops"}


def test_the_longest_retention_of_all_is_kept(cloud: TestCloud) -> None:
    with cloud.database.read() as connection:
        assert store.retention_days(connection) == (183, "the cloud's defaults")
    put(cloud, "cloud", retention_days=200)
    put(cloud, "projects/p2", retention_days=400)
    with cloud.database.read() as connection:
        assert store.retention_days(connection) == (400, "project/p2")
