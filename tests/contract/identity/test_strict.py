"""What the schemas of the real service refuse is refused, though it could be guessed what is meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, make, member

LONG = "x" * 256


@pytest.mark.parametrize(
    "noun", ["user", "group", "project", "domain", "role", "region", "service"]
)
def test_a_change_changes_something(world: World, noun: str) -> None:
    more = {"type": "extra", "name": "x"} if noun == "service" else {"name": "x"}
    admin = world.admin()
    made = make(admin, noun, **({} if noun == "region" else more))
    url = f"{V3}/{noun}s/{made['id']}"
    refused = admin.patch(url, {noun: {}}).expect(400)["error"]["message"]
    assert "does not have enough properties" in refused
    assert admin.patch(url, {noun: {"note": "kept"}}).expect(200)[noun]["note"] == "kept"


@pytest.mark.parametrize("noun", ["user", "group", "project", "domain", "role"])
def test_nothing_stands_beside_the_noun(world: World, noun: str) -> None:
    body: dict[str, Any] = {noun: {"name": "x"}, "more": 1}
    assert world.admin().post(f"{V3}/{noun}s", body).status == 400


@pytest.mark.parametrize(
    ("noun", "body"),
    [
        ("user", {"name": "x", "domain_id": None}), ("group", {"name": "x", "domain_id": None}),
        ("domain", {"name": "x", "explicit_domain_id": None}),
        ("domain", {"name": "x", "description": LONG}), ("region", {"description": LONG}),
        ("service", {"type": "x", "name": None}),
    ],
)  # fmt: skip
def test_what_a_noun_may_not_have(world: World, noun: str, body: dict[str, Any]) -> None:
    assert world.admin().post(f"{V3}/{noun}s", {noun: body}).status == 400


@pytest.mark.parametrize(
    "query",
    [
        f"users?name={LONG}", "users?enabled=perhaps", "users?sort_dir=sideways", "groups?name=",
        f"projects?name={'x' * 65}", f"domains?name={'x' * 65}", f"roles?name={LONG}",
        "regions?colour=red", "OS-EP-FILTER/endpoint_groups?colour=red",
        "role_assignments?scope.domain.id=",
    ],
)  # fmt: skip
def test_queries_are_as_the_schema_says(world: World, query: str) -> None:
    assert world.admin().get(f"{V3}/{query}").status == 400


def test_queries_that_are_accepted(world: World) -> None:
    for query in (
        "users?enabled=True&sort_dir=asc", "users?enabled",
        "regions?parent_region_id=x&limit=1", "OS-EP-FILTER/endpoint_groups?name=all&marker=",
    ):  # fmt: skip
        assert world.admin().get(f"{V3}/{query}").status == 200


def test_application_credentials_take_no_null_and_nothing_unknown(world: World) -> None:
    ada = member(world, "ada")
    user = ada.get(f"{V3}/auth/tokens", headers={"X-Subject-Token": str(ada.token)})
    url = f"{V3}/users/{user.expect(200)['token']['user']['id']}/application_credentials"
    for more in ({"project_id": None}, {"access_rules": None}, {"colour": "red"}):
        body = {"application_credential": {"name": "x", **more}}
        assert ada.post(url, body).status == 400
    assert ada.post(url, {"application_credential": {"name": "x"}, "more": 1}).status == 400


def test_a_credential_keeps_its_owner(world: World) -> None:
    ada = member(world, "ada")
    body = {"credential": {"type": "cert", "blob": "x"}}
    made = ada.post(f"{V3}/credentials", body).expect(201)["credential"]
    url = f"{V3}/credentials/{made['id']}"
    same = {"id": made["id"], "user_id": made["user_id"], "blob": "y"}
    assert ada.patch(url, {"credential": same}).expect(200)["credential"]["blob"] == "y"
    for more in ({"user_id": "another"}, {"id": "another"}, {"colour": "red"}):
        assert ada.patch(url, {"credential": {"blob": "z", **more}}).status == 400
    assert ada.get(url).expect(200)["credential"]["blob"] == "y"
