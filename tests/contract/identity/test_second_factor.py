"""The second factor: who needs it, what it takes, and what does not replace it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from andromede import clock, totp
from andromede.services.identity import api
from andromede.services.identity.user_credentials import store
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.policy.model import CLOUD
from tests.contract.identity.conftest import PASSWORD, World, by_password
from tests.contract.identity.making import V3, grant, make
from tests.harness import Answer, Client

STEP = totp.STEP * clock.SECOND


@contextmanager
def at(moment: int) -> Iterator[None]:
    clock.set_source(lambda: moment)
    try:
        yield
    finally:
        clock.set_source(None)


def local(world: World) -> Client:
    """The local operator, with the credential that the cloud's start makes."""
    hashed = api.hash_password("s")
    made = world.cloud.database.transact(
        lambda c: api.operator_credential(
            c, user_id=world.first.user_id, project_id=world.first.project_id, secret="s",
            secret_hash=hashed, lifetime=3600,
        )
    )  # fmt: skip
    return exchange(world, by_credential(made.id, "s"))


def by_credential(key: str, secret: str) -> dict[str, Any]:
    held = {"id": key, "secret": secret}
    return {"methods": ["application_credential"], "application_credential": held}


def exchange(world: World, identity: Any, scope: Any = None, private: bool = True) -> Client:
    answer = world.try_login(identity, scope, private=private)
    answer.expect(201)
    return world.cloud.bearer(answer.headers["x-subject-token"], private=private)


def enroll(client: Client, user_id: str | None = None) -> bytes:
    secret = secrets.token_bytes(20)
    body = {"type": "totp", "blob": base64.b32encode(secret).decode(), "user_id": user_id}
    client.post(f"{V3}/credentials", {"credential": body}).expect(201)
    return secret


