"""Rules that ask for several methods at once, and receipts for those already passed."""

from __future__ import annotations

from typing import Any

import pytest

from andromede import clock, totp
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, make
from tests.contract.identity.test_second_factor import at, enroll
from tests.harness import Answer, Client

RULES = [["password", "totp"]]
HEADER = "Openstack-Auth-Receipt"


class Person:
    """Ada, who has a passcode, and the rules of her logins."""

    def __init__(self, world: World, **options: Any) -> None:
        self.world = world
        self.admin = world.admin()
        chosen = {"multi_factor_auth_rules": RULES, **options}
        self.user = make(self.admin, "user", name="ada", password="pw", options=chosen)
        self.secret = enroll(self.admin, self.user["id"])

    def passcode(self) -> dict[str, Any]:
        code = totp.code(self.secret, clock.now() // clock.SECOND // totp.STEP)
        user = {"id": self.user["id"], "passcode": code}
        return {"methods": ["totp"], "totp": {"user": user}}

    def login(self, identity: dict[str, Any], receipt: str | None = None) -> Answer:
        headers = {} if receipt is None else {HEADER: receipt}
        client: Client = self.world.anonymous()
        return client.post(f"{V3}/auth/tokens", {"auth": {"identity": identity}}, headers=headers)


def test_a_receipt_leads_to_a_token(world: World) -> None:
    ada = Person(world)
    first = ada.login(by_password("ada", "pw"))
    assert first.status == 401
    assert "x-subject-token" not in first.headers
    assert first.json["required_auth_methods"] == RULES
    receipt = first.json["receipt"]
    assert receipt["methods"] == ["password"]
    assert receipt["user"]["domain"] == {"id": "default", "name": "Default"}
    assert receipt["issued_at"] < receipt["expires_at"]
    text = first.headers[HEADER.lower()]
    token = ada.login(ada.passcode(), text).expect(201)["token"]
    assert set(token["methods"]) == {"password", "totp"}
    both = {**by_password("ada", "pw"), **ada.passcode(), "methods": ["password", "totp"]}
    assert ada.login(both).status == 401  # the passcode was used
    assert ada.login(by_password("ada", "wrong")).json.keys() == {"error"}


def test_a_receipt_is_of_one_user_for_a_while(world: World) -> None:
    ada = Person(world)
    text = ada.login(by_password("ada", "pw")).headers[HEADER.lower()]
    make(ada.admin, "user", name="bob", password="pw")
    assert ada.login(by_password("bob", "pw"), text).status == 401
    subject = {"X-Subject-Token": text}
    assert ada.admin.get(f"{V3}/auth/tokens", headers=subject).status == 404
    assert world.cloud.bearer(text).get(f"{V3}/auth/projects").status == 401
    for forged in ("x", str(ada.admin.token)):
        assert ada.login(ada.passcode(), forged).status == 401
    moment = clock.now() + 301 * clock.SECOND
    with at(moment):
        assert ada.login(ada.passcode(), text).status == 401
    fresh = ada.login(by_password("ada", "pw")).headers[HEADER.lower()]
    path = f"{V3}/users/{ada.user['id']}"
    assert ada.admin.patch(path, {"user": {"password": "new"}}).status == 200
    assert ada.login(ada.passcode(), fresh).status == 401
    ada.admin.patch(path, {"user": {"password": "pw"}}).expect(200)
    gone = ada.login(by_password("ada", "pw")).headers[HEADER.lower()]
    assert ada.admin.delete(path).status == 204
    assert ada.login(ada.passcode(), gone).status == 401


@pytest.mark.parametrize(
    "options",
    [
        {"multi_factor_auth_enabled": False},
        {"multi_factor_auth_rules": []},
        {"multi_factor_auth_rules": [["iris"]]},
        {"multi_factor_auth_rules": [["password", "iris"]]},
        {"multi_factor_auth_rules": [["totp"], ["password"]]},
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rules_that_are_met(world: World, options: dict[str, Any]) -> None:
    ada = Person(world, **options)
    assert ada.login(by_password("ada", "pw")).status == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_passcodes_alone_are_no_login(world: World) -> None:
    ada = Person(world)
    assert ada.login(ada.passcode()).status == 401
