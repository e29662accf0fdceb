"""Roles, implications, grants and assignments, as an operator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.identity.conftest import World
from tests.contract.identity.making import grant, make

V3 = "/identity/v3"


def test_the_life_of_a_role(world: World) -> None:
    admin = world.admin()
    role = make(admin, "role", name="auditor", description="reads", badge=1)
    assert (role["domain_id"], role["badge"], role["description"]) == (None, 1, "reads")
    one = f"{V3}/roles/{role['id']}"
    assert admin.get(one).expect(200)["role"] == role
    assert admin.post(f"{V3}/roles", {"role": {"name": "auditor"}}).status == 409
    assert admin.patch(one, {"role": {"name": "checker"}}).expect(200)["role"]["name"] == "checker"
    assert admin.patch(one, {"role": {"domain_id": "default"}}).status == 400
    assert len(admin.get(f"{V3}/roles?name=checker").expect(200)["roles"]) == 1
    assert admin.get(f"{V3}/roles?domain_id=default").expect(200)["roles"] == []
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404
    assert admin.delete(f"{V3}/roles/{world.first.roles['admin']}").status == 409


def test_implications(world: World) -> None:
    admin, roles = world.admin(), world.first.roles
    rules = admin.get(f"{V3}/role_inferences").expect(200)["role_inferences"]
    found = {each["prior_role"]["name"]: [one["name"] for one in each["implies"]] for each in rules}
    assert found == {"admin": ["manager"], "manager": ["member"], "member": ["reader"]}
    extra = make(admin, "role", name="auditor")["id"]
    pair = f"{V3}/roles/{roles['reader']}/implies/{extra}"
    assert admin.get(pair).status == 404
    made = admin.put(pair).expect(201)["role_inference"]
    assert (made["prior_role"]["name"], made["implies"]["name"]) == ("reader", "auditor")
    assert admin.call("HEAD", pair).status == 204
    assert admin.get(pair).status == 200
    listed = admin.get(f"{V3}/roles/{roles['reader']}/implies").expect(200)["role_inference"]
    assert [each["id"] for each in listed["implies"]] == [extra]
    token = world.try_login(
        {"methods": ["token"], "token": {"id": world.login("admin").token}},
        {"project": {"id": world.first.project_id}},
        private=True,
    ).expect(201)["token"]
    assert "auditor" in {each["name"] for each in token["roles"]}
    assert admin.put(f"{V3}/roles/{extra}/implies/{roles['admin']}").status == 403
    assert admin.put(f"{V3}/roles/{roles['reader']}/implies/{roles['member']}").status == 400
    assert admin.delete(pair).status == 204
    assert world.admin().delete(pair).status == 404


@pytest.mark.parametrize("inherited", [False, True])
@pytest.mark.parametrize("actor", ["user", "group"])
@pytest.mark.parametrize("target", ["project", "domain"])
def test_grants(world: World, target: str, actor: str, inherited: bool) -> None:
    admin = world.admin()
    actor_id = make(admin, actor, name="x")["id"]
    place = {"project": world.first.project_id, "domain": "default"}[target]
    base = f"{V3}/{target}s/{place}/{actor}s/{actor_id}/roles"
    suffix = ""
    if inherited:
        base = base.replace("v3/", "v3/OS-INHERIT/")
        suffix = "/inherited_to_projects"
    one = f"{base}/{world.first.roles['member']}{suffix}"
    assert admin.get(one).status == 404
    assert admin.delete(one).status == 404
    assert admin.put(one).status == 204
    assert admin.put(one).status == 204
    assert admin.call("HEAD", one).status == 204
    listed = admin.get(f"{base}{suffix}").expect(200)["roles"]
    assert [each["name"] for each in listed] == ["member"]
    assert admin.delete(one).status == 204
    assert admin.get(f"{base}{suffix}").expect(200)["roles"] == []
    for broken in (
        one.replace(actor_id, "none"),
        one.replace(place, "none"),
        one.replace(world.first.roles["member"], "none"),
    ):
        assert admin.put(broken).status == 404


def test_system_grants(world: World) -> None:
    admin = world.admin()
    user = make(admin, "user", name="ops", password="pw")["id"]
    group = make(admin, "group", name="ops")["id"]
    assert admin.put(f"{V3}/groups/{group}/users/{user}").status == 204
    scope = {"system": {"all": True}}
    assert world.login("ops", password="pw").get(f"{V3}/auth/system").json["system"] == []
    one = f"{V3}/system/groups/{group}/roles/{world.first.roles['reader']}"
    assert admin.put(one).status == 204
    assert admin.call("HEAD", one).status == 204
    reader = world.login("ops", scope, password="pw")
    assert len(reader.get(f"{V3}/users").expect(200)["users"]) == 2
    assert reader.post(f"{V3}/users", {"user": {"name": "no"}}).status == 403
    assert admin.delete(one).status == 204
    assert reader.get(f"{V3}/users").status == 401
    own = f"{V3}/system/users/{user}/roles/{world.first.roles['reader']}"
    assert admin.put(own).status == 204
    assert admin.get(f"{V3}/system/users/{user}/roles").expect(200)["roles"][0]["name"] == "reader"


def test_a_domains_own_role_stays_in_it(world: World) -> None:
    admin = world.admin()
    domain = make(admin, "domain", name="acme")["id"]
    role = make(admin, "role", name="chef", domain_id=domain)["id"]
    user = make(admin, "user", name="ada")["id"]
    inside = make(admin, "project", name="web", domain_id=domain)["id"]
    assert admin.put(f"{V3}/projects/{inside}/users/{user}/roles/{role}").status == 204
    assert admin.put(f"{V3}/domains/{domain}/users/{user}/roles/{role}").status == 204
    assert admin.put(f"{V3}/domains/default/users/{user}/roles/{role}").status == 403
    outside = f"{V3}/projects/{world.first.project_id}/users/{user}/roles/{role}"
    assert admin.put(outside).status == 403
    assert admin.put(f"{V3}/system/users/{user}/roles/{role}").status == 400


def test_inherited_roles_reach_the_projects_below(world: World) -> None:
    admin = world.admin()
    user = make(admin, "user", name="ada", password="pw")["id"]
    parent = make(admin, "project", name="a")["id"]
    child = make(admin, "project", name="b", parent_id=parent)["id"]
    role = world.first.roles["member"]
    path = f"OS-INHERIT/projects/{parent}/users/{user}/roles/{role}/inherited_to_projects"
    assert admin.put(f"{V3}/{path}").status == 204
    ada = world.login("ada", {"project": {"id": child}}, password="pw", private=False)
    listed = ada.get(f"{V3}/auth/projects").expect(200)["projects"]
    assert [each["id"] for each in listed] == [child]
    by_password = {"methods": ["token"], "token": {"id": ada.token}}
    assert world.try_login(by_password, {"project": {"id": parent}}).status == 401
    everywhere = f"OS-INHERIT/domains/default/users/{user}/roles/{role}/inherited_to_projects"
    assert admin.put(f"{V3}/{everywhere}").status == 204
    listed = ada.get(f"{V3}/auth/projects").expect(200)["projects"]
    assert {each["id"] for each in listed} == {parent, child, world.first.project_id}
    assert admin.delete(f"{V3}/{path}").status == 204
    assert ada.get(f"{V3}/auth/projects").status == 401


def _assignments(world: World, query: str) -> list[dict[str, Any]]:
    answer = world.admin().get(f"{V3}/role_assignments?{query}")
    found: list[dict[str, Any]] = answer.expect(200)["role_assignments"]
    return found


def test_assignments(world: World) -> None:
    admin, roles = world.admin(), world.first.roles
    user = make(admin, "user", name="ada")["id"]
    group = make(admin, "group", name="ops")["id"]
    project = make(admin, "project", name="web")["id"]
    child = make(admin, "project", name="sub", parent_id=project)["id"]
    assert admin.put(f"{V3}/groups/{group}/users/{user}").status == 204
    grant(admin, "project", project, "group", group, roles["member"])
    below = f"{V3}/OS-INHERIT/projects/{project}/users/{user}/roles/{roles['reader']}"
    assert admin.put(f"{below}/inherited_to_projects").status == 204

    (direct,) = _assignments(world, f"group.id={group}&include_names=1")
    assert direct["role"] == {"id": roles["member"], "name": "member"}
    assert direct["group"]["domain"] == {"id": "default", "name": "Default"}
    assert direct["scope"]["project"]["name"] == "web"
    path = f"/identity/v3/projects/{project}/groups/{group}/roles/{roles['member']}"
    assert direct["links"]["assignment"].endswith(path)

    effective = _assignments(world, f"user.id={user}&effective&include_names")
    seen = {
        (each["role"]["name"], each["scope"]["project"]["name"], each["user"]["name"])
        for each in effective
    }
    assert seen == {("member", "web", "ada"), ("reader", "web", "ada"), ("reader", "sub", "ada")}
    implied = next(each for each in effective if "prior_role" in each["links"])
    assert implied["links"]["membership"].endswith(f"/groups/{group}/users/{user}")
    assert implied["links"]["prior_role"].endswith(
        f"/roles/{roles['member']}/implies/{roles['reader']}"
    )
    inherited = _assignments(world, f"scope.project.id={child}&effective")
    assert [each["scope"]["OS-INHERIT:inherited_to"] for each in inherited] == ["projects"]
    assert len(_assignments(world, f"scope.project.id={project}&include_subtree=1")) == 2
    tree = _assignments(world, f"scope.project.id={project}&include_subtree=1&effective=1")
    assert {each["scope"]["project"]["id"] for each in tree} == {project, child}
    assert len(_assignments(world, "scope.OS-INHERIT:inherited_to=projects")) == 1
    assert len(_assignments(world, f"role.id={roles['member']}")) == 1
    assert len(_assignments(world, f"role.id={roles['reader']}&effective&user.id={user}")) == 2
    (system,) = _assignments(world, "scope.system=all")
    assert system["scope"] == {"system": {"all": True}}
    assert system["links"]["assignment"].endswith(
        f"/system/users/{world.first.user_id}/roles/{roles['admin']}"
    )
    assert _assignments(world, "scope.domain.id=default&effective") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        "scope.project.id=a&scope.domain.id=b",
        "scope.project.id=a&scope.system=all",
        "user.id=a&group.id=b",
        "effective&group.id=a",
        "effective&scope.domain.id=a&scope.OS-INHERIT:inherited_to=projects",
        "include_subtree=1",
        "marker=nowhere",
    ],
)
def test_filters_that_exclude_each_other(world: World, query: str) -> None:
    assert world.admin().get(f"{V3}/role_assignments?{query}").status == 400


def test_assignments_page(world: World) -> None:
    admin = world.admin()
    for at in range(5):
        user = make(admin, "user", name=f"u{at}")["id"]
        grant(admin, "project", world.first.project_id, "user", user, world.first.roles["reader"])
    seen: list[str] = []
    url: str | None = f"{V3}/role_assignments?limit=2"
    while url:
        page = admin.get(url).expect(200)
        assert len(page["role_assignments"]) <= 2
        seen += [str(each) for each in page["role_assignments"]]
        following = page["links"]["next"]
        url = following and following.partition(":8444")[2]
    assert len(seen) == len(set(seen)) == 7
