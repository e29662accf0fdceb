"""Operators do not log in as customers: passwords, credentials, suspended users, policies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from andromede.services.identity import api, passwords
from andromede.sovereignty.policy.model import OperatorAccess, Policy
from tests.contract.identity.conftest import CHEAP, by_password
from tests.contract.identity.making import V3, make
from tests.contract.sovereignty.taking import CLOSED, Taking, taking
from tests.harness import OPEN, Client

POLICIES = "/sovereignty/v1/policies"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PASSWORD = {"user": {"password": "taken"}}


@pytest.fixture
def it(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    with taking(tmp_path, database_url) as made:
        yield made


def user(it: Taking, name: str) -> str:
    return f"{V3}/users/{it.ids[name]}"


def test_a_password_of_a_customers_user_takes_consent(it: Taking) -> None:
    for client in (it.admin(), it.world.system()):
        it.refused(client.patch(user(it, "ada"), PASSWORD))
    assert it.world.try_login(by_password("ada", "taken")).status == 401
    assert it.notices() == []
    assert it.admin().patch(user(it, "ada"), {"user": {"description": "d"}}).status == 200
    given = it.consent(resource=it.ids["ada"])
    it.admin().patch(user(it, "ada"), {"user": {"password": "pw"}}).expect(200)
    (told,) = it.notices()
    assert told["kind"] == "password"
    for text in (told["text_fr"], told["text_en"]):
        assert it.ids["ada"] in text
        assert it.ids["admin"] in text
        assert given in text
    leaves = it.client("ada").get("/sovereignty/v1/log/leaves").expect(200)["leaves"]
    assert leaves[-1]["action"] == "identity:user:update"
    assert leaves[-1]["detail"] == {"consent": given}


def test_passwords_of_everybody_else_are_set_as_before(it: Taking) -> None:
    for name in ("new", "boss", "admin"):
        it.admin().patch(user(it, name), {"user": {"password": "correct horse"}}).expect(200)
    assert it.notices() == []


def test_a_lost_password_of_the_last_member_takes_an_emergency(it: Taking) -> None:
    it.refused(it.admin().patch(user(it, "ada"), PASSWORD))
    opened = it.emergency()
    it.admin().patch(user(it, "ada"), {"user": {"password": "pw"}}).expect(200)
    assert [opened in each["text_en"] for each in it.notices()] == [True, True]


def test_every_project_that_a_user_reaches_is_asked(it: Taking) -> None:
    admin = it.admin()
    it.ids["two"] = make(admin, "project", name="two")["id"]
    group = it.group("g", "ada")
    grant = f"{V3}/projects/{it.ids['two']}/groups/{group}/roles/{it.roles['member']}"
    assert admin.put(grant).status == 204
    it.consent()
    assert it.ids["two"] in it.refused(admin.patch(user(it, "ada"), PASSWORD))
    it.consent(project="two")
    admin.patch(user(it, "ada"), {"user": {"password": "pw"}}).expect(200)
    assert [len(it.notices(project=each)) for each in ("web", "two")] == [1, 1]


def test_a_manager_of_the_domain_reaches_what_is_in_it(it: Taking) -> None:
    admin = it.admin()
    it.consent()
    manager = f"{V3}/domains/default/users/{it.ids['new']}/roles/{it.roles['manager']}"
    assert admin.put(manager).status == 204
    leave = it.client("ada").get("/sovereignty/v1/consents").expect(200)["consents"][0]["id"]
    it.client("ada").post(f"/sovereignty/v1/consents/{leave}/revoke").expect(200)
    it.refused(admin.patch(user(it, "new"), PASSWORD))


def test_the_end_of_a_suspension_takes_consent(it: Taking) -> None:
    admin = it.admin()
    it.consent(resource=it.ids["new"])
    assert admin.put(it.path("new", "member")).status == 204
    for name in ("ada", "new"):
        admin.patch(user(it, name), {"user": {"enabled": True}}).expect(200)  # it is
    admin.patch(user(it, "new"), {"user": {"enabled": False}}).expect(200)
    admin.patch(user(it, "new"), {"user": {"enabled": True}}).expect(200)
    assert it.notices()[-1]["kind"] == "account"
    admin.patch(user(it, "ada"), {"user": {"enabled": False}}).expect(200)
    it.refused(admin.patch(user(it, "ada"), {"user": {"enabled": True}}))
    assert admin.get(user(it, "ada")).json["user"]["enabled"] is False


@pytest.mark.parametrize("noun", ["domain", "project"])
def test_so_does_that_of_a_domain_whose_users_reach_further(it: Taking, noun: str) -> None:
    admin = it.admin()
    domain = make(admin, "domain", name="d")["id"]
    ann = make(admin, "user", name="ann", password="pw", domain_id=domain)["id"]
    it.ids |= {"ann": ann, "own": make(admin, "project", name="own", domain_id=domain)["id"]}
    assert admin.put(it.path("ann", "member", "own")).status == 204

    def switch(on: bool) -> Any:
        return admin.patch(f"{V3}/{noun}s/{domain}", {noun: {"enabled": on}})

    assert [switch(False).status, switch(True).status] == [200, 200]  # its own comes with it
    given = it.consent(resource=ann)
    assert admin.put(it.path("ann", "member")).status == 204
    assert [switch(False).status, switch(True).status] == [200, 200]
    assert it.notices()[-1]["kind"] == "account"
    it.client("ada").post(f"/sovereignty/v1/consents/{given}/revoke").expect(200)
    assert switch(False).status == 200
    it.refused(switch(True))
    it.set_policy(OPEN)
    assert switch(True).status == 200


def new_credential(client: Client, user_id: str, kind: str = "totp", blob: str = SECRET) -> Any:
    body = {"type": kind, "blob": blob, "user_id": user_id}
    return client.post(f"{V3}/credentials", {"credential": body})


@pytest.mark.parametrize(("kind", "blob"), [("totp", SECRET), ("cert", "x")])
def test_a_credential_of_a_customers_user_takes_consent(it: Taking, kind: str, blob: str) -> None:
    admin, ada = it.admin(), it.ids["ada"]
    it.refused(new_credential(admin, ada, kind, blob))
    assert new_credential(admin, it.ids["boss"], kind, blob).status == 201
    made = new_credential(it.client("ada"), ada, kind, blob).expect(201)["credential"]["id"]
    change = {"credential": {"blob": SECRET}}
    it.refused(admin.patch(f"{V3}/credentials/{made}", change))
    given = it.consent(resource=ada)
    admin.patch(f"{V3}/credentials/{made}", change).expect(200)
    assert new_credential(admin, ada, kind, blob).status == 201
    assert [each["kind"] for each in it.notices()] == ["credential"] * 2
    seen = it.client("ada").get("/sovereignty/v1/log/leaves").expect(200)["leaves"]
    assert seen[-1]["detail"] == {"consent": given, "type": kind, "user": ada}


def app_credential(it: Taking, client: Client, name: str) -> str:
    path = f"{user(it, 'ada')}/application_credentials"
    body = {"application_credential": {"name": name, "secret": "s"}}
    made: str = client.post(path, body).expect(201)["application_credential"]["id"]
    return made


def works(it: Taking, credential: str) -> bool:
    held = {"id": credential, "secret": "s"}
    identity = {"methods": ["application_credential"], "application_credential": held}
    return it.world.try_login(identity).status == 201


@pytest.mark.parametrize("open_cloud", [False, True])
def test_what_was_made_with_an_operators_password_dies_with_it(
    it: Taking, open_cloud: bool
) -> None:
    """Whoever made the user knows its first password until the user has another."""
    if open_cloud:
        it.set_policy(OPEN)
    before = app_credential(it, it.client("ada"), "before")
    assert works(it, before)
    change = {"user": {"original_password": "pw", "password": "own"}}
    assert it.world.anonymous().post(f"{user(it, 'ada')}/password", change).status == 204
    assert works(it, before) is open_cloud
    scope = {"project": {"id": it.ids["web"]}}
    mine = app_credential(it, it.world.login("ada", scope, password="own", private=False), "mine")
    change = {"user": {"original_password": "own", "password": "pw"}}
    assert it.world.anonymous().post(f"{user(it, 'ada')}/password", change).status == 204
    assert works(it, mine)


def put(client: Client, scope: str, policy: Policy) -> Any:
    return client.put(f"{POLICIES}/{scope}", {"policy": msgspec.to_builtins(policy)})


def test_no_operator_takes_a_projects_own_policy_away(it: Taking) -> None:
    """The cloud may be opened by its operators, which everyone is told; a project that asks for its
    consent by itself goes on being asked."""
    it.give("manager")
    web, admin = f"projects/{it.ids['web']}", it.admin()
    asking = Policy(operator_access=OperatorAccess.CONSENT)
    put(it.client("ada"), web, asking).expect(200)
    assert put(admin, web, asking).status == 200
    put(admin, "cloud", OPEN).expect(200)
    told = [each["text_en"] for each in it.notices() if each["kind"] == "policy"]
    assert ["operator_access: open" in each for each in told] == [True]
    opened = Policy(operator_access=OperatorAccess.OPEN)
    for answer in (put(admin, web, opened), admin.delete(f"{POLICIES}/{web}")):
        assert "does not take away" in answer.expect(403)["message"]
    assert it.client("ada").get(f"{POLICIES}/{web}").json["policy"] == {
        "operator_access": "consent"
    }
    it.refused(admin.patch(user(it, "ada"), PASSWORD))
    given = it.consent(resource=it.ids["web"])
    assert admin.delete(f"{POLICIES}/{web}").status == 204
    leaves = it.client("ada").get("/sovereignty/v1/log/leaves").expect(200)["leaves"]
    assert leaves[-1]["detail"]["consent"] == given
    put(it.client("ada"), web, asking).expect(200)
    assert it.client("ada").delete(f"{POLICIES}/{web}").status == 204


def test_nor_that_of_its_domain(it: Taking) -> None:
    admin = it.admin()
    put(admin, "domains/default", Policy(operator_access=OperatorAccess.CONSENT)).expect(200)
    put(admin, "cloud", OPEN).expect(200)
    answer = admin.delete(f"{POLICIES}/domains/default")
    assert it.ids["web"] in answer.expect(403)["message"]
    it.consent()
    assert admin.delete(f"{POLICIES}/domains/default").status == 204


def test_one_factor_is_told_too(it: Taking) -> None:
    hashed = api.hash_password("s")
    made = it.world.cloud.database.transact(
        lambda connection: api.operator_credential(
            connection, user_id=it.ids["admin"], project_id=it.world.first.project_id, secret="s",
            secret_hash=hashed, lifetime=3600,
        )
    )  # fmt: skip
    it.set_policy(Policy())
    held = {"id": made.id, "secret": "s"}
    identity = {"methods": ["application_credential"], "application_credential": held}
    answer = it.world.try_login(identity, private=True)
    admin = it.world.cloud.bearer(answer.headers["x-subject-token"], private=True)
    put(admin, "cloud", CLOSED).expect(200)
    put(admin, "cloud", CLOSED).expect(200)
    (told,) = it.notices()
    assert "with one factor" in told["text_en"]
