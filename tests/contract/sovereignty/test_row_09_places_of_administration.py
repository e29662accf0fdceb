"""Row 9: administration only from allowed places."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from andromede.services import sovereignty
from andromede.services.identity import passwords
from andromede.sovereignty.log.leaves import leaf
from tests.contract.identity.conftest import CHEAP, PASSWORD, World, by_password, open_world
from tests.contract.identity.making import grant, make
from tests.harness import OPEN, Answer, Client

POLICY = "/sovereignty/v1/policies/cloud"
SITE = "/sovereignty/v1/sites/paris"
USERS = "/identity/v3/users"


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    made = open_world(tmp_path, database_url, sovereignty.SERVICE)
    yield made
    made.cloud.close()


def at(client: Client, remote: str) -> Client:
    return dataclasses.replace(client, remote=remote)


def allow(client: Client, *places: str) -> Answer:
    policy = msgspec.to_builtins(OPEN) | {"administration_from": places}
    return client.put(POLICY, {"policy": policy})


def leaves(world: World) -> list[Any]:
    refused = sa.select(leaf).where(leaf.c.status == 403).order_by(leaf.c.arrival)
    with world.cloud.database.read() as connection:
        return list(connection.execute(refused))


def test_an_admin_session_from_elsewhere_is_refused(world: World) -> None:
    admin, system = world.admin(), world.system()
    for client in (admin, system):
        assert at(client, "203.0.113.9").get(USERS).status == 200
    assert allow(admin, "127.0.0.0/8", "2001:db8::/32").status == 200
    for client in (admin, system):
        assert client.get(USERS).status == 200
        assert at(client, "2001:db8::7").get(USERS).status == 200
        assert at(client, "::ffff:127.0.0.9").get(USERS).status == 200
        for elsewhere in ("203.0.113.9", "2001:db9::7", "", "no address"):
            refused = at(client, elsewhere).get(USERS).expect(403)["error"]["message"]
            assert "administration_from" in refused
    seen = leaves(world)
    assert len(seen) == 8
    assert {row.actor for row in seen} == {world.first.user_id}
    assert seen[0].action == "identity:user:list"
    assert seen[0].detail["rule"] == "administration_from"
    assert "203.0.113.9" in seen[0].detail["reason"]


def test_a_login_from_elsewhere_is_refused_once_it_is_proven(world: World) -> None:
    assert allow(world.admin(), "127.0.0.0/8").status == 200
    away = at(world.anonymous(private=True), "203.0.113.9")

    def login(password: str, scope: Any) -> Answer:
        auth = {"identity": by_password("admin", password), "scope": scope}
        return away.post("/identity/v3/auth/tokens", {"auth": auth})

    system = {"system": {"all": True}}
    assert login("wrong", system).status == 401
    assert leaves(world) == []
    assert login(PASSWORD, system).status == 403
    assert login(PASSWORD, {"project": {"id": world.first.project_id}}).status == 403
    assert [row.subject for row in leaves(world)] == [world.first.user_id] * 2
    assert login(PASSWORD, "unscoped").status == 201


def test_sites_name_places_by_their_networks(world: World) -> None:
    admin = world.admin()
    assert allow(admin, "127.0.0.1/32", "paris").status == 200
    inside = at(admin, "198.51.100.20")
    assert inside.get(USERS).status == 403
    assert admin.put(SITE, {"site": {"networks": ["198.51.100.0/24"]}}).status in (200, 201)
    assert inside.get(USERS).status == 200
    assert at(admin, "198.51.101.20").get(USERS).status == 403


def test_customers_come_from_everywhere(world: World) -> None:
    admin = world.admin()
    user = make(admin, "user", name="ada", password="pw")["id"]
    project = make(admin, "project", name="web")["id"]
    grant(admin, "project", project, "user", user, world.first.roles["member"])
    assert allow(admin, "127.0.0.0/8").status == 200
    for private in (True, False):
        client = world.login("ada", {"project": {"id": project}}, password="pw", private=private)
        assert at(client, "203.0.113.9").get(f"{USERS}/{user}").status == 200


def test_nobody_shuts_itself_out(world: World) -> None:
    admin = world.admin()
    assert allow(admin, "198.51.100.0/24").status == 403
    assert allow(admin).status == 403
    assert admin.get(POLICY).expect(200)["policy"].get("administration_from") is None
    assert allow(admin, "no network/99").status == 400
    assert allow(admin, "127.0.0.1/32").status == 200
