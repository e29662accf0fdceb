"""Registered limits, what projects have in their place, revocation events, and the JSON home."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services import identity
from andromede.sovereignty.log.leaves import leaf
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, exchange, grant, make, me, member
from tests.harness import Client, unknown_id

REGISTERED, LIMITS = f"{V3}/registered_limits", f"{V3}/limits"


def service(admin: Client) -> str:
    return str(make(admin, "service", type="object-store")["id"])


def register(admin: Client, of: str, name: str = "buckets", **more: Any) -> dict[str, Any]:
    wish = {"service_id": of, "resource_name": name, "default_limit": 10, **more}
    made = admin.post(REGISTERED, {"registered_limits": [wish]}).expect(201)
    (found,) = made["registered_limits"]
    assert isinstance(found, dict)
    return found


def limit(admin: Client, of: str, **more: Any) -> dict[str, Any]:
    wish = {"service_id": of, "resource_name": "buckets", "resource_limit": 5, **more}
    (found,) = admin.post(LIMITS, {"limits": [wish]}).expect(201)["limits"]
    assert isinstance(found, dict)
    return found


def test_the_life_of_a_registered_limit(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    swift = service(admin)
    made = register(admin, swift, region_id="RegionOne", description="d")
    one = f"{REGISTERED}/{made['id']}"
    assert ada.get(one).expect(200)["registered_limit"]["default_limit"] == 10
    assert len(ada.get(f"{REGISTERED}?service_id={swift}").json["registered_limits"]) == 1
    assert ada.get(f"{REGISTERED}?resource_name=x").json["registered_limits"] == []
    change = {"registered_limit": {"default_limit": -1, "region_id": None}}
    changed = admin.patch(one, change).expect(200)["registered_limit"]
    assert (changed["default_limit"], changed["region_id"]) == (-1, None)
    assert admin.patch(one, {"registered_limit": {}}).status == 200
    other = register(admin, swift, "objects")
    taken = {"registered_limit": {"resource_name": "buckets", "service_id": swift}}
    assert admin.patch(f"{REGISTERED}/{other['id']}", taken).status == 409
    wish = {"service_id": swift, "resource_name": "buckets", "default_limit": 1}
    assert admin.post(REGISTERED, {"registered_limits": [wish]}).status == 409
    assert ada.post(REGISTERED, {"registered_limits": [wish]}).status == 403
    assert admin.delete(f"{V3}/services/{swift}").status == 403
    for each in (made, other):
        assert admin.delete(f"{REGISTERED}/{each['id']}").status == 204
    assert admin.get(one).status == 404
    region = make(admin, "region")["id"]
    there = register(admin, swift, region_id=region)
    assert admin.delete(f"{V3}/regions/{region}").status == 403
    assert admin.delete(f"{REGISTERED}/{there['id']}").status == 204
    assert admin.delete(f"{V3}/regions/{region}").status == 204


def test_limits_of_projects_and_domains(world: World) -> None:
    admin, ada, bob = world.admin(), member(world, "ada"), member(world, "bob")
    swift = service(admin)
    base = register(admin, swift)
    project = me(ada)["project"]["id"]
    mine = limit(admin, swift, project_id=project)
    whole = limit(admin, swift, domain_id="default", description="all")
    assert (mine["project_id"], mine["domain_id"]) == (project, None)
    assert (whole["project_id"], whole["domain_id"]) == (None, "default")
    assert [x["id"] for x in ada.get(LIMITS).expect(200)["limits"]] == [mine["id"]]
    assert bob.get(LIMITS).expect(200)["limits"] == []
    assert len(admin.get(LIMITS).json["limits"]) == 2
    assert len(admin.get(f"{LIMITS}?project_id={project}").json["limits"]) == 1
    assert len(admin.get(f"{LIMITS}?domain_id=default").json["limits"]) == 1
    assert admin.get(f"{LIMITS}?resource_name=x").json["limits"] == []
    one = f"{LIMITS}/{mine['id']}"
    assert ada.get(one).expect(200)["limit"]["resource_limit"] == 5
    assert bob.get(one).status == 403
    assert ada.get(f"{LIMITS}/{whole['id']}").status == 403
    user = make(admin, "user", name="head", password="pw")["id"]
    grant(admin, "domain", "default", "user", user, world.first.roles["reader"])
    head = exchange(world, by_password("head", "pw"), {"domain": {"id": "default"}})
    assert len(head.get(LIMITS).json["limits"]) == 2
    assert head.get(one).status == 200
    changed = admin.patch(one, {"limit": {"resource_limit": 7}}).expect(200)["limit"]
    assert changed["resource_limit"] == 7
    assert admin.patch(one, {"limit": {}}).expect(200)["limit"] == changed
    moved = {"registered_limit": {"resource_name": "x"}}
    assert admin.patch(f"{REGISTERED}/{base['id']}", moved).status == 403
    assert admin.delete(f"{REGISTERED}/{base['id']}").status == 403
    assert ada.delete(one).status == 403
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404
    assert admin.delete(f"{LIMITS}/{whole['id']}").status == 204
    assert ada.get(f"{LIMITS}/model").expect(200)["model"]["name"] == "flat"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_limits_leaf_is_its_projects(world: World) -> None:
    admin, ada, bob = world.admin(), member(world, "ada"), member(world, "bob")
    swift = service(admin)
    for name in ("buckets", "objects"):
        register(admin, swift, name)
    projects = [me(each)["project"]["id"] for each in (ada, bob)]

    def last() -> tuple[str, str | None]:
        with world.cloud.database.read() as connection:
            row = connection.execute(sa.select(leaf).order_by(leaf.c.arrival.desc())).first()
        assert row is not None
        return row.subject, row.project_id

    made = limit(admin, swift, project_id=projects[0])["id"]
    assert last() == (made, projects[0])
    assert admin.patch(f"{LIMITS}/{made}", {"limit": {"resource_limit": 7}}).status == 200
    assert last() == (made, projects[0])
    wish = {"service_id": swift, "resource_name": "objects", "resource_limit": 5}
    two = [{**wish, "project_id": each} for each in projects]
    first, _ = admin.post(LIMITS, {"limits": two}).expect(201)["limits"]
    assert last() == (first["id"], "*")
    assert admin.delete(f"{LIMITS}/{made}").status == 204
    assert last() == (made, projects[0])


def test_bad_limits(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    swift, project = service(admin), me(ada)["project"]["id"]
    register(admin, swift)
    good = {"service_id": swift, "resource_name": "buckets", "resource_limit": 1}
    for fault in (
        {}, {"project_id": project, "domain_id": "default"}, {"project_id": unknown_id()},
        {"domain_id": project}, {"project_id": project, "resource_name": "x"},
        {"project_id": project, "service_id": unknown_id()},
        {"project_id": project, "region_id": "none"},
        {"project_id": project, "resource_limit": -2}, {"project_id": project, "more": 1},
    ):  # fmt: skip
        first = {**good, "domain_id": "default"}
        assert admin.post(LIMITS, {"limits": [first, {**good, **fault}]}).status == 400, fault
    assert admin.get(LIMITS).json["limits"] == []
    limit(admin, swift, project_id=project)
    again = {**good, "project_id": project}
    assert admin.post(LIMITS, {"limits": [again]}).status == 409
    for fault in ({"default_limit": 2**31}, {"service_id": unknown_id()}, {"region_id": "none"}):
        wish = {"service_id": swift, "resource_name": "x", "default_limit": 1, **fault}
        assert admin.post(REGISTERED, {"registered_limits": [wish]}).status == 400
    assert admin.post(REGISTERED, {"registered_limits": []}).status == 400


def test_events_tell_what_killed_tokens(world: World) -> None:
    admin, path = world.admin(), f"{V3}/OS-REVOKE/events"
    ada = member(world, "ada")
    token = me(ada)
    subject = {"X-Subject-Token": str(ada.token)}
    assert admin.delete(f"{V3}/auth/tokens", headers=subject).status == 204
    user, project = token["user"]["id"], token["project"]["id"]
    role = make(admin, "role", name="painter")["id"]
    grants = [
        grant(admin, "project", project, "user", user, role),
        grant(admin, "domain", "default", "user", user, role),
        f"{V3}/system/users/{user}/roles/{role}",
    ]
    assert admin.put(grants[2]).status == 204
    for each in grants:
        assert admin.delete(each).status == 204
    assert admin.patch(f"{V3}/roles/{role}", {"role": {"name": "poet"}}).status == 200
    made = {"application_credential": {"name": "ci"}}
    bearer = world.login("ada", {"project": {"id": project}}, password="pw", private=False)
    credentials = f"{V3}/users/{user}/application_credentials"
    key = bearer.post(credentials, made).expect(201)["application_credential"]["id"]
    assert bearer.delete(f"{credentials}/{key}").status == 204
    off = {"project": {"enabled": False}}
    assert admin.patch(f"{V3}/projects/{project}", off).status == 200
    domain = make(admin, "domain", name="acme")["id"]
    shut = {"domain": {"enabled": False}}
    assert admin.patch(f"{V3}/domains/{domain}", shut).status == 200
    events = admin.get(path).expect(200)["events"]
    told = [{k: v for k, v in x.items() if not k.endswith(("before", "_at"))} for x in events]
    for wanted in (
        {"audit_id": token["audit_ids"][0]}, {"user_id": user, "project_id": project},
        {"user_id": user, "domain_scope_id": "default"}, {"user_id": user}, {},
        {"application_credential_id": key}, {"project_id": project}, {"domain_id": domain},
    ):  # fmt: skip
        assert wanted in told, wanted
    assert admin.patch(f"{V3}/roles/{role}", {"role": {"name": "painter"}}).status == 200
    assert {"role_id": role} in [
        {k: v for k, v in x.items() if k == "role_id"} for x in admin.get(path).json["events"]
    ]
    last = events[-1]["revoked_at"]
    assert len(admin.get(f"{path}?since={last}").json["events"]) < len(events)
    page = admin.get(f"{path}?limit=2").expect(200)
    rest = admin.get(page["links"]["next"].removeprefix("https://cloud.test:8444")).expect(200)
    assert [*page["events"], *rest["events"]] == events[:4]
    for fault in ("since=yesterday", "marker=x", "marker=9x|y"):
        assert admin.get(f"{path}?{fault}").status == 400
    assert bearer.get(path).status == 401
    eve = member(world, "eve")
    assert eve.get(path).status == 403
    assert member(world, "nova", "service").get(path).status == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_home_document_names_what_is_served(world: World) -> None:
    client = world.anonymous()
    asked = {"Accept": "application/json-home"}
    answer = client.get(V3, headers=asked)
    assert answer.headers["content-type"] == "application/json-home"
    resources = answer.expect(200)["resources"]
    served = {re.sub(r"{\w+}", "{}", each.path) for each in identity.OPERATIONS}
    base = "https://docs.openstack.org/api/openstack-identity/3"
    for relation, resource in resources.items():
        assert relation.startswith(base)
        path = resource.get("href") or resource["href-template"]
        assert re.sub(r"{\w+}", "{}", f"/v3{path}") in served
        assert set(resource.get("href-vars", {})) == set(re.findall(r"{(\w+)}", path))
    trust = resources[f"{base}/ext/OS-TRUST/1.0/rel/trust"]
    assert trust["href-vars"]["trust_id"] == f"{base}/ext/OS-TRUST/1.0/param/trust_id"
    assert resources[f"{base}/rel/limit"]["hints"] == {"status": "experimental"}
    top = client.get("/identity/", headers=asked).expect(200)["resources"]
    assert top[f"{base}/rel/users"]["href"] == "/v3/users"
    assert "version" in client.get(V3, headers={"Accept": "*/*"}).expect(200)
    assert client.get("/identity/").status == 300
