"""Application credentials, and a user's change of its own password."""

from __future__ import annotations

from typing import Any

import pytest

from andromede import clock
from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client


@pytest.fixture
def ada(world: World) -> Client:
    """A member of a project of hers."""
    admin = world.admin()
    user = make(admin, "user", name="ada", password="pw")["id"]
    project = make(admin, "project", name="web")["id"]
    grant(admin, "project", project, "user", user, world.first.roles["member"])
    return world.login("ada", {"project": {"id": project}}, password="pw", private=False)


def me(client: Client) -> dict[str, Any]:
    subject = {"X-Subject-Token": str(client.token)}
    shown: dict[str, Any] = client.get(f"{V3}/auth/tokens", headers=subject).expect(200)["token"]
    return shown


def path(client: Client) -> str:
    return f"{V3}/users/{me(client)['user']['id']}/application_credentials"


def new(client: Client, **body: Any) -> dict[str, Any]:
    document = {"application_credential": {"name": "ci", **body}}
    answer = client.post(path(client), document)
    made: dict[str, Any] = answer.expect(201)["application_credential"]
    return made


def by_credential(made: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"id": made["id"], "secret": made["secret"], **more}
    return {"methods": ["application_credential"], "application_credential": given}


def use(world: World, made: dict[str, Any]) -> Client:
    answer = world.try_login(by_credential(made))
    answer.expect(201)
    return world.cloud.bearer(answer.headers["x-subject-token"])


def test_the_life_of_a_credential(world: World, ada: Client) -> None:
    made = new(ada, description="for the pipeline")
    assert len(made["secret"]) == 86
    assert {each["name"] for each in made["roles"]} == {"member", "reader"}
    assert (made["unrestricted"], made["expires_at"]) == (False, None)
    one = f"{path(ada)}/{made['id']}"
    shown = ada.get(one).expect(200)["application_credential"]
    assert shown == {key: value for key, value in made.items() if key != "secret"}
    assert ada.get(f"{path(ada)}?name=ci").expect(200)["application_credentials"] == [shown]
    assert ada.get(f"{path(ada)}?name=cd").expect(200)["application_credentials"] == []
    again = ada.post(path(ada), {"application_credential": {"name": "ci"}})
    assert again.status == 409
    token = me(use(world, made))
    assert token["project"]["name"] == "web"
    assert token["application_credential"] == {"id": made["id"], "name": "ci", "restricted": True}
    assert token["methods"] == ["application_credential"]
    bearer = use(world, made)
    assert ada.delete(one).status == 204
    assert bearer.get(f"{V3}/auth/projects").status == 401
    assert world.try_login(by_credential(made)).status == 401
    assert ada.delete(one).status == 404
    assert ada.get(one).status == 404


def test_ways_to_name_a_credential(world: World, ada: Client) -> None:
    made = new(ada, secret="my own secret", roles=[{"name": "reader"}])
    assert made["secret"] == "my own secret"
    assert [each["name"] for each in made["roles"]] == ["reader"]
    by_name = {
        "methods": ["application_credential"],
        "application_credential": {
            "name": "ci", "secret": "my own secret",
            "user": {"name": "ada", "domain": {"name": "Default"}},
        },
    }  # fmt: skip
    token = world.try_login(by_name).expect(201)["token"]
    assert [each["name"] for each in token["roles"]] == ["reader"]
    assert world.try_login(by_credential({**made, "secret": "x"})).status == 401
    assert world.try_login(by_credential({**made, "id": "x"})).status == 401
    scope = {"project": {"id": token["project"]["id"]}}
    assert world.try_login(by_credential(made), scope).status == 401
    for broken in ({"secret": "x"}, {"secret": "x", "name": "ci"}, {"id": made["id"]}):
        identity = {"methods": ["application_credential"], "application_credential": broken}
        assert world.try_login(identity).status == 400


def test_a_credential_expires(world: World, ada: Client) -> None:
    end = clock.now() + 600 * clock.SECOND
    made = new(ada, expires_at=clock.iso(end))
    bearer = use(world, made)
    assert clock.parse(me(bearer)["expires_at"]) <= end, "no token outlives its credential"
    clock.set_source(lambda: end + clock.SECOND)
    try:
        assert bearer.get(f"{V3}/auth/projects").status == 401
        assert world.try_login(by_credential(made)).status == 401
    finally:
        clock.set_source(None)


