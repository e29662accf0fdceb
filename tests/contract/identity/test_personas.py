"""Who may do what: readers, members, managers of a domain, and nobody."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Cast:
    """Two domains with a user and a project each, and bearers in the first."""

    world: World
    admin: Client
    ids: dict[str, str]
    manager: Client
    reader: Client
    member: Client


@pytest.fixture
def cast(world: World) -> Cast:
    admin, ids = world.admin(), {}
    for name in ("acme", "rival"):
        domain = ids[name] = make(admin, "domain", name=name)["id"]
        for noun in ("project", "group"):
            ids[f"{name}_{noun}"] = make(admin, noun, name="x", domain_id=domain)["id"]
        ids[f"{name}_user"] = make(admin, "user", name="x", domain_id=domain)["id"]
    roles = world.first.roles
    people = {}
    for name in ("manager", "reader", "member"):
        user = make(admin, "user", name=name, domain_id=ids["acme"], password="pw")["id"]
        target = ("project", ids["acme_project"]) if name == "member" else ("domain", ids["acme"])
        grant(admin, *target, "user", user, roles[name])
        ids[name] = user
        body = {"methods": ["password"], "password": {"user": {"id": user, "password": "pw"}}}
        answer = world.try_login(body, {target[0]: {"id": target[1]}})
        answer.expect(201)
        people[name] = world.cloud.bearer(answer.headers["x-subject-token"])
    return Cast(world, admin, ids, **people)


def test_a_domains_manager_manages_its_domain(cast: Cast) -> None:
    manager, ids = cast.manager, cast.ids
    user = make(manager, "user", name="new", password="pw")
    project = make(manager, "project", name="new")
    group = make(manager, "group", name="new")
    assert {each["domain_id"] for each in (user, project, group)} == {ids["acme"]}
    assert manager.put(f"{V3}/groups/{group['id']}/users/{user['id']}").status == 204
    for role in ("manager", "member", "reader"):
        base = f"{V3}/projects/{project['id']}/users/{user['id']}/roles"
        path = f"{base}/{cast.world.first.roles[role]}"
        assert manager.put(path).status == 204
        assert manager.get(path).status == 204
        assert manager.delete(path).status == 204
    assert manager.get(base).expect(200)["roles"] == []
    assert manager.get(f"{V3}/roles").status == 200
    for noun, made in (("user", user), ("project", project), ("group", group)):
        one = f"{V3}/{noun}s/{made['id']}"
        assert manager.patch(one, {noun: {"description": "d"}}).status == 200
        assert manager.delete(one).status == 204


def test_and_nothing_outside_of_it(cast: Cast) -> None:
    manager, ids, roles = cast.manager, cast.ids, cast.world.first.roles
    for noun in ("user", "project", "group"):
        one = f"{V3}/{noun}s/{ids[f'rival_{noun}']}"
        assert manager.get(one).status == 403
        assert manager.patch(one, {noun: {"name": "mine"}}).status == 403
        assert manager.delete(one).status == 403
        assert manager.get(f"{V3}/{noun}s/unknown").status == 403
        elsewhere = {noun: {"name": "spy", "domain_id": ids["rival"]}}
        assert manager.post(f"{V3}/{noun}s", elsewhere).status == 403
        listed = manager.get(f"{V3}/{noun}s").expect(200)[f"{noun}s"]
        assert {each["domain_id"] for each in listed} == {ids["acme"]}
        assert manager.get(f"{V3}/{noun}s?domain_id={ids['rival']}").json[f"{noun}s"] == []
    project, user = ids["acme_project"], ids["acme_user"]
    for path in (
        f"projects/{project}/users/{user}/roles/{roles['admin']}",
        f"projects/{project}/users/{user}/roles/unknown",
        f"projects/{ids['rival_project']}/users/{user}/roles/{roles['member']}",
        f"projects/{project}/users/{ids['rival_user']}/roles/{roles['member']}",
        f"domains/{ids['rival']}/users/{user}/roles/{roles['member']}",
        f"system/users/{user}/roles/{roles['reader']}",
        f"groups/{ids['rival_group']}/users/{user}",
        f"groups/{ids['acme_group']}/users/{ids['rival_user']}",
    ):
        assert manager.put(f"{V3}/{path}").status == 403, path
    assert manager.post(f"{V3}/domains", {"domain": {"name": "mine"}}).status == 403
    assert manager.patch(f"{V3}/domains/{ids['acme']}", {"domain": {"name": "m"}}).status == 403
    assert manager.delete(f"{V3}/roles/{roles['member']}").status == 403
    top = {"project": {"name": "top", "is_domain": True}}
    assert manager.post(f"{V3}/projects", top).status == 403
    parent = {"project": {"name": "spy", "parent_id": ids["rival_project"]}}
    assert manager.post(f"{V3}/projects", parent).status == 403
    mixed = {"project": {"name": "spy", "parent_id": ids["rival"], "domain_id": ids["acme"]}}
    assert manager.post(f"{V3}/projects", mixed).status == 400


def test_a_domains_reader_reads_its_domain(cast: Cast) -> None:
    reader, ids = cast.reader, cast.ids
    for noun in ("user", "project", "group"):
        assert reader.get(f"{V3}/{noun}s/{ids[f'acme_{noun}']}").status == 200
        assert reader.get(f"{V3}/{noun}s/{ids[f'rival_{noun}']}").status == 403
        assert reader.post(f"{V3}/{noun}s", {noun: {"name": "no"}}).status == 403
        assert reader.delete(f"{V3}/{noun}s/{ids[f'acme_{noun}']}").status == 403
    domains = reader.get(f"{V3}/domains").expect(200)["domains"]
    assert [each["id"] for each in domains] == [ids["acme"]]
    assigned = reader.get(f"{V3}/role_assignments").expect(200)["role_assignments"]
    assert len(assigned) == 3
    assert reader.get(f"{V3}/groups/{ids['acme_group']}/users").status == 200


def test_a_member_reads_itself_and_its_project(cast: Cast) -> None:
    member, ids = cast.member, cast.ids
    own = f"{V3}/users/{ids['member']}"
    assert member.get(own).status == 200
    assert member.get(f"{own}/groups").status == 200
    assert member.get(f"{own}/projects").expect(200)["projects"][0]["id"] == ids["acme_project"]
    assert member.get(f"{V3}/projects/{ids['acme_project']}").status == 200
    assert member.get(f"{V3}/projects/{ids['acme_project']}/tags").status == 200
    assert member.get(f"{V3}/domains/{ids['acme']}").status == 200
    assert member.get(f"{V3}/regions").status == 200
    for path in (
        "users", "projects", "groups", "domains", "roles", "role_assignments", "services",
        "endpoints", f"users/{ids['manager']}", f"projects/{ids['rival_project']}",
        f"domains/{ids['rival']}", "role_inferences", "users/unknown",
    ):  # fmt: skip
        assert member.get(f"{V3}/{path}").status == 403, path
    assert member.patch(own, {"user": {"name": "root"}}).status == 403
    assert member.put(f"{V3}/projects/{ids['acme_project']}/tags/x").status == 403
    other = {"X-Subject-Token": str(cast.manager.token)}
    assert member.get(f"{V3}/auth/tokens", headers=other).status == 403
    assert member.delete(f"{V3}/auth/tokens", headers=other).status == 403
    assert member.delete(f"{V3}/users/{ids['manager']}/tokens").status == 403
    assert member.delete(f"{own}/tokens").status == 204
    assert member.get(own).status == 401


def test_nobody_gets_nothing(cast: Cast) -> None:
    nobody = cast.world.anonymous()
    for path in ("users", "projects", "auth/tokens", "auth/catalog", "regions"):
        assert nobody.get(f"{V3}/{path}").status == 401
    assert cast.world.cloud.bearer("gibberish").get(f"{V3}/users").status == 401


def test_a_service_validates_anyones_token(cast: Cast) -> None:
    admin, world = cast.admin, cast.world
    user = make(admin, "user", name="middleware", password="pw")["id"]
    grant(admin, "project", world.first.project_id, "user", user, world.first.roles["service"])
    scope = {"project": {"id": world.first.project_id}}
    service = world.login("middleware", scope, password="pw", private=False)
    other = {"X-Subject-Token": str(cast.member.token)}
    assert service.get(f"{V3}/auth/tokens", headers=other).status == 200
    assert service.delete(f"{V3}/auth/tokens", headers=other).status == 403


def test_the_catalog_by_its_nouns(cast: Cast) -> None:
    system = cast.world.system()
    services = system.get(f"{V3}/services").expect(200)["services"]
    assert {each["type"]: each["name"] for each in services} == {
        "identity": "keystone", "compute": "nova",
    }  # fmt: skip
    compute = next(each for each in services if each["type"] == "compute")
    assert system.get(f"{V3}/services/{compute['id']}").expect(200)["service"] == compute
    assert len(system.get(f"{V3}/services?type=compute").expect(200)["services"]) == 1
    query = f"service_id={compute['id']}&interface=admin"
    (endpoint,) = system.get(f"{V3}/endpoints?{query}").expect(200)["endpoints"]
    assert endpoint["url"] == "https://cloud.test:8444/compute/v2.1"
    assert system.get(f"{V3}/endpoints/{endpoint['id']}").expect(200)["endpoint"] == endpoint
    (region,) = system.get(f"{V3}/regions").expect(200)["regions"]
    assert region["id"] == "RegionOne"
    assert system.get(f"{V3}/regions/RegionOne").expect(200)["region"] == region
    for missing in ("services/x", "endpoints/x", "regions/x"):
        assert system.get(f"{V3}/{missing}").status == 404
