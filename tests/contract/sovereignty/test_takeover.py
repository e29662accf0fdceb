"""Operators do not become customers: roles on a customer's project, and passwords of its users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services import sovereignty
from andromede.services.identity import passwords
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import CLOUD, Policy, Switch
from tests.contract.identity.conftest import CHEAP, World, open_world
from tests.contract.identity.making import V3, grant, make
from tests.harness import OPEN, Client


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    made = open_world(tmp_path, database_url, sovereignty.SERVICE, closed=True)
    policy = Policy(second_factor=Switch.OFF)  # operators need consent still
    made.cloud.database.transact(lambda c: policies.put(c, CLOUD, policy))
    yield made
    made.cloud.close()


def people(world: World) -> dict[str, str]:
    """A customer's project `web` with its first user, an operator, and somebody new."""
    admin, roles = world.admin(), world.first.roles
    made = {name: make(admin, "user", name=name, password="pw")["id"] for name in
            ("ada", "boss", "new")}  # fmt: skip
    made |= {name: make(admin, "project", name=name)["id"] for name in ("web", "ops")}
    grant(admin, "project", made["ops"], "user", made["boss"], roles["admin"])
    grant(admin, "project", made["web"], "user", made["ada"], roles["member"])
    return made


def notices(world: World, who: dict[str, str]) -> list[dict[str, Any]]:
    ada = world.login("ada", {"project": {"id": who["web"]}}, password="pw", private=False)
    listed: list[dict[str, Any]] = ada.get("/sovereignty/v1/notices").expect(200)["notices"]
    return listed


def path(who: dict[str, str], user: str, role: str) -> str:
    return f"{V3}/projects/{who['web']}/users/{who.get(user, user)}/roles/{role}"


@pytest.mark.parametrize("role", ["member", "admin", "reader"])
def test_no_operator_gets_a_role_on_a_customers_project(world: World, role: str) -> None:
    who, wanted = people(world), world.first.roles[role]
    for client in (world.admin(), world.system()):
        for user in ("boss", world.first.user_id):
            refused = client.put(path(who, user, wanted)).expect(403)["error"]["message"]
            assert "is an operator" in refused
            assert client.get(path(who, user, wanted)).status == 404
    with world.cloud.database.read() as connection:
        told = connection.execute(sa.select(leaf).where(leaf.c.status == 403)).all()
    assert {row.project_id for row in told} == {who["web"]}
    assert notices(world, who) == []


def test_nor_by_a_group_or_by_inheritance(world: World) -> None:
    who, admin, member = people(world), world.admin(), world.first.roles["member"]
    group = make(admin, "group", name="helpers")["id"]
    grant(admin, "project", who["web"], "group", group, member)
    assert admin.put(f"{V3}/groups/{group}/users/{who['boss']}").status == 403
    assert admin.put(f"{V3}/groups/{group}/users/{who['new']}").status == 204
    second = make(admin, "group", name="operators")["id"]
    assert admin.put(f"{V3}/groups/{second}/users/{who['boss']}").status == 204
    assert admin.put(f"{V3}/projects/{who['web']}/groups/{second}/roles/{member}").status == 403
    inherited = f"{V3}/OS-INHERIT/domains/default/users/{who['boss']}/roles/{member}"
    assert admin.put(f"{inherited}/inherited_to_projects").status == 403


def test_operators_of_operators_projects_are_no_ones_guests(world: World) -> None:
    who, roles = people(world), world.first.roles
    for client in (world.admin(), world.system()):
        for target in (f"projects/{who['ops']}", f"projects/{world.first.project_id}", "system"):
            one = f"{V3}/{target}/users/{who['boss']}/roles/{roles['admin']}"
            assert client.put(one).status == 204, target


def test_the_customer_is_told_of_every_new_hand(world: World) -> None:
    who, admin, member = people(world), world.admin(), world.first.roles["member"]
    assert admin.put(path(who, "new", member)).status == 204
    assert admin.put(path(who, "new", member)).status == 204  # held already: nothing to tell
    (told,) = notices(world, who)
    assert told["kind"] == "membership"
    for text in (told["text_fr"], told["text_en"]):
        assert who["new"] in text
        assert world.first.user_id in text


def test_the_customer_is_told_of_a_password_that_an_operator_set(world: World) -> None:
    who, admin = people(world), world.admin()
    body = {"user": {"password": "pw"}}
    assert admin.patch(f"{V3}/users/{who['ada']}", {"user": {"name": "ada"}}).status == 200
    assert notices(world, who) == []
    assert admin.patch(f"{V3}/users/{who['ada']}", body).status == 200
    (told,) = notices(world, who)
    assert (told["kind"], who["ada"] in told["text_en"]) == ("password", True)
    assert admin.patch(f"{V3}/users/{world.first.user_id}", body).status == 200
    assert len(notices(world, who)) == 1


def test_an_open_cloud_gives_roles_as_it_likes(world: World) -> None:
    who = people(world)
    world.cloud.database.transact(lambda c: policies.put(c, CLOUD, OPEN))
    client: Client = world.admin()
    assert client.put(path(who, "boss", world.first.roles["member"])).status == 204
    assert notices(world, who) == []
