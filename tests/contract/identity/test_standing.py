"""What a caller was let in by, looked at again long after its request."""

from __future__ import annotations

import pytest

from andromede.http.access import Caller
from andromede.services.identity import api
from andromede.services.identity.tokens import store
from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3
from tests.contract.identity.test_trusts import PATH, Pair, pair

__all__ = ["pair"]


def caller(world: World, token: str | None, listener: str = "public") -> Caller:
    assert token is not None
    with world.cloud.database.read() as connection:
        return world.cloud.cloud.authenticate(connection, token, listener)


def stands(world: World, who: Caller, since: int) -> bool:
    with world.cloud.database.read() as connection:
        return api.stands(connection, who, since)


def now(world: World) -> int:
    with world.cloud.database.read() as connection:
        return api.epoch(connection)


def test_a_login_stands_until_it_is_taken_back(pair: Pair) -> None:
    world = pair.world
    ada, bob = caller(world, pair.ada.token), caller(world, pair.bob.token)
    since = now(world)
    assert stands(world, ada, since)
    headers = {"X-Subject-Token": str(pair.ada.token)}
    assert pair.ada.delete(f"{V3}/auth/tokens", headers=headers).status == 204
    assert not stands(world, ada, since)
    assert stands(world, bob, since)
    assert stands(world, ada, now(world)), "of another login nothing was taken back since"
    world.admin().patch(f"{V3}/users/{bob.user_id}", {"user": {"enabled": False}}).expect(200)
    assert not stands(world, bob, since)


def test_what_is_lent_stands_with_its_trust_and_whoever_lent_it(pair: Pair) -> None:
    world, trust = pair.world, pair.lend()
    lent = caller(world, pair.use(trust).token)
    since = now(world)
    assert stands(world, lent, since)
    world.admin().patch(f"{V3}/users/{pair.ids['ada']}", {"user": {"enabled": False}}).expect(200)
    assert not stands(world, lent, since)
    world.admin().patch(f"{V3}/users/{pair.ids['ada']}", {"user": {"enabled": True}}).expect(200)
    again = now(world)
    assert stands(world, lent, again)
    ada = world.login("ada", {"project": {"id": pair.project}}, password="pw", private=False)
    assert ada.delete(f"{PATH}/{trust['id']}").status == 204
    assert not stands(world, lent, now(world)), "a trust that is gone lends nothing"
    assert again <= now(world)


@pytest.mark.parametrize(
    ("scope", "subject"),
    [
        ({"system": True}, "grant:u:system"),
        ({"domain_id": "d"}, "domain:d"),
        ({"domain_id": "d"}, "grant:u:d"),
        ({"project_id": "p", "project_domain_id": "far"}, "domain:far"),
        ({}, "domain:home"),
        ({"application_credential_id": "c"}, "credential:c"),
        ({"roles": frozenset({"member"})}, "role:member"),
    ],
    ids=str,
)
def test_each_scope_rests_on_its_own(world: World, scope: dict[str, object], subject: str) -> None:
    who = Caller(user_id="u", user_domain_id="home", audit_id="a", **scope)  # type: ignore[arg-type]
    since = now(world)
    world.cloud.database.transact(lambda c: store.revoke(c, ["grant:u:other", "domain:other"]))
    assert stands(world, who, since)
    world.cloud.database.transact(lambda c: store.revoke(c, [subject]))
    assert not stands(world, who, since)
