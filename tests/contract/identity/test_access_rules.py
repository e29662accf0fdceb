"""Access rules: the requests that an application credential is for, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.http.access import AccessRule
from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, exchange, grant, make, me, member
from tests.harness import Client, unknown_id

RULE = {"service": "identity", "method": "GET", "path": "/v3/users/*/groups"}


def users(client: Client) -> str:
    return f"{V3}/users/{me(client)['user']['id']}"


def new(client: Client, *rules: dict[str, Any], name: str = "ci") -> dict[str, Any]:
    body = {"application_credential": {"name": name, "access_rules": list(rules)}}
    answer = client.post(f"{users(client)}/application_credentials", body)
    made: dict[str, Any] = answer.expect(201)["application_credential"]
    return made


def use(world: World, made: dict[str, Any]) -> Client:
    held = {"id": made["id"], "secret": made["secret"]}
    body = {"methods": ["application_credential"], "application_credential": held}
    return exchange(world, body)


def test_a_bearer_does_what_its_rules_name(world: World) -> None:
    ada = member(world, "ada")
    path = users(ada)
    made = new(ada, RULE)
    shown = made["access_rules"][0]
    assert {key: value for key, value in shown.items() if key != "id"} == RULE
    bearer = use(world, made)
    assert bearer.get(f"{path}/groups").status == 200
    for answer in (
        bearer.get(path), bearer.get(f"{path}/projects"), bearer.call("HEAD", f"{path}/groups"),
        bearer.get(f"{V3}/auth/tokens", headers={"X-Subject-Token": str(bearer.token)}),
    ):  # fmt: skip
        assert answer.status == 401
    assert "GET /v3/users/*/groups" in bearer.get(path).json["error"]["message"]
    whole = {**RULE, "path": "/identity/v3/users/{user_id}/groups"}
    assert use(world, new(ada, whole, name="cd")).get(f"{path}/groups").status == 200
    other = {**RULE, "service": "compute"}
    assert use(world, new(ada, other, name="ce")).get(f"{path}/groups").status == 401
    assert "access_rules" not in new(ada, name="cf")


def test_a_path_is_held_to_the_rules_as_it_is_routed(world: World) -> None:
    ada = member(world, "ada")
    path = users(ada)
    below = {**RULE, "path": "/v3/users/**"}
    bearer = use(world, new(ada, below))
    assert bearer.get(f"{path}/groups").status == 200
    assert bearer.get(f"{V3}//users/{path.rpartition('/')[2]}//groups").status == 200
    for other in (f"{V3}/users/", f"{V3}/users//", f"{V3}/auth/projects"):
        assert bearer.get(other).status == 401
    narrow = use(world, new(ada, RULE, name="cd"))
    assert narrow.get(f"{path}%2Fgroups").status == 401


def test_services_that_know_no_rules_see_no_token(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    subject = {"X-Subject-Token": str(use(world, new(ada, RULE)).token)}
    plain = {"X-Subject-Token": str(use(world, new(ada, name="cd")).token)}
    path = f"{V3}/auth/tokens"
    assert admin.get(path, headers=plain).status == 200
    assert admin.get(path, headers=subject).status == 404
    knows = {**subject, "OpenStack-Identity-Access-Rules": "1.0"}
    told = admin.get(path, headers=knows).expect(200)["token"]["application_credential"]
    assert told["access_rules"][0]["path"] == RULE["path"]


def test_the_rules_of_a_user(world: World) -> None:
    ada, bob = member(world, "ada"), member(world, "bob")
    path = f"{users(ada)}/access_rules"
    made = new(ada, RULE, {**RULE, "method": "POST"})
    again = new(ada, RULE, {"id": made["access_rules"][0]["id"]}, name="cd")
    assert len(again["access_rules"]) in (1, 2)
    rules = ada.get(path).expect(200)["access_rules"]
    assert len(rules) == 2
    assert [x["method"] for x in ada.get(f"{path}?method=POST").json["access_rules"]] == ["POST"]
    post = ada.get(f"{path}?method=POST").json["access_rules"][0]
    one = f"{path}/{post['id']}"
    assert ada.get(one).expect(200)["access_rule"] == post
    assert ada.delete(one).status == 403
    assert bob.get(one).status == bob.get(path).status == bob.delete(one).status == 403
    assert world.admin().get(one).status == 200
    his = f"{users(bob)}/access_rules/{post['id']}"
    assert bob.get(his).status == 404
    for each in (made, again):
        gone = f"{users(ada)}/application_credentials/{each['id']}"
        assert ada.delete(gone).status == 204
    assert ada.delete(one).status == 204
    assert ada.get(one).status == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_bad_rules(world: World) -> None:
    ada, bob = member(world, "ada"), member(world, "bob")
    path = f"{users(ada)}/application_credentials"
    his = new(bob, RULE)["access_rules"][0]["id"]
    for rule, status in (
        ({}, 400), ({"service": "compute", "method": "GET"}, 400),
        ({**RULE, "method": "FETCH"}, 400), ({**RULE, "path": "servers"}, 400),
        ({**RULE, "path": "/" + "x" * 225}, 400), ({"id": unknown_id()}, 404), ({"id": his}, 404),
    ):  # fmt: skip
        body = {"application_credential": {"name": "ci", "access_rules": [rule]}}
        assert ada.post(path, body).status == status, rule
    assert ada.get(path).json["application_credentials"] == []


def test_roles_granted_since_the_login_may_be_carried(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    token = me(ada)
    role = make(admin, "role", name="painter")["id"]
    grant(admin, "project", token["project"]["id"], "user", token["user"]["id"], role)
    body = {"name": "ci", "roles": [{"id": role}], "unrestricted": True}
    path = f"{users(ada)}/application_credentials"
    made = ada.post(path, {"application_credential": body}).expect(201)["application_credential"]
    assert [each["id"] for each in made["roles"]] == [role]
    bearer = use(world, made)
    more = {"application_credential": {"name": "cd", "roles": [{"name": "member"}]}}
    assert bearer.post(path, more).status == 400


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/v2.1/servers/*/ips", "/v2.1/servers/a/ips", True),
        ("/v2.1/servers/*/ips", "/v2.1/servers/a/b/ips", False),
        ("/v2.1/servers/*/ips", "/v2.1/servers//ips", False),
        ("/v2.1/servers/{server_id}", "/v2.1/servers/a", True),
        ("/v2.1/**", "/v2.1/servers/a/ips", True),
        ("/v2.1/**", "/v2x1/servers", False),
        ("/v2.1/servers", "/v2.1/servers/", False),
        ("/v2.1/servers*", "/v2.1/servers-x", True),
        ("/v2.1/servers", "/v2.1/servers\n", False),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    rule = AccessRule("compute", "GET", pattern)
    assert rule.permits("compute", "GET", path) is fits
    assert not rule.permits("image", "GET", path)
    assert not rule.permits("compute", "PUT", path)