def both(secret: bytes, name: str = "admin", password: str = PASSWORD, off: int = 0) -> Any:
    passcode = totp.code(secret, clock.now() // STEP + off)
    user = {"name": name, "domain": {"id": "default"}, "passcode": passcode}
    identity = by_password(name, password)
    return {**identity, "methods": ["password", "totp"], "totp": {"user": user}}


def scope(world: World) -> Any:
    return {"project": {"id": world.first.project_id}}


def ada(world: World, operator: Client, role: str = "member") -> tuple[str, Any]:
    """A customer's user, and the scope of her project."""
    user = make(operator, "user", name="ada", password="pw")["id"]
    project = make(operator, "project", name="web")["id"]
    grant(operator, "project", project, "user", user, world.first.roles[role])
    return user, {"project": {"id": project}}


def test_an_operator_needs_two_factors(closed: World) -> None:
    for wanted in (scope(closed), {"system": {"all": True}}):
        refused = closed.try_login(by_password("admin"), wanted, private=True)
        assert "second factor" in refused.expect(401)["error"]["message"]
    secret = enroll(local(closed), closed.first.user_id)
    now = clock.now()
    for steps, wanted in enumerate((scope(closed), {"system": {"all": True}})):
        with at(now + steps * STEP):
            operator = exchange(closed, both(secret), wanted)
            assert operator.get(f"{V3}/users").status == 200
            shown = operator.get(
                f"{V3}/auth/tokens", headers={"X-Subject-Token": str(operator.token)}
            ).expect(200)["token"]
            assert set(shown["methods"]) == {"password", "totp"}


def test_a_wrong_second_factor_says_no_more_than_a_wrong_password(closed: World) -> None:
    secret = enroll(local(closed), closed.first.user_id)
    wrong = both(secret)
    wrong["totp"]["user"]["passcode"] = "000000" if both(secret)["totp"] != "000000" else "1" * 6
    messages = [
        closed.try_login(each, scope(closed), private=True).expect(401)["error"]["message"]
        for each in (wrong, both(secret, password="wrong"), both(secrets.token_bytes(20), "nobody"))
    ]
    assert len(set(messages)) == 1
    odd = both(secret)
    odd["totp"]["user"]["passcode"] = "12ab56"
    assert closed.try_login(odd, scope(closed), private=True).status == 401


def test_a_passcode_is_used_once(closed: World) -> None:
    secret = enroll(local(closed), closed.first.user_id)
    now = clock.now()

    def login(moment: int, off: int = 0) -> Answer:
        with at(moment):
            return closed.try_login(both(secret, off=off), scope(closed), private=True)

    assert login(now).status == 201
    assert login(now).status == 401
    assert login(now, off=-1).status == 401  # older than the one that was used
    assert login(now, off=1).status == 201  # a client's clock that is ahead
    assert login(now + STEP).status == 401  # it was used, ahead of time
    assert login(now + 2 * STEP).status == 201


def test_guessing_stops_and_only_with_the_password(closed: World) -> None:
    secret = enroll(local(closed), closed.first.user_id)
    now = clock.now()
    with at(now):
        good = both(secret)
        bad = both(secret, off=50)
        for _ in range(store.TRIES + 1):  # without the password nobody can use the tries up
            stranger = both(secret, password="wrong", off=50)
            assert closed.try_login(stranger, scope(closed), private=True).status == 401
        for _ in range(store.TRIES):
            assert closed.try_login(bad, scope(closed), private=True).status == 401
        assert closed.try_login(good, scope(closed), private=True).status == 401
    with at(now + store.PAUSE * clock.SECOND):
        assert closed.try_login(both(secret), scope(closed), private=True).status == 201


def test_a_passcode_alone_is_no_login(closed: World) -> None:
    secret = enroll(local(closed), closed.first.user_id)
    alone = {**both(secret), "methods": ["totp"]}
    message = closed.try_login(alone, scope(closed), private=True).expect(401)["error"]["message"]
    assert "second factor" in message
    nameless = both(secret)
    del nameless["totp"]["user"]["domain"]
    assert closed.try_login(nameless, scope(closed), private=True).status == 400
    operator = local(closed)
    ada(closed, operator)
    other = both(secret)
    other["password"] = by_password("ada", "pw")["password"]
    assert closed.try_login(other, scope(closed), private=True).status == 401


def test_a_token_of_one_factor_gains_the_other(closed: World) -> None:
    secret = enroll(local(closed), closed.first.user_id)
    first = exchange(closed, by_password("admin"), "unscoped")
    by_token = {"methods": ["token"], "token": {"id": first.token}}
    assert closed.try_login(by_token, scope(closed), private=True).status == 401
    with_code = {**both(secret), **by_token, "methods": ["token", "totp"]}
    second = exchange(closed, with_code, scope(closed))
    again = {"methods": ["token"], "token": {"id": second.token}}
    assert closed.try_login(again, {"system": {"all": True}}, private=True).status == 201


def test_customers_need_one_factor(closed: World) -> None:
    _, project = ada(closed, local(closed))
    client = exchange(closed, by_password("ada", "pw"), project, private=False)
    secret = enroll(client)
    exchange(closed, both(secret, "ada", "pw"), project, private=False)
    exchange(closed, by_password("ada", "pw"), project, private=False)


def test_who_has_one_factor_does_not_make_the_second(closed: World) -> None:
    """A stolen password of an operator is worth nothing more than a password."""
    operator = local(closed)
    blob = base64.b32encode(bytes(20)).decode()
    new = {"credential": {"type": "totp", "blob": blob}}
    thief = exchange(closed, by_password("admin"), "unscoped")
    assert thief.post(f"{V3}/credentials", new).status == 403
    ec2 = {"type": "ec2", "blob": '{"access": "a", "secret": "b"}', "project_id": "p"}
    made = thief.post(f"{V3}/credentials", {"credential": ec2}).expect(201)["credential"]
    turned = {"credential": {"type": "totp", "blob": blob}}
    assert thief.patch(f"{V3}/credentials/{made['id']}", turned).status == 403
    user, project = ada(closed, operator)
    client = exchange(closed, by_password("ada", "pw"), project, private=False)
    secret = enroll(client, user)
    held = operator.get(f"{V3}/credentials?type=totp&user_id={user}").expect(200)["credentials"][0]
    one = f"{V3}/credentials/{held['id']}"
    assert client.post(f"{V3}/credentials", new).status == 403
    assert client.patch(one, turned).status == 403
    assert client.delete(one).status == 403
    strong = exchange(closed, both(secret, "ada", "pw"), project, private=False)
    assert strong.patch(one, turned).status == 200
    assert strong.delete(one).status == 204


def test_credentials_hand_the_role_on_only_when_made_with_two_factors(closed: World) -> None:
    start = local(closed)
    secret = enroll(start, closed.first.user_id)
    path = f"{V3}/users/{closed.first.user_id}/application_credentials"
    body = {"application_credential": {"name": "ci"}}
    assert start.post(path, body).status == 403
    strong = exchange(closed, both(secret), scope(closed))
    made = strong.post(path, body).expect(201)["application_credential"]
    ci = exchange(closed, by_credential(made["id"], made["secret"]))
    assert ci.get(f"{V3}/users").status == 200


def _service(world: World, admin: Client) -> Client:
    """Who validates tokens for a service."""
    (user,) = admin.get(f"{V3}/users?name=swift").expect(200)["users"]
    role, project = world.first.roles["service"], world.first.project_id
    grant(admin, "project", project, "user", user["id"], role)
    return exchange(world, by_password("swift"), {"project": {"id": project}})


def test_credentials_of_one_factor_lose_the_role_when_two_are_asked_for(world: World) -> None:
    admin = world.admin()
    path = f"{V3}/users/{world.first.user_id}/application_credentials"
    made = admin.post(path, {"application_credential": {"name": "old"}}).expect(201)
    held = made["application_credential"]
    weak = exchange(world, by_credential(held["id"], held["secret"]))
    system = world.system()
    for client in (admin, weak, system):
        assert client.get(f"{V3}/users").status == 200
    make(admin, "user", name="swift", password=PASSWORD)
    service = _service(world, admin)
    headers = {"X-Subject-Token": str(admin.token)}
    assert service.get(f"{V3}/auth/tokens", headers=headers).status == 200
    world.cloud.database.transact(lambda connection: policies.put(connection, CLOUD, None))
    told = service.get(f"{V3}/auth/tokens", headers=headers).expect(404)["error"]["message"]
    assert "second factor" in told
    for client in (admin, weak, system):  # at once, not when they run out
        assert "second factor" in client.get(f"{V3}/users").expect(401)["error"]["message"]
    refused = world.try_login(by_credential(held["id"], held["secret"]), private=True)
    assert "second factor" in refused.expect(401)["error"]["message"]


@pytest.mark.parametrize("blob", ["", "tooshort", "not base32 at all, by any means!"])
def test_faulty_secrets_change_nothing(world: World, blob: str) -> None:
    admin = world.admin()
    body = {"credential": {"type": "totp", "blob": blob}}
    assert admin.post(f"{V3}/credentials", body).status == 400
    assert admin.get(f"{V3}/credentials").expect(200)["credentials"] == []
