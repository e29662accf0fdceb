"""Trusts: what they lend, to whom, for how long, and what takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from andromede import clock
from andromede.services.identity import api
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, exchange, make, me, member
from tests.harness import Answer, Client, unknown_id

PATH = f"{V3}/OS-TRUST/trusts"


@dataclass
class Pair:
    """Ada, who lends, on her project, and Bob, who is lent."""

    world: World
    ada: Client
    bob: Client
    project: str
    ids: dict[str, str]

    def ask(self, who: Client | None = None, **more: Any) -> Answer:
        trust = {
            "trustor_user_id": self.ids["ada"], "trustee_user_id": self.ids["bob"],
            "project_id": self.project, "impersonation": False, "roles": [{"name": "reader"}],
            **more,
        }  # fmt: skip
        return (who or self.ada).post(PATH, {"trust": trust})

    def lend(self, who: Client | None = None, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.ask(who, **more).expect(201)["trust"]
        return made

    def try_use(self, trust: dict[str, Any], name: str = "bob") -> Answer:
        scope = {"OS-TRUST:trust": {"id": trust["id"]}}
        return self.world.try_login(by_password(name, "pw"), scope)

    def use(self, trust: dict[str, Any], name: str = "bob") -> Client:
        scope = {"OS-TRUST:trust": {"id": trust["id"]}}
        return exchange(self.world, by_password(name, "pw"), scope)


@pytest.fixture
def pair(world: World) -> Pair:
    ada, bob = member(world, "ada"), member(world, "bob")
    ids = {"ada": me(ada)["user"]["id"], "bob": me(bob)["user"]["id"]}
    return Pair(world, ada, bob, me(ada)["project"]["id"], ids)


def test_the_life_of_a_trust(pair: Pair) -> None:
    made = pair.lend(note="kept")
    assert [each["name"] for each in made["roles"]] == ["reader"]
    assert (made["note"], made["expires_at"], made["remaining_uses"]) == ("kept", None, None)
    assert (made["redelegation_count"], made["deleted_at"]) == (0, None)
    one = f"{PATH}/{made['id']}"
    for who in (pair.ada, pair.bob, pair.world.admin()):
        assert who.get(one).expect(200)["trust"]["id"] == made["id"]
    assert member(pair.world, "eve").get(one).status == 403
    role = made["roles"][0]["id"]
    assert pair.ada.get(f"{one}/roles").expect(200)["roles"] == made["roles"]
    assert pair.ada.get(f"{one}/roles/{role}").expect(200)["role"] == made["roles"][0]
    assert pair.ada.call("HEAD", f"{one}/roles/{role}").status == 200
    other = pair.world.first.roles["member"]
    for missing in (other, unknown_id()):
        assert pair.ada.get(f"{one}/roles/{missing}").status == 404
    token = me(pair.use(made))
    assert token["user"]["id"] == pair.ids["bob"]
    assert token["project"]["id"] == pair.project
    assert [each["name"] for each in token["roles"]] == ["reader"]
    assert token["OS-TRUST:trust"] == {
        "id": made["id"], "impersonation": False,
        "trustor_user": {"id": pair.ids["ada"]}, "trustee_user": {"id": pair.ids["bob"]},
    }  # fmt: skip
    bearer = pair.use(made)
    assert pair.bob.delete(one).status == 403
    assert pair.ada.delete(one).status == 204
    assert bearer.get(f"{V3}/auth/projects").status == 401
    assert pair.try_use(made).status == 401
    assert pair.ada.get(one).status == 404


def test_lists(pair: Pair) -> None:
    made = pair.lend()
    mine = pair.ada.get(f"{PATH}?trustor_user_id={pair.ids['ada']}").expect(200)["trusts"]
    assert [each["id"] for each in mine] == [made["id"]]
    assert "roles" not in mine[0]
    assert len(pair.bob.get(f"{PATH}?trustee_user_id={pair.ids['bob']}").json["trusts"]) == 1
    assert pair.bob.get(f"{PATH}?trustor_user_id={pair.ids['ada']}").status == 403
    assert pair.ada.get(PATH).status == 403
    assert len(pair.world.admin().get(PATH).expect(200)["trusts"]) == 1


def test_impersonation_acts_as_the_trustor(pair: Pair) -> None:
    bearer = pair.use(pair.lend(impersonation=True, roles=[{"name": "member"}]))
    token = me(bearer)
    assert token["user"]["id"] == pair.ids["ada"]
    assert {each["name"] for each in token["roles"]} == {"member", "reader"}
    path = f"{V3}/users/{pair.ids['ada']}"
    assert bearer.get(path).status == 200
    made = {"application_credential": {"name": "x"}}
    for answer in (
        bearer.post(f"{path}/application_credentials", made),
        bearer.get(f"{path}/application_credentials"),
        bearer.get(f"{path}/access_rules"),
        bearer.get(f"{path}/credentials/OS-EC2"),
        bearer.get(f"{V3}/credentials"),
        bearer.post(f"{V3}/credentials", {"credential": {"type": "cert", "blob": "x"}}),
        pair.ask(bearer),
    ):
        assert answer.status == 403
    identity = {"methods": ["token"], "token": {"id": bearer.token}}
    assert pair.world.try_login(identity, "unscoped").status == 403


@pytest.mark.parametrize("impersonation", [False, True])
def test_what_takes_it_back(pair: Pair, impersonation: bool) -> None:
    admin = pair.world.admin()
    trust = pair.lend(impersonation=impersonation)
    for name in ("bob", "ada"):
        bearer = pair.use(trust)
        user = f"{V3}/users/{pair.ids[name]}"
        assert admin.patch(user, {"user": {"enabled": False}}).status == 200
        assert bearer.get(f"{V3}/auth/projects").status == 401
        assert pair.try_use(trust).status in (401, 403)
        assert admin.patch(user, {"user": {"enabled": True}}).status == 200
    bearer = pair.use(trust)
    member_role = pair.world.first.roles["member"]
    grant = f"{V3}/projects/{pair.project}/users/{pair.ids['ada']}/roles/{member_role}"
    assert admin.delete(grant).status == 204
    assert bearer.get(f"{V3}/auth/projects").status == 401
    assert pair.try_use(trust).status == 403
    assert admin.put(grant).status == 204
    assert pair.try_use(trust).status == 201
    assert admin.delete(f"{V3}/users/{pair.ids['ada']}").status == 204
    assert pair.try_use(trust).status == 401


def test_uses_are_counted_and_time_ends(pair: Pair) -> None:
    trust = pair.lend(remaining_uses=1)
    bearer = pair.use(trust)
    assert pair.try_use(trust).status == 401
    assert bearer.get(f"{V3}/auth/projects").status == 200
    assert pair.ada.get(f"{PATH}/{trust['id']}").status == 404
    now = clock.now()
    brief = pair.lend(expires_at=clock.iso_micro(now + 600 * clock.SECOND))
    bearer = pair.use(brief)
    assert me(bearer)["expires_at"] <= brief["expires_at"]
    clock.set_source(lambda: now + 601 * clock.SECOND)
    try:
        assert bearer.get(f"{V3}/auth/projects").status == 401
        assert pair.try_use(brief).status == 401
        late = {"X-Subject-Token": str(bearer.token)}
        path = f"{V3}/auth/tokens?allow_expired=1"
        assert pair.world.admin().get(path, headers=late).status == 404
    finally:
        clock.set_source(None)


def test_two_take_the_last_use_once(pair: Pair) -> None:
    from andromede.services.identity.trusts import store

    trust = pair.lend(remaining_uses=1)
    taken = [pair.world.cloud.database.transact(lambda c: store.use(c, trust["id"]))]
    taken.append(pair.world.cloud.database.transact(lambda c: store.use(c, trust["id"])))
    assert taken == [True, False]


def test_a_lost_race_for_the_last_use_is_refused(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    from andromede.services.identity.trusts import store

    trust = pair.lend(remaining_uses=1)
    monkeypatch.setattr(store, "use", lambda connection, trust_id: False)
    assert pair.try_use(trust).status == 403


def test_redelegation(pair: Pair) -> None:
    eve = member(pair.world, "eve")
    eves = me(eve)["user"]["id"]
    trust = pair.lend(
        allow_redelegation=True, redelegation_count=2, impersonation=True,
        roles=[{"name": "member"}], expires_at="2999-01-01T00:00:00Z",
    )  # fmt: skip
    bob = pair.use(trust)
    body = {"trustor_user_id": pair.ids["ada"], "trustee_user_id": eves, "impersonation": True}
    good = {**body, "allow_redelegation": True, "roles": [{"id": trust["roles"][0]["id"]}]}
    for fault in (
        {"redelegation_count": 2},
        {"remaining_uses": 1, "allow_redelegation": False},
        {"expires_at": "2999-01-02T00:00:00Z"},
        {"roles": [{"name": "reader"}]},
        {"project_id": None, "roles": []},
    ):
        assert pair.ask(bob, **{**good, **fault}).status == 403, fault
    second = pair.lend(bob, **good)
    assert (second["redelegated_trust_id"], second["redelegation_count"]) == (trust["id"], 1)
    assert second["expires_at"] == trust["expires_at"]
    third = pair.lend(bob, **{**good, "allow_redelegation": False, "impersonation": False})
    assert third["redelegation_count"] == 0
    plain = pair.use(third, "eve")
    mine = {**good, "trustor_user_id": eves, "impersonation": False}
    assert pair.ask(plain, **mine).status == 403
    lent = pair.use(second, "eve")
    assert me(lent)["user"]["id"] == pair.ids["ada"]
    assert pair.ada.delete(f"{PATH}/{trust['id']}").status == 204
    assert lent.get(f"{V3}/auth/projects").status == 401
    assert pair.try_use(second, "eve").status == 401


def test_impersonation_is_not_added_on_the_way(pair: Pair) -> None:
    bob = pair.use(pair.lend(allow_redelegation=True))
    mine = {"trustor_user_id": pair.ids["bob"], "trustee_user_id": pair.ids["ada"]}
    assert pair.ask(bob, impersonation=True, **mine).status == 403
    assert pair.lend(bob, impersonation=False, **mine)["redelegation_count"] == 0
    used = pair.lend(remaining_uses=1)
    spent = pair.use(used)
    assert pair.ask(spent, **mine).status == 403


def test_a_trust_without_a_project_proves_a_bond_only(pair: Pair) -> None:
    trust = pair.lend(project_id=None, roles=[])
    bearer = pair.use(trust)
    token = me(bearer)
    assert token["OS-TRUST:trust"]["id"] == trust["id"]
    assert not {"project", "roles", "catalog"} & set(token)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_bad_trusts(pair: Pair) -> None:
    eve = member(pair.world, "eve")
    for fault, status in (
        ({"trustor_user_id": pair.ids["bob"]}, 403),
        ({"trustee_user_id": unknown_id()}, 404),
        ({"project_id": unknown_id()}, 404),
        ({"project_id": "default"}, 404),
        ({"project_id": me(eve)["project"]["id"]}, 404),
        ({"roles": []}, 403),
        ({"roles": [{"name": "admin"}]}, 404),
        ({"roles": [{"name": "no such"}]}, 404),
        ({"roles": [{}]}, 400),
        ({"roles": [{"name": "reader", "id": "x"}]}, 400),
        ({"expires_at": "bad.123Z"}, 400),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 400),
        ({"remaining_uses": 0}, 400),
        ({"allow_redelegation": True, "remaining_uses": 1}, 400),
        ({"allow_redelegation": True, "redelegation_count": 9}, 403),
        ({"impersonation": None}, 400),
    ):
        assert pair.ask(**fault).status == status, fault
    assert pair.try_use(pair.lend(), "eve").status == 403
    assert pair.try_use({"id": unknown_id()}).status == 401
    made = {"application_credential": {"name": "x", "unrestricted": True}}
    path = f"{V3}/users/{pair.ids['ada']}/application_credentials"
    credential = pair.ada.post(path, made).expect(201)["application_credential"]
    held = {"id": credential["id"], "secret": credential["secret"]}
    identity = {"methods": ["application_credential"], "application_credential": held}
    assert pair.ask(exchange(pair.world, identity)).status == 403
    trust = pair.lend()
    admin = pair.world.admin()
    off = {"project": {"enabled": False}}
    assert admin.patch(f"{V3}/projects/{pair.project}", off).status == 200
    assert pair.try_use(trust).status == 401


def test_reports_know_whom_a_project_was_lent_to(pair: Pair) -> None:
    trust = pair.lend()
    pair.lend(remaining_uses=1, roles=[{"name": "member"}])
    with pair.world.cloud.database.read() as connection:
        assert pair.ids["bob"] in api.around(connection, pair.project)
        assert pair.project in api.opened_to(connection, pair.ids["bob"])
        target = api.Target(kind="project", id=pair.project)
        assert target in api.targets(connection, pair.ids["bob"])
        bearer = api.bearer(connection, pair.ids["bob"], target)
    assert bearer is not None
    assert bearer.roles == {"reader", "member"}
    assert trust["id"]


def test_a_token_whose_roles_do_not_fit_reads_them_from_the_trust(pair: Pair) -> None:
    admin = pair.world.admin()
    roles = [make(admin, "role", name=f"{'x' * 60}{at}")["id"] for at in range(4)]
    for role in roles:
        path = f"{V3}/projects/{pair.project}/users/{pair.ids['ada']}/roles/{role}"
        assert admin.put(path).status == 204
    trust = pair.lend(roles=[{"id": each} for each in roles])
    assert {each["id"] for each in me(pair.use(trust))["roles"]} == set(roles)
