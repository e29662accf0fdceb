"""What other services and first start call, and the default scope of a login."""

from __future__ import annotations

import pytest

from andromede.services.identity import api
from andromede.services.identity.first_start import new_secret
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, grant, make


def test_lookups(world: World) -> None:
    first = world.first
    with world.cloud.database.read() as connection:
        assert api.project_exists(connection, first.project_id)
        assert not api.project_exists(connection, "default"), "a domain is no project"
        assert not api.project_exists(connection, "none")
        project = api.project(connection, first.project_id)
        assert project == api.Project(
            id=first.project_id, name="admin", domain_id="default", enabled=True
        )
        expected = api.User(id=first.user_id, name="admin", domain_id="default", enabled=True)
        assert api.user(connection, first.user_id) == expected
        assert api.user_named(connection, "admin") == expected
        assert api.user(connection, "none") is None
        assert api.user_named(connection, "none") is None
        assert api.credential_expiry(connection, "none") is None


def _credential(world: World, lifetime: int = 3600) -> api.OperatorCredential:
    secret = new_secret()
    hashed = api.hash_password(secret)
    return world.cloud.database.transact(
        lambda c: api.operator_credential(
            c, user_id=world.first.user_id, project_id=world.first.project_id,
            secret=secret, secret_hash=hashed, lifetime=lifetime,
        )
    )  # fmt: skip


def test_the_operators_credential(world: World) -> None:
    made = _credential(world)
    with world.cloud.database.read() as connection:
        assert api.credential_expiry(connection, made.id) == made.expires_at
    given = {"id": made.id, "secret": made.secret}
    identity = {"methods": ["application_credential"], "application_credential": given}
    answer = world.try_login(identity, private=True)
    roles = {each["name"] for each in answer.expect(201)["token"]["roles"]}
    assert roles == {"admin"}
    assert world.try_login(identity).status == 401, "not on the public listener"
    bearer = world.cloud.bearer(answer.headers["x-subject-token"], private=True)
    assert bearer.get(f"{V3}/users").status == 200
    again = _credential(world)
    assert again.id != made.id
    assert bearer.get(f"{V3}/users").status == 401
    assert world.try_login(identity, private=True).status == 401


def test_no_credential_without_the_role(world: World) -> None:
    make(world.admin(), "user", name="ada")
    with world.cloud.database.read() as connection:
        ada = api.user_named(connection, "ada")
    assert ada is not None
    with pytest.raises(ValueError, match="holds no role on project"):
        world.cloud.database.transact(
            lambda c: api.operator_credential(
                c, user_id=ada.id, project_id=world.first.project_id,
                secret="s", secret_hash="h", lifetime=1,
            )
        )  # fmt: skip


def test_a_login_without_a_scope_goes_to_the_default_project(world: World) -> None:
    admin = world.admin()
    project = make(admin, "project", name="web")["id"]
    user = make(admin, "user", name="ada", password="pw", default_project_id=project)["id"]
    login = by_password("ada", "pw")
    assert "project" not in world.try_login(login).expect(201)["token"]
    path = grant(admin, "project", project, "user", user, world.first.roles["member"])
    token = world.try_login(login).expect(201)["token"]
    assert token["project"]["id"] == project
    assert token["is_domain"] is False
    assert "project" not in world.try_login(login, "unscoped").expect(201)["token"]
    off, on = ({"project": {"enabled": each}} for each in (False, True))
    assert admin.patch(f"{V3}/projects/{project}", off).status == 200
    assert "project" not in world.try_login(login).expect(201)["token"]
    assert admin.patch(f"{V3}/projects/{project}", on).status == 200
    assert admin.delete(path).status == 204
    assert admin.delete(f"{V3}/projects/{project}").status == 204
    shown = admin.get(f"{V3}/users/{user}").expect(200)["user"]
    assert "default_project_id" not in shown


def test_a_domain_scope(world: World) -> None:
    admin = world.admin()
    user = make(admin, "user", name="ada", password="pw")["id"]
    grant(admin, "domain", "default", "user", user, world.first.roles["manager"])
    token = world.try_login(by_password("ada", "pw"), {"domain": {"name": "Default"}})
    shown = token.expect(201)["token"]
    assert shown["domain"] == {"id": "default", "name": "Default"}
    assert {each["name"] for each in shown["roles"]} == {"manager", "member", "reader"}
    bearer = world.cloud.bearer(token.headers["x-subject-token"])
    domains = bearer.get(f"{V3}/auth/domains").expect(200)["domains"]
    assert [each["id"] for each in domains] == ["default"]


def test_several_methods_must_name_one_user(world: World) -> None:
    admin = world.admin()
    make(admin, "user", name="ada", password="pw")
    ada = world.login("ada", password="pw", private=False)
    both = {
        "methods": ["password", "token"],
        "token": {"id": ada.token},
        **{key: value for key, value in by_password("ada", "pw").items() if key == "password"},
    }
    token = world.try_login(both).expect(201)["token"]
    assert set(token["methods"]) == {"password", "token"}
    other = {**both, "password": by_password("admin")["password"]}
    assert world.try_login(other).status == 401


def test_a_login_is_logged_without_its_secret(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    token = world.login("admin").token
    world.try_login(by_password("admin", "hunter-2"))
    world.try_login(by_password("nobody", "hunter-2"))
    said = capsys.readouterr().out
    assert "login" in said
    assert "login refused" in said
    assert "no such user" in said
    assert "hunter-2" not in said
    assert str(token) not in said
