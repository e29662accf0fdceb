"""Tokens are dead at once when what they rest on changes, and only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, grant, make
from tests.harness import Client

PASSWORD = "of the test"


@dataclass
class Setting:
    """A domain with a project, a user that is a member of it by a group and by itself."""

    world: World
    admin: Client
    domain: str
    project: str
    user: str
    group: str
    grants: dict[str, str]

    def token(self, *, scoped: bool = True) -> Client:
        scope = {"project": {"id": self.project}} if scoped else "unscoped"
        user = {"id": self.user, "password": PASSWORD}
        answer = self.world.try_login(
            {"methods": ["password"], "password": {"user": user}}, scope, private=False
        )
        answer.expect(201)
        return self.world.cloud.bearer(answer.headers["x-subject-token"])

    def off(self, noun: str, identifier: str) -> None:
        answer = self.admin.patch(f"{V3}/{noun}s/{identifier}", {noun: {"enabled": False}})
        assert answer.status == 200

    def delete(self, path: str) -> None:
        assert self.admin.delete(path).status == 204


@pytest.fixture
def setting(world: World) -> Setting:
    admin = world.admin()
    domain = make(admin, "domain", name="acme")["id"]
    project = make(admin, "project", name="web", domain_id=domain)["id"]
    user = make(admin, "user", name="ada", domain_id=domain, password=PASSWORD)["id"]
    group = make(admin, "group", name="ops", domain_id=domain)["id"]
    assert admin.put(f"{V3}/groups/{group}/users/{user}").status == 204
    roles = world.first.roles
    made = {
        "user": grant(admin, "project", project, "user", user, roles["member"]),
        "group": grant(admin, "project", project, "group", group, roles["reader"]),
    }
    return Setting(world, admin, domain, project, user, group, made)


def _disable_domain(s: Setting) -> None:
    s.off("domain", s.domain)


def _delete_domain(s: Setting) -> None:
    s.off("domain", s.domain)
    s.delete(f"{V3}/domains/{s.domain}")


def _new_password(s: Setting) -> None:
    answer = s.admin.patch(f"{V3}/users/{s.user}", {"user": {"password": "another"}})
    assert answer.status == 200


def _own_password(s: Setting) -> None:
    body = {"user": {"original_password": PASSWORD, "password": "another"}}
    assert s.world.anonymous().post(f"{V3}/users/{s.user}/password", body).status == 204


def _rename_role(s: Setting) -> None:
    role = s.world.first.roles["reader"]
    assert s.admin.patch(f"{V3}/roles/{role}", {"role": {"name": "viewer"}}).status == 200


KILL_ALL: dict[str, Callable[[Setting], None]] = {
    "user disabled": lambda s: s.off("user", s.user),
    "user deleted": lambda s: s.delete(f"{V3}/users/{s.user}"),
    "password reset": _new_password,
    "password changed": _own_password,
    "domain disabled": _disable_domain,
    "domain deleted": _delete_domain,
    "all tokens revoked": lambda s: s.delete(f"{V3}/users/{s.user}/tokens"),
    "left a group": lambda s: s.delete(f"{V3}/groups/{s.group}/users/{s.user}"),
    "group deleted": lambda s: s.delete(f"{V3}/groups/{s.group}"),
}
KILL_SCOPED: dict[str, Callable[[Setting], None]] = {
    "role taken away": lambda s: s.delete(s.grants["user"]),
    "group's role taken away": lambda s: s.delete(s.grants["group"]),
    "project disabled": lambda s: s.off("project", s.project),
    "project deleted": lambda s: s.delete(f"{V3}/projects/{s.project}"),
    "role renamed": _rename_role,
    "implication removed": lambda s: s.delete(
        f"{V3}/roles/{s.world.first.roles['member']}/implies/{s.world.first.roles['reader']}"
    ),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", KILL_ALL)
def test_every_token_of_the_user_dies(setting: Setting, what: str) -> None:
    scoped, unscoped = setting.token(), setting.token(scoped=False)
    assert scoped.get(f"{V3}/auth/projects").status == 200
    KILL_ALL[what](setting)
    assert scoped.get(f"{V3}/auth/projects").status == 401
    assert unscoped.get(f"{V3}/auth/projects").status == 401
    subject = {"X-Subject-Token": str(scoped.token)}
    assert setting.world.admin().get(f"{V3}/auth/tokens", headers=subject).status == 404
    assert setting.admin.get(f"{V3}/auth/projects").status == 200, "and nobody else's"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", KILL_SCOPED)
def test_tokens_of_the_scope_die(setting: Setting, what: str) -> None:
    scoped, unscoped = setting.token(), setting.token(scoped=False)
    KILL_SCOPED[what](setting)
    assert scoped.get(f"{V3}/auth/projects").status == 401
    assert unscoped.get(f"{V3}/auth/projects").status == 200


def test_deleting_a_role_kills_what_it_gave(setting: Setting) -> None:
    role = make(setting.admin, "role", name="prior")["id"]
    reader = setting.world.first.roles["reader"]
    assert setting.admin.put(f"{V3}/roles/{role}/implies/{reader}").status == 201
    grant(setting.admin, "project", setting.project, "group", setting.group, role)
    scoped = setting.token()
    setting.delete(f"{V3}/roles/{role}")
    assert scoped.get(f"{V3}/auth/projects").status == 401
    again = setting.token()
    assert again.get(f"{V3}/auth/projects").status == 200


def test_roles_that_do_not_fit_into_a_token_still_count(setting: Setting) -> None:
    for at in range(20):
        role = make(setting.admin, "role", name=f"a-role-with-a-long-name-{at}")["id"]
        path = grant(setting.admin, "project", setting.project, "user", setting.user, role)
    scoped = setting.token()
    assert len(str(scoped.token)) < 255
    subject = {"X-Subject-Token": str(scoped.token)}
    shown = scoped.get(f"{V3}/auth/tokens", headers=subject).expect(200)["token"]
    assert len(shown["roles"]) == 22
    setting.delete(path)
    assert scoped.get(f"{V3}/auth/projects").status == 401


def test_changes_that_take_nothing_kill_nothing(setting: Setting) -> None:
    scoped = setting.token()
    user, project = f"{V3}/users/{setting.user}", f"{V3}/projects/{setting.project}"
    assert setting.admin.patch(user, {"user": {"name": "lovelace"}}).status == 200
    assert setting.admin.patch(project, {"project": {"name": "www"}}).status == 200
    grant(
        setting.admin, "project", setting.project, "user", setting.user,
        setting.world.first.roles["manager"],
    )  # fmt: skip
    assert scoped.get(f"{V3}/auth/projects").status == 200


def test_one_revoked_token_leaves_the_others(setting: Setting) -> None:
    first, second = setting.token(), setting.token()
    subject = {"X-Subject-Token": str(first.token)}
    assert first.delete(f"{V3}/auth/tokens", headers=subject).status == 204
    assert first.get(f"{V3}/auth/projects").status == 401
    assert second.get(f"{V3}/auth/projects").status == 200
    body = {"methods": ["token"], "token": {"id": first.token}}
    assert setting.world.try_login(body).status == 404


def test_what_was_disabled_and_enabled_does_not_come_back(setting: Setting) -> None:
    scoped = setting.token()
    setting.off("user", setting.user)
    answer = setting.admin.patch(f"{V3}/users/{setting.user}", {"user": {"enabled": True}})
    assert answer.status == 200
    assert scoped.get(f"{V3}/auth/projects").status == 401
    assert setting.token().get(f"{V3}/auth/projects").status == 200


def test_revocations_are_forgotten_when_no_token_they_kill_is_left(setting: Setting) -> None:
    import sqlalchemy as sa

    from andromede import clock
    from andromede.services.identity.tokens.store import revocation

    setting.delete(f"{V3}/users/{setting.user}/tokens")
    late = clock.now() + 72 * 3600 * clock.SECOND
    clock.set_source(lambda: late)
    try:
        setting.world.admin().delete(f"{V3}/users/{setting.user}/tokens")
        with setting.world.cloud.database.read() as connection:
            kept = connection.execute(sa.select(revocation.c.subject)).scalars().all()
    finally:
        clock.set_source(None)
    assert kept == [f"user:{setting.user}"]
