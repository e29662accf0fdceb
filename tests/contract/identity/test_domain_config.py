"""Configuration of domains: kept and shown, but for secrets."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa

from andromede.config import Compliance
from andromede.services.identity.domain_config.store import option
from tests.contract.identity.conftest import World
from tests.contract.identity.making import V3, make, member
from tests.harness import unknown_id

WISH = {"identity": {"driver": "ldap"}, "ldap": {"url": "ldap://x", "user_tree_dn": "ou=U"}}


def test_the_life_of_a_configuration(world: World) -> None:
    admin = world.admin()
    domain = make(admin, "domain", name="acme")["id"]
    path = f"{V3}/domains/{domain}/config"
    assert admin.get(path).status == 404
    assert admin.put(path, {"config": WISH}).expect(201)["config"] == WISH
    assert admin.put(path, {"config": WISH}).expect(200)["config"] == WISH
    assert admin.get(path).expect(200)["config"] == WISH
    assert admin.call("HEAD", path).status == 200
    assert admin.get(f"{path}/ldap").expect(200)["config"] == {"ldap": WISH["ldap"]}
    assert admin.get(f"{path}/ldap/url").expect(200)["config"] == {"url": "ldap://x"}
    more = {"config": {"identity": {"list_limit": 7}}}
    assert admin.patch(path, more).expect(200)["config"]["identity"]["list_limit"] == 7
    changed = admin.patch(f"{path}/ldap", {"config": {"ldap": {"url": "ldap://y"}}}).expect(200)
    assert changed["config"]["ldap"] == {**WISH["ldap"], "url": "ldap://y"}
    one = f"{path}/identity/driver"
    changed = admin.patch(one, {"config": {"driver": "sql"}}).expect(200)
    assert changed["config"]["identity"]["driver"] == "sql"
    assert admin.delete(one).status == 204
    for call in (admin.get, admin.delete):
        assert call(one).status == 404
    assert admin.patch(one, {"config": {"driver": "sql"}}).status == 404
    assert admin.delete(f"{path}/identity").status == 204
    assert admin.get(f"{path}/identity").status == 404
    assert admin.delete(path).status == 204
    assert admin.get(path).status == 404
    admin.put(path, {"config": WISH}).expect(201)
    assert admin.patch(f"{V3}/domains/{domain}", {"domain": {"enabled": False}}).status == 200
    assert admin.delete(f"{V3}/domains/{domain}").status == 204


def test_a_secret_is_wrapped_and_never_shown(world: World) -> None:
    admin = world.admin()
    path = f"{V3}/domains/default/config"
    body = {"config": {"ldap": {"url": "ldap://x", "password": "swordfish"}}}
    assert admin.put(path, body).expect(201)["config"] == {"ldap": {"url": "ldap://x"}}
    assert admin.get(f"{path}/ldap/password").status == 404
    with world.cloud.database.read() as connection:
        (row,) = connection.execute(sa.select(option).where(option.c.name == "password")).all()
    assert b"swordfish" not in row.wrapped
    keys = world.keys.unwrap("credential", "default/ldap/password", row.wrapped)
    assert (keys, row.value) == (b"swordfish", None)
    assert admin.delete(f"{path}/ldap/password").status == 204


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_no_domain_has_is_refused(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    path = f"{V3}/domains/default/config"
    for fault in ({}, {"ldap": {}}, {"ldap": 1}, {"token": {"x": 1}}, {"ldap": {"x": 1}}):
        assert admin.put(path, {"config": fault}).status == 403, fault
    assert admin.put(path, {"config": 1}).status == 400
    admin.put(path, {"config": WISH}).expect(201)
    assert admin.patch(f"{path}/ldap", {"config": {"identity": {"driver": "x"}}}).status == 403
    two = {"config": {"url": "a", "user": "b"}}
    assert admin.patch(f"{path}/ldap/url", two).status == 403
    for part in ("token", "ldap/x", "token/x"):
        assert admin.get(f"{path}/{part}").status == 403
        assert admin.delete(f"{path}/{part}").status == 403
    assert admin.get(f"{V3}/domains/{unknown_id()}/config").status == 404
    assert ada.get(path).status == 403
    assert ada.put(path, {"config": WISH}).status == 403


def test_defaults_and_the_rules_for_passwords(world: World) -> None:
    admin, ada = world.admin(), member(world, "ada")
    base = f"{V3}/domains/config"
    assert set(admin.get(f"{base}/default").expect(200)["config"]) == {"identity", "ldap"}
    ldap = admin.get(f"{base}/ldap/default").expect(200)["config"]["ldap"]
    assert ldap["url"] == "ldap://localhost"
    shown = admin.get(f"{base}/identity/driver/default").expect(200)["config"]
    assert shown == {"driver": "sql"}
    for part in ("token", "ldap/password", "ldap/x"):
        assert admin.get(f"{base}/{part}/default").status == 403
    config = msgspec.structs.replace(
        world.cloud.config, security_compliance=Compliance(password_regex="a+")
    )
    world.cloud.cloud.config = config
    rules = f"{V3}/domains/default/config/security_compliance"
    told = {"password_regex": "a+", "password_regex_description": None}
    assert ada.get(rules).expect(200)["config"] == {"security_compliance": told}
    assert ada.get(f"{rules}/password_regex").expect(200)["config"] == {"password_regex": "a+"}
    assert ada.get(f"{rules}/lockout_duration").status == 403
    other = make(admin, "domain", name="acme")["id"]
    assert ada.get(f"{V3}/domains/{other}/config/security_compliance").status == 403
