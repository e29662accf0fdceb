"""Credentials of users: made, seen by their owner, kept wrapped."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services.identity.user_credentials.store import credential
from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client, unknown_id

PATH = f"{V3}/credentials"
EC2 = {"access": "AKIA", "secret": "swordfish"}


@pytest.fixture
def ada(world: World) -> Client:
    return member(world, "ada")


def member(world: World, name: str) -> Client:
    admin = world.admin()
    user = make(admin, "user", name=name, password="pw")["id"]
    project = make(admin, "project", name=f"project of {name}")["id"]
    grant(admin, "project", project, "user", user, world.first.roles["member"])
    return world.login(name, {"project": {"id": project}}, password="pw", private=False)


def new(client: Client, blob: str = "hush", kind: str = "cert", **more: Any) -> dict[str, Any]:
    document = {"credential": {"type": kind, "blob": blob, **more}}
    made: dict[str, Any] = client.post(PATH, document).expect(201)["credential"]
    return made


def test_the_life_of_a_credential(world: World, ada: Client) -> None:
    made = new(ada)
    assert set(made) == {"id", "user_id", "project_id", "type", "blob", "links"}
    one = f"{PATH}/{made['id']}"
    assert ada.get(one).expect(200)["credential"] == made
    changed = ada.patch(one, {"credential": {"project_id": "p"}}).expect(200)["credential"]
    assert changed == {**made, "project_id": "p"}
    changed = ada.patch(one, {"credential": {"blob": "new"}}).expect(200)["credential"]
    assert changed["blob"] == ada.get(one).json["credential"]["blob"] == "new"
    turned = {"credential": {"type": "totp", "blob": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}
    assert ada.patch(one, turned).expect(200)["credential"]["type"] == "totp"
    assert ada.delete(one).status == 403  # a second factor now, and the token has one
    assert world.admin().delete(one).status == 204
    assert world.admin().get(one).status == 404
    assert ada.get(one).status == 403


def test_an_ec2_credential_is_known_by_its_access_key(ada: Client) -> None:
    made = new(ada, json.dumps(EC2), "ec2", project_id="p")
    assert made["id"] == hashlib.sha256(b"AKIA").hexdigest()
    again = {"credential": {"type": "ec2", "blob": json.dumps(EC2), "project_id": "p"}}
    assert ada.post(PATH, again).status == 409
    one = f"{PATH}/{made['id']}"
    other = {"credential": {"blob": json.dumps({"access": "other", "secret": "s"})}}
    assert ada.patch(one, other).status == 200
    assert new(ada, json.dumps({**EC2, "access": "third"}), "ec2", project_id="p")["id"]
    third = {"credential": {"blob": json.dumps({**EC2, "access": "third"})}}
    assert ada.patch(one, third).status == 409
    kept = {"credential": {"blob": json.dumps({**EC2, "secret": "new"})}}
    assert ada.patch(one, kept).status == 200
    for change in ({"type": "cert", "blob": "x"}, {"type": "cert"}, {"blob": "{"}):
        assert ada.patch(one, {"credential": change}).status == 400


def test_nobody_sees_or_changes_anothers(world: World, ada: Client) -> None:
    bob = member(world, "bob")
    mine, his = new(ada), new(bob)
    one = f"{PATH}/{his['id']}"
    assert ada.get(one).status == 403
    assert ada.patch(one, {"credential": {"blob": "x"}}).status == 403
    assert ada.delete(one).status == 403
    assert ada.get(f"{PATH}/{unknown_id()}").status == 403
    assert [each["id"] for each in ada.get(PATH).json["credentials"]] == [mine["id"]]
    assert ada.get(f"{PATH}?user_id={his['user_id']}").json["credentials"] == []
    body = {"credential": {"type": "cert", "blob": "x", "user_id": his["user_id"]}}
    assert ada.post(PATH, body).status == 403
    assert bob.get(one).json["credential"]["blob"] == "hush"


def test_operators_list_and_filter(world: World, ada: Client) -> None:
    admin = world.admin()
    mine, his = new(ada), new(admin)
    key = new(ada, json.dumps(EC2), "ec2", project_id="p")
    known = sorted([mine["id"], his["id"], key["id"]])
    assert [each["id"] for each in admin.get(PATH).json["credentials"]] == known
    found = admin.get(f"{PATH}?user_id={mine['user_id']}&type=ec2").json["credentials"]
    assert [each["id"] for each in found] == [key["id"]]
    page = admin.get(f"{PATH}?limit=2").json
    assert page["links"]["next"].endswith(f"marker={known[1]}")


def test_operators_who_need_consent_see_no_blob(closed: World) -> None:
    from tests.contract.identity.conftest import by_password
    from tests.contract.identity.test_second_factor import ada as customer
    from tests.contract.identity.test_second_factor import exchange, local

    operator = local(closed)
    _, project = customer(closed, operator)
    client = exchange(closed, by_password("ada", "pw"), project, private=False)
    made = new(client)
    shown = operator.get(f"{PATH}/{made['id']}").expect(200)["credential"]
    assert shown == {**made, "blob": None, "links": shown["links"]}
    listed = operator.get(PATH).expect(200)["credentials"]
    assert [each["blob"] for each in listed] == [None]
    change = {"credential": {"project_id": "p"}}
    assert operator.patch(f"{PATH}/{made['id']}", change).status == 403
    changed = operator.patch(f"{PATH}/{new(operator)['id']}", change)
    assert changed.expect(200)["credential"]["blob"] == "hush"
    assert client.get(f"{PATH}/{made['id']}").json["credential"]["blob"] == "hush"


def test_the_database_holds_no_secret(world: World, ada: Client) -> None:
    new(ada, "swordfish")
    with world.cloud.database.read() as connection:
        (stored,) = connection.execute(sa.select(credential.c.wrapped)).scalars()
    assert b"swordfish" not in stored


def test_faulty_credentials_change_nothing(ada: Client) -> None:
    good: dict[str, Any] = {"type": "cert", "blob": "x"}
    for change in (
        {"blob": ""}, {"blob": 1}, {"type": ""}, {"user_id": "a b"}, {"type": "ec2"},
        {"type": "ec2", "blob": "{}", "project_id": "p"},
        {"type": "ec2", "blob": json.dumps(EC2)}, {"type": "totp"},
        {"type": "ec2", "blob": "[]", "project_id": "p"},
    ):  # fmt: skip
        assert ada.post(PATH, {"credential": good | change}).status == 400
    assert ada.get(PATH).json["credentials"] == []


def test_a_credential_of_nobody_is_refused(world: World) -> None:
    body = {"credential": {"type": "cert", "blob": "x", "user_id": "nobody"}}
    assert world.admin().post(PATH, body).status == 400
