"""Domains, projects, users, groups: the whole life of each, as an operator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.identity.conftest import World

V3 = "/identity/v3"


def test_the_life_of_a_domain(world: World) -> None:
    admin = world.admin()
    made = admin.post(f"{V3}/domains", {"domain": {"name": "acme", "colour": "red"}}).expect(201)
    domain = made["domain"]
    assert (domain["enabled"], domain["description"], domain["colour"]) == (True, "", "red")
    again = admin.post(f"{V3}/domains", {"domain": {"name": "acme"}})
    assert "Duplicate entry found with name acme" in again.expect(409)["error"]["message"]
    one = f"{V3}/domains/{domain['id']}"
    assert admin.get(one).expect(200)["domain"] == domain
    listed = admin.get(f"{V3}/domains?name=acme&enabled=1").expect(200)["domains"]
    assert listed == [domain]
    assert admin.delete(one).status == 403
    changed = admin.patch(one, {"domain": {"enabled": False, "description": None, "size": 3}})
    shown = changed.expect(200)["domain"]
    assert (shown["enabled"], shown["size"], shown["colour"]) == (False, 3, "red")
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404
    assert admin.delete(f"{V3}/domains/default").status == 403


def test_a_domains_id_may_be_chosen(world: World) -> None:
    admin, chosen = world.admin(), "0123456789abcdef" * 2
    body = {"domain": {"name": "acme", "explicit_domain_id": chosen}}
    assert admin.post(f"{V3}/domains", body).expect(201)["domain"]["id"] == chosen
    body = {"domain": {"name": "other", "explicit_domain_id": "mine"}}
    assert admin.post(f"{V3}/domains", body).status == 400
    again = {"domain": {"name": "other", "explicit_domain_id": chosen}}
    assert admin.post(f"{V3}/domains", again).status == 409
    tagged = {"domain": {"tags": ["a"]}}
    changed = admin.patch(f"{V3}/domains/{chosen}", tagged).expect(200)["domain"]
    assert changed["tags"] == ["a"]


def test_a_domain_goes_with_all_that_is_in_it(world: World) -> None:
    admin = world.admin()
    domain = admin.post(f"{V3}/domains", {"domain": {"name": "acme"}}).expect(201)["domain"]["id"]
    body = {"name": "x", "domain_id": domain}
    ids: dict[str, str] = {}
    for noun in ("project", "user", "group", "role"):
        ids[noun] = admin.post(f"{V3}/{noun}s", {noun: body}).expect(201)[noun]["id"]
    child = {"name": "child", "domain_id": domain, "parent_id": ids["project"]}
    admin.post(f"{V3}/projects", {"project": child}).expect(201)
    assert admin.put(f"{V3}/groups/{ids['group']}/users/{ids['user']}").status == 204
    grant = f"{V3}/projects/{ids['project']}/users/{ids['user']}/roles/{ids['role']}"
    assert admin.put(grant).status == 204
    assert admin.patch(f"{V3}/domains/{domain}", {"domain": {"enabled": False}}).status == 200
    assert admin.delete(f"{V3}/domains/{domain}").status == 204
    for noun, identifier in ids.items():
        assert admin.get(f"{V3}/{noun}s/{identifier}").status == 404


def test_the_life_of_a_project(world: World) -> None:
    admin = world.admin()
    body = {"name": "web", "description": "d", "tags": ["b", "a"], "budget": 12}
    project = admin.post(f"{V3}/projects", {"project": body}).expect(201)["project"]
    assert project["domain_id"] == project["parent_id"] == "default"
    assert (project["tags"], project["budget"], project["is_domain"]) == (["a", "b"], 12, False)
    one = f"{V3}/projects/{project['id']}"
    assert admin.get(one).expect(200)["project"] == project
    assert admin.post(f"{V3}/projects", {"project": body}).status == 409
    change = {"project": {"name": "www", "budget": 13, "tags": []}}
    changed = admin.patch(one, change).expect(200)["project"]
    assert (changed["name"], changed["budget"], changed["tags"]) == ("www", 13, [])
    for query, found in (
        ("name=www", True),
        ("name=web", False),
        ("domain_id=default&enabled=true", True),
        ("enabled=0", False),
        ("parent_id=default", True),
        ("is_domain=true", False),
    ):
        listed = admin.get(f"{V3}/projects?{query}").expect(200)["projects"]
        assert (project["id"] in {each["id"] for each in listed}) is found, query
    assert admin.patch(one, {"project": {"parent_id": "other"}}).status == 403
    assert admin.patch(one, {"project": {"domain_id": "other"}}).status == 400
    assert admin.patch(one, {"project": {"is_domain": True}}).status == 400
    assert admin.patch(one, {"project": {"id": "other"}}).status == 400
    assert admin.delete(one).status == 204
    assert admin.delete(one).status == 404


def test_a_tree_of_projects(world: World) -> None:
    admin = world.admin()
    parent, made = "default", []
    for at in range(5):
        body = {"project": {"name": f"p{at}", "parent_id": parent}}
        parent = admin.post(f"{V3}/projects", body).expect(201)["project"]["id"]
        made.append(parent)
    deepest = admin.post(f"{V3}/projects", {"project": {"name": "p5", "parent_id": parent}})
    assert "Max hierarchy depth" in deepest.expect(403)["error"]["message"]
    top, second = made[0], made[1]
    shown = admin.get(f"{V3}/projects/{second}?subtree_as_ids&parents_as_ids=1").expect(200)
    assert shown["project"]["parents"] == {top: {"default": None}}
    assert shown["project"]["subtree"] == {made[2]: {made[3]: {made[4]: None}}}
    shown = admin.get(f"{V3}/projects/{second}?subtree_as_list=1&parents_as_list=1").expect(200)
    assert [each["project"]["id"] for each in shown["project"]["parents"]] == [top]
    assert len(shown["project"]["subtree"]) == 3
    both = admin.get(f"{V3}/projects/{second}?subtree_as_list=1&subtree_as_ids=1")
    assert both.status == 400
    assert admin.delete(f"{V3}/projects/{top}").status == 403
    off = {"project": {"enabled": False}}
    assert admin.patch(f"{V3}/projects/{top}", off).status == 403
    for each in reversed(made):
        assert admin.patch(f"{V3}/projects/{each}", off).status == 200
    on = {"project": {"enabled": True}}
    assert admin.patch(f"{V3}/projects/{second}", on).status == 403
    below = {"project": {"name": "late", "parent_id": top}}
    assert admin.post(f"{V3}/projects", below).status == 403


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("project", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "   "}, 400),
        ({"name": "x" * 65}, 400),
        ({"name": "a\u0000b"}, 400),
        ({}, 400),
        ({"name": "a", "enabled": "maybe"}, 400),
        ({"name": "a", "parent_id": "gone"}, 400),
        ({"name": "a", "domain_id": "gone"}, 400),
        ({"name": "a", "tags": ["x,y"]}, 400),
        ({"name": "a", "tags": ["x"] * 81}, 400),
        ({"name": "a", "options": {"unknown": True}}, 400),
        ({"name": "a", "is_domain": True, "parent_id": "default"}, 400),
    ],
)
def test_projects_that_are_refused(world: World, project: dict[str, Any], status: int) -> None:
    answer = world.admin().post(f"{V3}/projects", {"project": project})
    assert answer.expect(status)["error"]["code"] == status


def test_a_project_that_acts_as_a_domain(world: World) -> None:
    admin = world.admin()
    body = {"project": {"name": "acme", "is_domain": True}}
    made = admin.post(f"{V3}/projects", body).expect(201)["project"]
    assert (made["is_domain"], made["domain_id"], made["parent_id"]) == (True, None, None)
    assert admin.get(f"{V3}/domains/{made['id']}").status == 200
    assert admin.delete(f"{V3}/projects/{made['id']}").status == 403
    assert admin.patch(f"{V3}/projects/{made['id']}", {"project": {"enabled": False}}).status == 200
    assert admin.delete(f"{V3}/projects/{made['id']}").status == 204


def test_tags(world: World) -> None:
    admin = world.admin()
    tags = f"{V3}/projects/{world.first.project_id}/tags"
    assert admin.put(f"{tags}/blue").status == 201
    assert admin.put(f"{tags}/blue").status == 201
    assert admin.get(f"{tags}/blue").status == 204
    assert admin.get(f"{tags}/red").status == 404
    assert admin.put(tags, {"tags": ["x", "y"]}).expect(200)["tags"] == ["x", "y"]
    for query, found in (
        ("tags=x,y", 1),
        ("tags=x,z", 0),
        ("tags-any=x,z", 1),
        ("not-tags=x,y", 0),
        ("not-tags-any=x,z", 0),
        ("not-tags=x,z", 1),
    ):
        listed = admin.get(f"{V3}/projects?{query}").expect(200)["projects"]
        assert len(listed) == found, query
    assert admin.delete(f"{tags}/x").status == 204
    assert admin.delete(f"{tags}/x").status == 404
    assert admin.get(tags).expect(200)["tags"] == ["y"]
    assert admin.put(f"{tags}/{'t' * 256}").status == 400
    assert admin.delete(tags).status == 204
    assert admin.put(tags, {"tags": [str(at) for at in range(80)]}).status == 200
    assert admin.put(f"{tags}/more").status == 400


def test_the_life_of_a_user(world: World) -> None:
    admin = world.admin()
    body = {
        "name": "ada", "password": "s3cret", "email": "ada@example.org",
        "description": "first", "default_project_id": world.first.project_id,
    }  # fmt: skip
    user = admin.post(f"{V3}/users", {"user": body}).expect(201)["user"]
    assert "password" not in user
    assert (user["email"], user["domain_id"], user["enabled"]) == (
        "ada@example.org", "default", True,
    )  # fmt: skip
    one = f"{V3}/users/{user['id']}"
    assert admin.get(one).expect(200)["user"] == user
    assert admin.post(f"{V3}/users", {"user": body}).status == 409
    changed = admin.patch(
        one, {"user": {"name": "lovelace", "email": "l@example.org", "default_project_id": None}}
    ).expect(200)["user"]
    assert (changed["name"], changed["email"]) == ("lovelace", "l@example.org")
    assert "default_project_id" not in changed
    assert admin.patch(one, {"user": {"domain_id": "other"}}).status == 400
    assert admin.patch(one, {"user": {"default_project_id": "default"}}).status == 400
    for query, found in (
        ("name=lovelace", 1), ("name=lovelace&enabled=false", 0), ("domain_id=default", 2),
        ("idp_id=x", 0), ("password_expires_at=lt:2030-01-01T00:00:00Z", 0),
    ):  # fmt: skip
        assert len(admin.get(f"{V3}/users?{query}").expect(200)["users"]) == found, query
    assert admin.get(f"{V3}/users?password_expires_at=soon").status == 400
    assert admin.get(f"{V3}/users?password_expires_at=lt:soon").status == 400
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404


def test_user_options(world: World) -> None:
    admin = world.admin()
    options = {"lock_password": True, "ignore_password_expiry": False}
    body = {"user": {"name": "ada", "options": options}}
    user = admin.post(f"{V3}/users", body).expect(201)["user"]
    assert user["options"] == options
    one = f"{V3}/users/{user['id']}"
    changed = admin.patch(one, {"user": {"options": {"lock_password": None}}}).expect(200)
    assert changed["user"]["options"] == {"ignore_password_expiry": False}
    for refused in (
        {"multi_factor_auth_enabled": 1},
        {"multi_factor_auth_rules": [[]]},
        {"multi_factor_auth_rules": [["password", "password"]]},
        {"multi_factor_auth_rules": [["password", "totp"], ["totp", "password"]]},
        {"lock_password": "yes"},
        {"unheard_of": True},
    ):
        assert admin.patch(one, {"user": {"options": refused}}).status == 400


def test_immutable_things_stay(world: World) -> None:
    admin = world.admin()
    for noun in ("project", "domain", "role"):
        body = {noun: {"name": "rock", "options": {"immutable": True}}}
        made = admin.post(f"{V3}/{noun}s", body).expect(201)[noun]
        one = f"{V3}/{noun}s/{made['id']}"
        assert admin.patch(one, {noun: {"description": "sand"}}).status == 403
        assert admin.delete(one).status == 403
        loose = {noun: {"options": {"immutable": False}}}
        assert admin.patch(one, loose).expect(200)[noun]["options"] == {"immutable": False}
        if noun == "domain":
            assert admin.patch(one, {noun: {"enabled": False}}).status == 200
        assert admin.delete(one).status == 204


def test_groups_and_members(world: World) -> None:
    admin = world.admin()
    group = admin.post(f"{V3}/groups", {"group": {"name": "ops", "x": 1}}).expect(201)["group"]
    assert (group["domain_id"], group["description"], group["x"]) == ("default", "", 1)
    one = f"{V3}/groups/{group['id']}"
    member = f"{one}/users/{world.first.user_id}"
    assert admin.get(member).status == 404
    assert admin.put(member).status == 204
    assert admin.put(member).status == 204
    assert admin.call("HEAD", member).status == 204
    users = admin.get(f"{one}/users?name=admin").expect(200)["users"]
    assert [each["name"] for each in users] == ["admin"]
    mine = f"{V3}/users/{world.first.user_id}/groups"
    assert [each["id"] for each in admin.get(mine).expect(200)["groups"]] == [group["id"]]
    assert admin.get(f"{mine}?name=other").expect(200)["groups"] == []
    assert admin.patch(one, {"group": {"name": "sre", "description": None}}).status == 200
    assert admin.patch(one, {"group": {"domain_id": "x"}}).status == 400
    assert len(admin.get(f"{V3}/groups?name=sre").expect(200)["groups"]) == 1
    assert admin.post(f"{V3}/groups", {"group": {"name": "sre"}}).status == 409
    assert admin.put(f"{one}/users/none").status == 404
    assert admin.delete(member).status == 204
    admin = world.admin()  # the membership's end killed the user's tokens
    assert admin.delete(member).status == 404
    assert admin.delete(one).status == 204
    assert admin.get(one).status == 404


def test_lists_page_by_marker(world: World) -> None:
    admin = world.admin()
    for at in range(5):
        admin.post(f"{V3}/users", {"user": {"name": f"u{at}"}}).expect(201)
    seen: list[str] = []
    url: str | None = f"{V3}/users?limit=2"
    while url:
        page = admin.get(url).expect(200)
        assert len(page["users"]) <= 2
        seen += [each["id"] for each in page["users"]]
        following = page["links"]["next"]
        url = following and following.partition(":8444")[2]
    assert seen == sorted(seen)
    assert len(set(seen)) == 6
    assert admin.get(f"{V3}/users?limit=no").status == 400
    assert admin.get(f"{V3}/users?marker=none").status == 400