def test_a_credential_does_not_outlive_its_roles(world: World, ada: Client) -> None:
    made = new(ada)
    bearer = use(world, made)
    shown = me(ada)
    held = (
        f"{V3}/projects/{shown['project']['id']}/users/{shown['user']['id']}"
        f"/roles/{world.first.roles['member']}"
    )
    assert world.admin().delete(held).status == 204
    assert bearer.get(f"{V3}/auth/projects").status == 401
    assert world.try_login(by_credential(made)).status == 401
    auditor = make(world.admin(), "role", name="auditor")["id"]
    grant(world.admin(), "project", shown["project"]["id"], "user", shown["user"]["id"], auditor)
    refused = world.try_login(by_credential(made)).expect(401)["error"]["message"]
    assert "no role that its user still has" in refused


def test_restricted_credentials_make_no_others(world: World, ada: Client) -> None:
    bearer = use(world, new(ada))
    other = {"application_credential": {"name": "other"}}
    assert bearer.post(path(ada), other).status == 403
    listed = bearer.get(path(ada)).expect(200)["application_credentials"]
    assert bearer.delete(f"{path(ada)}/{listed[0]['id']}").status == 403
    exchange = {"methods": ["token"], "token": {"id": bearer.token}}
    assert world.try_login(exchange).status == 403
    free = use(world, new(ada, name="free", unrestricted=True))
    assert free.post(path(ada), other).status == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": ""}, 400),
        ({}, 400),
        ({"name": "a", "expires_at": "soon"}, 400),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-14:00"}, 400),
        ({"name": "a", "expires_at": "2001-01-01T00:00:00Z"}, 400),
        ({"name": "a", "roles": [{"name": "admin"}]}, 400),
        ({"name": "a", "roles": [{}]}, 400),
        ({"name": "a", "roles": [{"id": "unknown"}]}, 400),
        ({"name": "a", "project_id": "other"}, 400),
        ({"name": "a", "access_rules": [{"path": "/", "method": "GET"}]}, 400),
        ({"name": "a", "unrestricted": "yes"}, 400),
    ],
)
def test_refused_credentials(ada: Client, body: dict[str, Any], status: int) -> None:
    answer = ada.post(path(ada), {"application_credential": body})
    assert answer.expect(status)["error"]["code"] == status
    assert ada.get(path(ada)).expect(200)["application_credentials"] == []


def test_credentials_are_their_users_own(world: World, ada: Client) -> None:
    made = new(ada)
    one = f"{path(ada)}/{made['id']}"
    bob_id = make(world.admin(), "user", name="bob", password="pw")["id"]
    bob = world.login("bob", password="pw", private=False)
    assert bob.get(path(ada)).status == 403
    assert bob.get(one).status == 403
    assert bob.delete(one).status == 403
    assert bob.post(path(ada), {"application_credential": {"name": "x"}}).status == 403
    own = f"{V3}/users/{bob_id}/application_credentials"
    assert bob.get(f"{own}/{made['id']}").status == 404
    assert bob.delete(f"{own}/{made['id']}").status == 404
    unscoped = bob.post(own, {"application_credential": {"name": "x"}})
    assert unscoped.status == 403
    admin = world.admin()
    assert admin.get(one).status == 200
    assert admin.post(path(ada), {"application_credential": {"name": "x"}}).status == 403
    assert admin.delete(one).status == 204


def test_a_user_changes_its_password(world: World, ada: Client) -> None:
    user = me(ada)["user"]["id"]
    where = f"{V3}/users/{user}/password"
    anyone = world.anonymous()

    def change(old: str, fresh: str) -> int:
        body = {"user": {"original_password": old, "password": fresh}}
        return anyone.post(where, body).status

    assert change("wrong", "new") == 401
    assert ada.get(f"{V3}/auth/projects").status == 200
    assert change("pw", "") == 400
    assert change("pw", "n" * 4097) == 403
    assert change("pw", "new") == 204
    assert change("pw", "newer") == 401
    world.login("ada", password="new", private=False)
    assert anyone.post(f"{V3}/users/none/password", {"user": {
        "original_password": "a", "password": "b"}}).status == 401  # fmt: skip
    lock = {"user": {"options": {"lock_password": True}}}
    assert world.admin().patch(f"{V3}/users/{user}", lock).status == 200
    assert change("new", "newer") == 400


def test_expired_and_missing_passwords(world: World) -> None:
    import sqlalchemy as sa

    from andromede.services.identity.users.store import user

    make(world.admin(), "user", name="mute")
    with pytest.raises(AssertionError, match="401"):
        world.login("mute", password="", private=False)
    make(world.admin(), "user", name="late", password="pw")
    world.login("late", password="pw", private=False)
    world.cloud.database.transact(
        lambda c: c.execute(
            sa.update(user).where(user.c.name == "late").values(password_expires_at=1)
        )
    )
    with pytest.raises(AssertionError, match="401"):
        world.login("late", password="pw", private=False)
