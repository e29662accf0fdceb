"""Logging in and what a token says, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from andromede import clock
from tests.contract.identity.conftest import PASSWORD, World, by_password
from tests.contract.identity.making import grant, make

TOKENS = "/identity/v3/auth/tokens"


def test_an_unscoped_login(world: World) -> None:
    answer = world.try_login(by_password("admin"))
    token = answer.expect(201)["token"]
    assert token["user"] == {
        "id": world.first.user_id,
        "name": "admin",
        "domain": {"id": "default", "name": "Default"},
        "password_expires_at": None,
    }
    assert token["methods"] == ["password"]
    assert len(token["audit_ids"]) == 1
    assert not {"roles", "catalog", "project", "system", "domain"} & set(token)
    assert len(answer.headers["x-subject-token"]) < 255
    assert clock.parse(token["expires_at"]) - clock.parse(token["issued_at"]) == 3600 * clock.SECOND


def test_scopes(world: World) -> None:
    by_id = world.try_login(
        by_password("admin"), {"project": {"id": world.first.project_id}}, private=True
    ).expect(201)["token"]
    assert by_id["project"]["name"] == "admin"
    assert by_id["project"]["domain"] == {"id": "default", "name": "Default"}
    assert [each["name"] for each in by_id["roles"]] == ["admin", "manager", "member", "reader"]
    assert {each["id"] for each in by_id["roles"]} < set(world.first.roles.values())
    named: dict[str, Any] = {"project": {"name": "admin", "domain": {"name": "Default"}}}
    by_name = world.try_login(by_password("admin"), named, private=True).expect(201)["token"]
    assert by_name["project"] == by_id["project"]
    system = world.try_login(by_password("admin"), {"system": {"all": True}}, private=True)
    assert system.expect(201)["token"]["system"] == {"all": True}
    for unscoped in ({"unscoped": {}}, "unscoped"):
        body = world.try_login(by_password("admin"), unscoped).expect(201)["token"]
        assert "roles" not in body


def test_the_catalog_names_the_listener_one_came_by(world: World) -> None:
    scope = {"project": {"id": world.first.project_id}}
    token = world.try_login(by_password("admin"), scope, private=True).expect(201)["token"]
    compute = next(each for each in token["catalog"] if each["type"] == "compute")
    assert compute["name"] == "nova"
    assert {each["interface"]: each["url"] for each in compute["endpoints"]} == dict.fromkeys(
        ("public", "internal", "admin"), "https://cloud.test:8444/compute/v2.1"
    )
    without = world.try_login(by_password("admin"), scope, private=True, query="?nocatalog")
    assert "catalog" not in without.expect(201)["token"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("identity", "scope", "status"),
    [
        (by_password("admin", "wrong"), None, 401),
        (by_password("nobody"), None, 401),
        (by_password("admin", domain="elsewhere"), None, 401),
        ({"methods": ["kerberos"], "kerberos": {}}, None, 401),
        ({"methods": ["password"]}, None, 400),
        ({"methods": []}, None, 400),
        ({"methods": ["password"], "password": {"user": {"password": PASSWORD}}}, None, 400),
        ({"methods": ["password"], "password": {"user": {"name": "admin"}}}, None, 400),
        (
            {"methods": ["password"], "password": {"user": {"name": "admin", "password": "x"}}},
            None,
            400,
        ),
        ({"methods": ["token"], "token": {"id": "gibberish"}}, None, 404),
        (by_password("admin"), {"project": {"id": "none"}}, 401),
        (by_password("admin"), {"project": {"name": "admin"}}, 400),
        (by_password("admin"), {"project": {"name": "admin", "domain": {}}}, 400),
        (by_password("admin"), {"domain": {"id": "default"}}, 401),
        (by_password("admin"), {"domain": {}}, 400),
        (by_password("admin"), {}, 400),
        (by_password("admin"), {"project": {"id": "a"}, "system": {"all": True}}, 400),
        (by_password("admin"), {"system": {"all": False}}, 401),
        (by_password("admin"), {"OS-TRUST:trust": {}}, 400),
        (by_password("admin"), "everything", 400),
    ],
)
def test_refused_logins(world: World, identity: Any, scope: Any, status: int) -> None:
    answer = world.try_login(identity, scope, private=True)
    error = answer.expect(status)["error"]
    assert error["code"] == status
    assert PASSWORD not in error["message"]
    assert "x-subject-token" not in answer.headers


def test_operators_are_refused_on_the_public_listener(world: World) -> None:
    for scope in ({"project": {"id": world.first.project_id}}, {"system": {"all": True}}):
        answer = world.try_login(by_password("admin"), scope)
        assert "private listener" in answer.expect(401)["error"]["message"]
        token = world.login("admin", scope).token
        public = world.cloud.bearer(token)
        assert "private" in public.get("/identity/v3/auth/projects").expect(401)["error"]["message"]


def test_an_operators_token_is_none_for_services_of_the_public_listener(world: World) -> None:
    """They would let it do what only the private one may."""
    asker, project = world.admin(), world.first.project_id
    user = make(asker, "user", name="swift", password=PASSWORD)["id"]
    grant(asker, "project", project, "user", user, world.first.roles["service"])
    login = world.try_login(by_password("swift"), {"project": {"id": project}})
    login.expect(201)
    service = login.headers["x-subject-token"]
    for token in (world.admin().token, world.system().token):
        headers = {"X-Subject-Token": str(token)}
        refused = world.cloud.bearer(service).get(TOKENS, headers=headers).expect(404)
        assert "private listener" in refused["error"]["message"]
        there = world.cloud.bearer(service, private=True).get(TOKENS, headers=headers)
        assert there.expect(200)["token"]["roles"]


def test_validate_and_revoke(world: World) -> None:
    admin, other = world.admin(), world.admin()
    subject = {"X-Subject-Token": str(other.token)}
    shown = admin.get(TOKENS, headers=subject)
    assert shown.expect(200)["token"]["project"]["id"] == world.first.project_id
    assert shown.headers["x-subject-token"] == other.token
    assert "catalog" not in admin.get(f"{TOKENS}?nocatalog", headers=subject).expect(200)["token"]
    head = admin.call("HEAD", TOKENS, headers=subject)
    assert (head.status, head.body) == (200, b"")
    assert admin.delete(TOKENS, headers=subject).status == 204
    assert admin.get(TOKENS, headers=subject).status == 404
    assert other.get("/identity/v3/auth/projects").status == 401
    assert admin.get("/identity/v3/auth/projects").status == 200
    assert admin.get(TOKENS).status == 404
    assert admin.get(TOKENS, headers={"X-Subject-Token": "x"}).status == 404


def test_an_exchanged_token_keeps_its_end(world: World) -> None:
    first = world.login("admin", private=True)
    scope = {"project": {"id": world.first.project_id}}
    by_token = {"methods": ["token"], "token": {"id": first.token}}
    before = world.cloud.private
    assert before is not None
    shown = first.get(TOKENS, headers={"X-Subject-Token": str(first.token)}).expect(200)["token"]
    token = world.try_login(by_token, scope, private=True).expect(201)["token"]
    assert token["expires_at"] == shown["expires_at"]
    assert set(token["methods"]) == {"token", "password"}
    assert token["audit_ids"][1:] == shown["audit_ids"]
    system = world.system()
    by_system = {"methods": ["token"], "token": {"id": system.token}}
    assert world.try_login(by_system, scope, private=True).status == 403
    assert world.try_login(by_system, "unscoped", private=True).status == 201


def test_tokens_expire(world: World) -> None:
    admin, late = world.admin(), clock.now() + 3601 * clock.SECOND
    clock.set_source(lambda: late)
    try:
        assert admin.get("/identity/v3/auth/projects").status == 401
        fresh = world.admin()
        subject = {"X-Subject-Token": str(admin.token)}
        assert fresh.get(TOKENS, headers=subject).status == 404
        assert fresh.get(f"{TOKENS}?allow_expired=1", headers=subject).status == 200
    finally:
        clock.set_source(None)


def test_what_one_could_be_scoped_to(world: World) -> None:
    admin = world.admin()
    listed = admin.get("/identity/v3/auth/projects").expect(200)
    assert [each["id"] for each in listed["projects"]] == [world.first.project_id]
    assert listed["links"]["self"].endswith("/identity/v3/auth/projects")
    assert admin.get("/identity/v3/auth/domains").expect(200)["domains"] == []
    assert admin.get("/identity/v3/auth/system").expect(200)["system"] == [{"all": True}]
    assert len(admin.get("/identity/v3/auth/catalog").expect(200)["catalog"]) == 2
    assert world.system().get("/identity/v3/auth/catalog").status == 403


def test_discovery(world: World) -> None:
    root = world.anonymous().get("/identity/")
    assert root.status == 300
    assert root.headers["location"] == "https://cloud.test:8443/identity/v3/"
    (only,) = root.json["versions"]["values"]
    shown = world.anonymous(private=True).get("/identity/v3").expect(200)["version"]
    assert shown["links"] == [{"rel": "self", "href": "https://cloud.test:8444/identity/v3/"}]
    assert (only["id"], shown["status"]) == ("v3.14", "stable")


def test_first_start_is_idempotent(world: World) -> None:
    from andromede.services.identity import api

    again = world.cloud.database.transact(lambda c: api.bootstrap(c, admin_password_hash="other"))
    assert again == world.first
    assert world.admin().get("/identity/v3/auth/system").status == 200
