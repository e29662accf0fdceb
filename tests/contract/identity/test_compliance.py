"""What the settings ask of users and their passwords, and the options that exempt a user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from andromede import clock
from andromede.config import Compliance
from tests.contract.identity.conftest import World, by_password
from tests.contract.identity.making import V3, make
from tests.harness import Answer, Client

DAY = 24 * 3600


def ask_for(world: World, **rules: Any) -> None:
    config = msgspec.structs.replace(world.cloud.config, security_compliance=Compliance(**rules))
    world.cloud.cloud.config = config


@contextmanager
def later(seconds: float) -> Iterator[None]:
    moment = clock.now() + int(seconds * clock.SECOND)
    clock.set_source(lambda: moment)
    try:
        yield
    finally:
        clock.set_source(None)


def ada(world: World, **options: bool) -> dict[str, Any]:
    return make(world.admin(), "user", name="ada", password="first", options=options)


def login(world: World, password: str = "first") -> int:
    return world.try_login(by_password("ada", password)).status


def change(world: World, user: dict[str, Any], old: str, new: str) -> Answer:
    body = {"user": {"original_password": old, "password": new}}
    return world.anonymous().post(f"{V3}/users/{user['id']}/password", body)


def reset(admin: Client, user: dict[str, Any], **values: Any) -> dict[str, Any]:
    path = f"{V3}/users/{user['id']}"
    shown: dict[str, Any] = admin.patch(path, {"user": values}).expect(200)["user"]
    return shown


def test_wrong_passwords_lock_for_a_while(world: World) -> None:
    ask_for(world, lockout_failure_attempts=2, lockout_duration=60)
    user = ada(world)
    assert [login(world, "wrong"), login(world), login(world, "wrong")] == [401, 201, 401]
    assert [login(world, "wrong"), login(world)] == [401, 401]
    assert change(world, user, "first", "second").status == 401
    with later(61):
        assert login(world) == 201
    assert [login(world, "wrong") for _ in range(2)] == [401, 401]
    reset(world.admin(), user, enabled=True)
    assert login(world) == 201


def test_a_lock_without_an_end_waits_for_somebody(world: World) -> None:
    ask_for(world, lockout_failure_attempts=1, lockout_duration=0)
    user = ada(world)
    assert login(world, "wrong") == 401
    with later(365 * DAY):
        assert login(world) == 401
    reset(world.admin(), user, password="second")
    assert login(world, "second") == 201


def test_an_exempt_user_is_not_locked(world: World) -> None:
    ask_for(world, lockout_failure_attempts=1, lockout_duration=60)
    ada(world, ignore_lockout_failure_attempts=True)
    assert [login(world, "wrong"), login(world)] == [401, 201]


def test_passwords_expire(world: World) -> None:
    ask_for(world, password_expires_days=30)
    user = ada(world)
    assert user["password_expires_at"].endswith(".000000Z")
    with later(31 * DAY):
        answer = world.try_login(by_password("ada", "first"))
        assert answer.status == 401
        assert "is expired" in answer.json["error"]["message"]
        assert "is expired" not in str(world.try_login(by_password("ada", "no")).body)
        assert change(world, user, "first", "second").status == 204
        assert login(world, "second") == 201


def test_an_exempt_users_password_does_not_expire(world: World) -> None:
    ask_for(world, password_expires_days=30)
    assert ada(world, ignore_password_expiry=True)["password_expires_at"] is None
    made = make(world.admin(), "user", name="bob", password="first")
    assert reset(world.admin(), made, options={"ignore_password_expiry": True})
    with later(31 * DAY):
        assert login(world) == 201
        assert world.try_login(by_password("bob", "first")).status == 201


def test_passwords_differ_from_former_ones(world: World) -> None:
    ask_for(world, unique_last_password_count=3)
    user = ada(world)
    assert change(world, user, "first", "first").status == 400
    assert change(world, user, "first", "second").status == 204
    assert change(world, user, "second", "first").status == 400
    assert change(world, user, "second", "third").status == 204
    assert change(world, user, "third", "first").status == 400
    assert change(world, user, "third", "fourth").status == 204
    assert change(world, user, "fourth", "first").status == 204
    reset(world.admin(), user, password="fifth")
    assert change(world, user, "fifth", "first").status == 400
    ask_for(world)
    assert change(world, user, "fifth", "fifth").status == 204


def test_a_password_has_an_age_before_it_is_changed_again(world: World) -> None:
    ask_for(world, minimum_password_age=2)
    user = ada(world)
    assert change(world, user, "first", "second").status == 204
    assert change(world, user, "second", "third").status == 400
    with later(2 * DAY + 1):
        assert change(world, user, "second", "third").status == 204
    reset(world.admin(), user, password="fourth")
    assert change(world, user, "fourth", "fifth").status == 204


def test_passwords_are_of_the_form_that_is_asked_for(world: World) -> None:
    ask_for(world, password_regex="^[a-z]+$", password_regex_description="small letters")
    user, admin = ada(world), world.admin()
    refused = change(world, user, "first", "2nd")
    assert refused.status == 400
    assert "small letters" in refused.json["error"]["message"]
    assert admin.patch(f"{V3}/users/{user['id']}", {"user": {"password": "2"}}).status == 400
    body = {"user": {"name": "bob", "password": "2"}}
    assert admin.post(f"{V3}/users", body).status == 400
    ask_for(world, password_regex="^[a-z]+$")
    assert "[a-z]" in change(world, user, "first", "2nd").json["error"]["message"]
    assert change(world, user, "first", "second").status == 204


def test_the_first_login_changes_a_password_that_another_set(world: World) -> None:
    ask_for(world, change_password_upon_first_use=True)
    user, admin = ada(world), world.admin()
    assert login(world) == 401
    assert change(world, user, "first", "second").status == 204
    assert login(world, "second") == 201
    reset(admin, user, password="third")
    assert login(world, "third") == 401
    reset(admin, user, password="fourth", options={"ignore_change_password_upon_first_use": True})
    assert login(world, "fourth") == 201


def test_who_was_away_too_long_is_disabled(world: World) -> None:
    ask_for(world, disable_user_account_days_inactive=10)
    user, admin = ada(world), world.admin()
    make(admin, "user", name="bob", password="b", options={"ignore_user_inactivity": True})
    reset(admin, {"id": world.first.user_id}, options={"ignore_user_inactivity": True})
    assert login(world) == login(world) == 201
    with later(11 * DAY):
        assert login(world) == 401
        assert world.try_login(by_password("bob", "b")).status == 201
        assert change(world, user, "first", "second").status == 401
        admin = world.admin()
        path = f"{V3}/users/{user['id']}"
        assert admin.get(path).expect(200)["user"]["enabled"] is False
        assert reset(admin, user, enabled=True)["enabled"] is True
        assert login(world) == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_user_without_a_password_has_none_to_compare_with(world: World) -> None:
    ask_for(world, unique_last_password_count=3)
    user = make(world.admin(), "user", name="ada")
    reset(world.admin(), user, password="first")
    assert login(world) == 201
