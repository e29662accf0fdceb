"""Flavors: what everybody sees, what operators make, and how older clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services.compute import SERVICE, api
from tests.contract.compute.helpers import have_projects
from tests.harness import Client, TestCloud, caller

NEWEST = {"OpenStack-API-Version": "compute 2.96"}
ROOT = "/compute/v2.1/flavors"
SMALL = {"name": "small", "ram": 512, "vcpus": 1, "disk": 10}


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [SERVICE], url=database_url)
    have_projects(cloud, "p1", "p2")
    yield cloud
    cloud.close()


@pytest.fixture
def admin(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", "ops"), private=True, **NEWEST)


@pytest.fixture
def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), **NEWEST)


def make(admin: Client, **more: Any) -> dict[str, Any]:
    flavor: dict[str, Any] = admin.post(ROOT, {"flavor": {**SMALL, **more}}).expect(200)["flavor"]
    return flavor


def test_a_flavor_is_made_shown_described_and_removed(admin: Client, member: Client) -> None:
    made = make(
        admin, id="f1", description="a", swap="64", rxtx_factor="1.5",
        **{"OS-FLV-EXT-DATA:ephemeral": 3},
    )  # fmt: skip
    links = made.pop("links")
    assert made == {
        "id": "f1", "name": "small", "ram": 512, "vcpus": 1, "disk": 10, "swap": 64,
        "OS-FLV-EXT-DATA:ephemeral": 3, "OS-FLV-DISABLED:disabled": False, "rxtx_factor": 1.5,
        "os-flavor-access:is_public": True, "description": "a", "extra_specs": {},
    }  # fmt: skip
    assert links == [
        {"rel": "self", "href": "https://cloud.test:8444/compute/v2.1/flavors/f1"},
        {"rel": "bookmark", "href": "https://cloud.test:8444/compute/flavors/f1"},
    ]
    changed = admin.put(f"{ROOT}/f1", {"flavor": {"description": None}}).expect(200)
    assert changed["flavor"]["description"] is None
    assert member.get(f"{ROOT}/f1").expect(200)["flavor"]["name"] == "small"
    assert admin.delete(f"{ROOT}/f1").status == 202
    for answer in (member.get(f"{ROOT}/f1"), admin.delete(f"{ROOT}/f1"),
                   admin.put(f"{ROOT}/f1", {"flavor": {"description": "x"}})):  # fmt: skip
        message = answer.expect(404)["itemNotFound"]["message"]
        assert message == "Flavor f1 could not be found."


def test_an_id_is_given_or_made(admin: Client) -> None:
    assert len(make(admin, name="a", id=None)["id"]) == 36
    assert make(admin, name="b", id=7)["id"] == "7"


def test_a_taken_name_or_id_conflicts(admin: Client) -> None:
    make(admin, id="f1")
    by_id = admin.post(ROOT, {"flavor": {**SMALL, "name": "other", "id": "f1"}}).expect(409)
    by_name = admin.post(ROOT, {"flavor": {**SMALL, "id": "f2"}}).expect(409)
    assert by_id["conflictingRequest"]["message"] == "Flavor with ID f1 already exists."
    assert by_name["conflictingRequest"]["message"] == "Flavor with name small already exists."


@pytest.mark.parametrize(
    "change",
    [
        {"ram": 0}, {"ram": -1}, {"ram": "x"}, {"vcpus": 0}, {"vcpus": 1.5}, {"disk": -1},
        {"disk": 2**31}, {"swap": -1}, {"OS-FLV-EXT-DATA:ephemeral": "-1"}, {"name": ""},
        {"name": "a\x00b"}, {"name": " c"}, {"name": "x" * 256}, {"id": " lead"}, {"id": "a/b"},
        {"id": ""},
        {"rxtx_factor": 0}, {"rxtx_factor": "-1"}, {"rxtx_factor": "x"}, {"colour": "red"},
        {"os-flavor-access:is_public": "perhaps"}, {"description": "x" * 65_536}, {"ram": True},
    ],
)  # fmt: skip
def test_bad_flavors_are_refused_and_change_nothing(admin: Client, change: dict[str, Any]) -> None:
    admin.post(ROOT, {"flavor": {**SMALL, **change}}).expect(400)
    assert admin.get(ROOT).expect(200)["flavors"] == []


@pytest.mark.parametrize("body", [{}, {"flavor": None}, {"flavor": {"name": "a"}}, []])
def test_bad_bodies_are_refused(admin: Client, body: object) -> None:
    admin.post(ROOT, body).expect(400)


def test_only_operators_change_flavors(admin: Client, member: Client) -> None:
    make(admin, id="f1")
    for answer in (
        member.post(ROOT, {"flavor": {**SMALL, "name": "b"}}),
        member.put(f"{ROOT}/f1", {"flavor": {"description": "x"}}),
        member.delete(f"{ROOT}/f1"),
        member.post(f"{ROOT}/f1/os-extra_specs", {"extra_specs": {"a": "b"}}),
        member.post(f"{ROOT}/f1/action", {"addTenantAccess": {"tenant": "p1"}}),
        member.get(f"{ROOT}/f1/os-flavor-access"),
    ):
        assert answer.status == 403


def test_older_clients_see_and_say_less(cloud: TestCloud, admin: Client) -> None:
    make(admin, id="f1", description="d")

    def seen(version: str, path: str = "/f1") -> Any:
        who = cloud.as_(caller(), **{"X-OpenStack-Nova-API-Version": version})
        body = who.get(ROOT + path).expect(200)
        return body.get("flavor") or body["flavors"][0]

    assert seen("2.75")["swap"] == 0
    assert seen("2.74")["swap"] == ""
    assert "extra_specs" in seen("2.61")
    assert "extra_specs" not in seen("2.60", "/detail")
    assert seen("2.55")["description"] == "d"
    assert "description" not in seen("2.54")
    assert set(seen("2.54", "")) == {"id", "name", "links"}
    assert set(seen("2.55", "")) == {"id", "name", "links", "description"}
    old = cloud.as_(caller("admin"), private=True, **{"OpenStack-API-Version": "compute 2.54"})
    refused = old.post(ROOT, {"flavor": {**SMALL, "name": "b", "description": "x"}}).expect(400)
    assert "2.55" in refused["badRequest"]["message"]
    assert old.put(f"{ROOT}/f1", {"flavor": {"description": "x"}}).status == 404
    assert old.post(ROOT, {"flavor": {**SMALL, "name": "b"}}).status == 200
    assert old.post(ROOT, []).status == 400


def test_private_flavors_are_for_those_let_in(cloud: TestCloud, admin: Client) -> None:
    make(admin, id="f1", **{"os-flavor-access:is_public": False})
    one, two = (cloud.as_(caller(project=each), **NEWEST) for each in ("p1", "p2"))
    access = f"{ROOT}/f1/os-flavor-access"
    assert admin.get(access).expect(200) == {"flavor_access": []}
    assert one.get(f"{ROOT}/f1").status == 404
    added = admin.post(f"{ROOT}/f1/action", {"addTenantAccess": {"tenant": "p1"}}).expect(200)
    assert added == {"flavor_access": [{"flavor_id": "f1", "tenant_id": "p1"}]}
    assert one.get(f"{ROOT}/f1").status == 200
    assert [each["id"] for each in one.get(ROOT).expect(200)["flavors"]] == ["f1"]
    assert two.get(f"{ROOT}/f1").status == 404
    assert two.get(f"{ROOT}/f1/os-extra_specs").status == 404
    assert two.get(ROOT).expect(200)["flavors"] == []
    assert admin.post(f"{ROOT}/f1/action", {"addTenantAccess": {"tenant": "p1"}}).status == 409
    removed = admin.post(f"{ROOT}/f1/action", {"removeTenantAccess": {"tenant": "p1"}})
    assert removed.expect(200) == {"flavor_access": []}
    assert one.get(f"{ROOT}/f1").status == 404
    assert admin.post(f"{ROOT}/f1/action", {"removeTenantAccess": {"tenant": "p1"}}).status == 404
    assert admin.post(f"{ROOT}/f1/action", {"addTenantAccess": {}}).status == 400
    assert admin.post(f"{ROOT}/f1/action", {"addTenantAccess": {"tenant": "p9"}}).status == 400
    assert admin.post(f"{ROOT}/f1/action", {"explode": {}}).status == 400


def test_public_flavors_have_no_access_list(admin: Client) -> None:
    make(admin, id="f1")
    assert admin.get(f"{ROOT}/f1/os-flavor-access").status == 404
    assert admin.post(f"{ROOT}/f1/action", {"addTenantAccess": {"tenant": "p1"}}).status == 409


def test_extra_specs_are_set_read_and_removed(admin: Client, member: Client) -> None:
    make(admin, id="f1")
    specs = f"{ROOT}/f1/os-extra_specs"
    assert admin.post(specs, {"extra_specs": {"hw:a": "1", "n": 2}}).expect(200) == {
        "extra_specs": {"hw:a": "1", "n": 2}
    }
    assert member.get(specs).expect(200) == {"extra_specs": {"hw:a": "1", "n": "2"}}
    assert member.get(f"{specs}/hw:a").expect(200) == {"hw:a": "1"}
    assert admin.put(f"{specs}/n", {"n": "3"}).expect(200) == {"n": "3"}
    assert member.get(f"{ROOT}/f1").expect(200)["flavor"]["extra_specs"]["n"] == "3"
    assert admin.put(f"{specs}/n", {"m": "3"}).status == 400
    assert admin.delete(f"{specs}/n").status == 200
    assert admin.delete(f"{specs}/n").status == 404
    assert member.get(f"{specs}/n").status == 404
    assert member.get(f"{ROOT}/none/os-extra_specs").status == 404


@pytest.mark.parametrize("specs", [{"a/b": "1"}, {"a": "x" * 256}, {"a": True}, {"": "a"}, None])
def test_bad_extra_specs_are_refused(admin: Client, specs: object) -> None:
    make(admin, id="f1")
    admin.post(f"{ROOT}/f1/os-extra_specs", {"extra_specs": specs}).expect(400)
    assert admin.get(f"{ROOT}/f1/os-extra_specs").expect(200) == {"extra_specs": {}}


def test_new_clouds_have_flavors_that_stay_removed(cloud: TestCloud, admin: Client) -> None:
    for _ in range(2):
        cloud.database.transact(api.bootstrap)
    flavors = {each["id"]: each for each in admin.get(f"{ROOT}/detail").expect(200)["flavors"]}
    mandatory = (
        "1V-4 2V-8 4V-16 8V-32 1V-2 2V-4 4V-8 8V-16 16V-32 1V-8 2V-16 4V-32 1L-1 2V-4-20s "
        "4V-16-100s"
    )
    assert {f"SCS-{each}" for each in mandatory.split()} <= set(flavors)
    assert flavors["t1.tiny"]["ram"] == 128
    disk = flavors["SCS-2V-4-20s"]
    assert (disk["vcpus"], disk["ram"], disk["disk"]) == (2, 4096, 20)
    assert disk["extra_specs"] == {
        "scs:cpu-type": "shared-core", "scs:name-v1": "SCS-2V:4:20s",
        "scs:name-v2": "SCS-2V-4-20s", "scs:disk0-type": "ssd",
    }  # fmt: skip
    assert flavors["SCS-1L-1"]["extra_specs"]["scs:cpu-type"] == "crowded-core"
    assert flavors["SCS-1V-4"]["disk"] == 0
    admin.delete(f"{ROOT}/t1.tiny")
    cloud.database.transact(api.bootstrap)
    assert admin.get(f"{ROOT}/t1.tiny").status == 404
