"""Regions, services and endpoints: what the cloud serves stays true, and operators add to it."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.identity import api
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, make, me, member
from tests.harness import Client


def catalog(world: World, **more: Any) -> dict[str, list[str]]:
    """The URLs by type in a new token of the operator."""
    scope = {"project": {"id": world.first.project_id}}
    token = world.try_login(by_password("admin"), scope, private=True, **more).expect(201)["token"]
    return {x["type"]: [one["url"] for one in x["endpoints"]] for x in token["catalog"]}


def service(admin: Client, kind: str = "object-store", **more: Any) -> dict[str, Any]:
    return make(admin, "service", type=kind, name="swift", **more)


def endpoint(admin: Client, of: dict[str, Any], url: str, **more: Any) -> dict[str, Any]:
    body = {"service_id": of["id"], "interface": "public", "url": url, **more}
    return make(admin, "endpoint", **body)


def test_a_service_with_its_endpoints_comes_and_goes(world: World) -> None:
    admin = world.admin()
    swift = service(admin, description="objects")
    assert (swift["enabled"], swift["description"]) == (True, "objects")
    shown = endpoint(admin, swift, "https://s.test/v1/AUTH_$(project_id)s", region="north")
    assert (shown["region"], shown["region_id"], shown["enabled"]) == ("north", "north", True)
    assert admin.get(f"{V3}/regions/north").status == 200
    own = catalog(world)["object-store"]
    assert own == [f"https://s.test/v1/AUTH_{world.first.project_id}"]
    unscoped = member(world, "ada")
    assert any(x["type"] == "object-store" for x in me(unscoped)["catalog"])
    domain = {"domain": {"id": "default"}}
    path = f"{V3}/domains/default/users/{world.first.user_id}/roles/{world.first.roles['admin']}"
    assert admin.put(path).status == 204
    token = world.try_login(by_password("admin"), domain, private=True).expect(201)["token"]
    (found,) = [x for x in token["catalog"] if x["type"] == "object-store"]
    assert found["endpoints"] == []  # its URL needs a project
    assert admin.get(f"{V3}/endpoints?service_id={swift['id']}").json["endpoints"] == [shown]
    one = f"{V3}/endpoints/{shown['id']}"
    assert admin.get(one).expect(200)["endpoint"] == shown
    assert admin.get(f"{V3}/services?type=object-store").json["services"] == [swift]
    changed = {"endpoint": {"url": "https://t.test", "enabled": False, "note": "x"}}
    after = admin.patch(one, changed).expect(200)["endpoint"]
    assert (after["url"], after["enabled"], after["note"]) == ("https://t.test", False, "x")
    assert catalog(world)["object-store"] == []
    off = {"service": {"enabled": False, "name": "store", "note": 1}}
    named = admin.patch(f"{V3}/services/{swift['id']}", off).expect(200)["service"]
    assert (named["name"], named["note"]) == ("store", 1)
    assert "object-store" not in catalog(world)
    assert admin.delete(f"{V3}/services/{swift['id']}").status == 204
    assert admin.get(one).status == 404
    assert endpoint(admin, service(admin, "dns"), "https://d.test", region="north")["region"]
    third = endpoint(admin, service(admin), "https://u.test")
    assert third["region_id"] is None
    assert admin.delete(f"{V3}/endpoints/{third['id']}").status == 204


def test_what_the_cloud_serves_is_changed_only_where_that_stays_true(world: World) -> None:
    admin = world.admin()
    (compute,) = admin.get(f"{V3}/services?type=compute").json["services"]
    one = f"{V3}/services/{compute['id']}"
    assert admin.patch(one, {"service": {"type": "computing"}}).status == 403
    assert admin.delete(one).status == 403
    shown = admin.patch(one, {"service": {"description": "ours"}}).expect(200)["service"]
    assert shown["description"] == "ours"
    assert admin.get(one).json["service"] == shown
    assert shown in admin.get(f"{V3}/services").json["services"]
    query = f"service_id={compute['id']}&interface=public"
    (ours,) = admin.get(f"{V3}/endpoints?{query}").json["endpoints"]
    place = f"{V3}/endpoints/{ours['id']}"
    assert admin.patch(place, {"endpoint": {"url": "https://elsewhere.test"}}).status == 403
    assert admin.delete(place).status == 403
    assert len(catalog(world)["compute"]) == 3
    assert admin.patch(place, {"endpoint": {"enabled": False}}).expect(200)["endpoint"]["url"]
    assert len(catalog(world)["compute"]) == 2
    assert admin.patch(one, {"service": {"enabled": False}}).status == 200
    assert "compute" not in catalog(world)
    with world.cloud.database.read() as connection:
        told = {each.subject for each in api.audit(connection)}
    assert told == {compute["id"], ours["id"]}


def test_regions(world: World) -> None:
    admin = world.admin()
    top = make(admin, "region", description="top")
    below = make(admin, "region", id="below", parent_region_id=top["id"], note="kept")
    assert (below["id"], below["note"], below["description"]) == ("below", "kept", "")
    path = f"{V3}/regions"
    assert admin.get(f"{path}?parent_region_id={top['id']}").json["regions"] == [below]
    assert admin.put(f"{path}/third", {"region": {}}).expect(201)["region"]["id"] == "third"
    assert admin.put(f"{path}/third", {"region": {}}).status == 409
    assert admin.put(f"{path}/fourth", {"region": {"id": "fifth"}}).status == 400
    assert admin.put(f"{path}/{'x' * 256}", {"region": {}}).status == 400
    one = f"{path}/{top['id']}"
    for parent in (top["id"], "below"):
        assert admin.patch(one, {"region": {"parent_region_id": parent}}).status == 400
    assert admin.patch(one, {"region": {"parent_region_id": "none"}}).status == 404
    change = {"region": {"parent_region_id": "third", "description": None}}
    assert admin.patch(one, change).expect(200)["region"]["description"] == ""
    assert admin.patch(one, {"region": {"description": "d"}}).status == 200
    assert admin.post(path, {"region": {"parent_region_id": "none"}}).status == 404
    assert admin.patch(f"{path}/RegionOne", {"region": {"description": "Here"}}).status == 200
    assert admin.get(f"{path}/RegionOne").json["region"]["description"] == "Here"
    assert admin.delete(f"{path}/RegionOne").status == 403
    placed = endpoint(admin, service(admin), "https://s.test", region_id="below")
    assert admin.delete(f"{path}/third").status == 403
    assert admin.delete(f"{V3}/endpoints/{placed['id']}").status == 204
    assert admin.delete(f"{path}/third").status == 204
    assert admin.get(f"{path}/below").status == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_bad_rows_change_nothing(world: World) -> None:
    admin = world.admin()
    swift = service(admin)["id"]
    good = {"service_id": swift, "interface": "public", "url": "https://s.test"}
    faults: list[dict[str, Any]] = [
        {"interface": "own"}, {"url": "s.test"}, {"url": ""}, {"enabled": "True"},
        {"service_id": "none"}, {"region_id": "none"}, {"url": "https://s.test/$(secret)s"},
        {"url": "https://s.test/$(x"}, {"url": "https://s.test/" + "x" * 255},
    ]  # fmt: skip
    for fault in faults:
        assert admin.post(f"{V3}/endpoints", {"endpoint": {**good, **fault}}).status == 400, fault
    made = make(admin, "endpoint", **good)
    for fault in faults:
        path = f"{V3}/endpoints/{made['id']}"
        assert admin.patch(path, {"endpoint": fault}).status == 400, fault
    assert admin.get(f"{V3}/endpoints/{made['id']}").json["endpoint"] == made
    for missing in ("services/x", "endpoints/x", "regions/x"):
        noun = missing.partition("s/")[0]
        assert admin.patch(f"{V3}/{missing}", {noun: {}}).status == 404
        assert admin.delete(f"{V3}/{missing}").status == 404
    assert member(world, "ada").post(f"{V3}/services", {"service": {"type": "x"}}).status == 403


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_begin_with_what_the_cloud_serves(world: World) -> None:
    admin = world.admin()
    made = sorted(service(admin, f"kind{at}")["id"] for at in range(3))
    first = admin.get(f"{V3}/services?limit=2").expect(200)
    assert [x["id"] for x in first["services"]][2:] == made[:2]
    path = first["links"]["next"].removeprefix("https://cloud.test:8444")
    rest = admin.get(path).expect(200)
    assert [x["id"] for x in rest["services"]] == made[2:]
    assert rest["links"]["next"] is None


def test_policies_are_kept_for_others(world: World) -> None:
    admin = world.admin()
    made = admin.post(f"{V3}/policies", {"policy": {"blob": "{}", "type": "a/b", "note": 1}})
    policy = made.expect(201)["policy"]
    assert {"id", "blob", "type", "note", "links"} == set(policy)
    one = f"{V3}/policies/{policy['id']}"
    assert admin.get(one).expect(200)["policy"] == policy
    changed = admin.patch(one, {"policy": {"type": "c"}}).expect(200)["policy"]
    assert changed == {**policy, "type": "c"}
    assert admin.get(f"{V3}/policies?type=c").json["policies"] == [changed]
    assert admin.get(f"{V3}/policies").json["policies"] == [changed]
    assert admin.post(f"{V3}/policies", {"policy": {"type": "c"}}).status == 400
    assert member(world, "ada").get(f"{V3}/policies").status == 403
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404


def test_consumers(world: World) -> None:
    admin, path = world.admin(), f"{V3}/OS-OAUTH1/consumers"
    made = admin.post(path, {"consumer": {"description": "d"}}).expect(201)["consumer"]
    shown = {key: value for key, value in made.items() if key != "secret"}
    assert made["secret"]
    one = f"{path}/{made['id']}"
    assert admin.get(one).expect(200)["consumer"] == shown
    assert admin.get(path).json["consumers"] == [shown]
    assert admin.patch(one, {"consumer": {"secret": "x"}}).status == 400
    changed = admin.patch(one, {"consumer": {"description": "e"}}).expect(200)["consumer"]
    assert changed == {**shown, "description": "e"}
    assert admin.post(path, {"consumer": {}}).expect(201)["consumer"]["description"] is None
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404
    assert member(world, "ada").get(path).status == 403
