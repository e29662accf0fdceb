"""What is deleted leaves no policy, finding, consent or affiliation behind; the log stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services.identity import passwords
from andromede.sovereignty import suppliers
from andromede.sovereignty.consent import customers
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.policy import store as policies
from andromede.sovereignty.words import Text
from tests.contract.identity.conftest import CHEAP
from tests.contract.identity.making import V3, make
from tests.contract.sovereignty.declaring import Declaring
from tests.contract.sovereignty.taking import CONSENTS, Taking, taking

POLICIES = "/sovereignty/v1/policies"
WANTED = {"policy": {"allowed_countries": ["FR"]}}


@pytest.fixture
def it(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    with taking(tmp_path, database_url) as made:
        yield made


def scopes(it: Taking) -> list[str]:
    with it.world.cloud.database.read() as connection:
        return [row[0] for row in policies.page(connection, None, 100)]


def last(it: Taking, action: str) -> Any:
    with it.world.cloud.database.read() as connection:
        wanted = sa.select(leaf).where(leaf.c.action == action).order_by(leaf.c.arrival.desc())
        return connection.execute(wanted).first()


def note(it: Taking, resource: str, project: str) -> None:
    it.world.cloud.database.transact(
        lambda connection: findings.note(
            connection,
            "allowed_sites",
            "server",
            resource,
            Text("why", "pourquoi"),
            project_id=it.ids[project],
        )
    )


def test_a_project_takes_its_own_with_it(it: Taking) -> None:
    admin, web, other = it.admin(), it.ids["web"], it.ids["ops"]
    for project in (web, other):
        admin.put(f"{POLICIES}/projects/{project}", WANTED).expect(200)
    for resource, project in (("s1", "web"), ("s2", "web"), ("s3", "ops")):
        note(it, resource, project)
    given, asked = it.consent(), {"project_id": web, "kinds": ["disk"], "reason": "why"}
    waiting = admin.post(CONSENTS, {"consent": asked}).expect(201)["consent"]["id"]
    over = it.consent()
    it.client("ada").post(f"{CONSENTS}/{over}/revoke").expect(200)
    assert admin.delete(f"{V3}/projects/{web}").status == 204
    assert scopes(it) == ["cloud", f"project/{other}"]
    for key, by in ((given, "admin"), (waiting, "admin"), (over, "ada")):
        consent = admin.get(f"{CONSENTS}/{key}").expect(200)["consent"]
        assert (consent["status"], consent["ended_by"]) == ("revoked", it.ids[by])
    with it.world.cloud.database.read() as connection:
        open_ones = findings.page(connection, None, "open", None, 9)
        assert [each["resource"] for each in open_ones] == ["s3"]
        assert len(findings.page(connection, None, "closed", None, 9)) == 2
        (change, _) = policies.history(connection, [f"project/{web}"])
        assert (change["actor"], change["after"]) == (it.ids["admin"], None)
        assert not customers.known(connection, web)
    told = last(it, "identity:project:delete")
    assert (told.project_id, told.subject, told.status) == (web, web, 204)
    assert told.detail == {"policies": 1, "findings": 2, "consents": 2}


def test_a_project_that_left_nothing_says_nothing_of_it(it: Taking) -> None:
    assert it.admin().delete(f"{V3}/projects/{it.ids['ops']}").status == 204
    assert last(it, "identity:project:delete").detail == {}


def test_a_project_that_is_not_deleted_keeps_all(it: Taking) -> None:
    admin = it.admin()
    admin.put(f"{POLICIES}/projects/{it.ids['web']}", WANTED).expect(200)
    make(admin, "project", name="below", parent_id=it.ids["web"])
    assert admin.delete(f"{V3}/projects/{it.ids['web']}").status == 403
    assert f"project/{it.ids['web']}" in scopes(it)


def test_a_domain_takes_all_that_is_in_it(it: Taking) -> None:
    admin = it.admin()
    domain = make(admin, "domain", name="d")["id"]
    for name in ("one", "two"):
        it.ids[name] = make(admin, "project", name=name, domain_id=domain)["id"]
        admin.put(f"{POLICIES}/projects/{it.ids[name]}", WANTED).expect(200)
        note(it, f"s-{name}", name)
    admin.put(f"{POLICIES}/domains/{domain}", WANTED).expect(200)
    it.ids["ann"] = make(admin, "user", name="ann", domain_id=domain)["id"]
    act_for(it, "ann")
    body = {"domain": {"enabled": False}}
    assert admin.patch(f"{V3}/domains/{domain}", body).status == 200
    assert admin.delete(f"{V3}/domains/{domain}").status == 204
    assert scopes(it) == ["cloud"]
    with it.world.cloud.database.read() as connection:
        assert findings.page(connection, None, "open", None, 9) == []
        assert suppliers.page(connection, None, 9) == []
    assert last(it, "identity:domain:delete").detail == {"policies": 3, "findings": 2}


def act_for(it: Taking, name: str) -> None:
    admin = it.admin()
    Declaring(admin, admin).entity("acme", "FR")
    path = f"/sovereignty/v1/affiliations/{it.ids[name]}"
    assert admin.put(path, {"entity": "acme"}).status == 200


def test_a_user_acts_for_nobody_once_it_is_gone(it: Taking) -> None:
    act_for(it, "new")
    assert it.admin().delete(f"{V3}/users/{it.ids['new']}").status == 204
    assert it.admin().delete(f"{V3}/users/{it.ids['boss']}").status == 204
    assert it.admin().get("/sovereignty/v1/affiliations").json == {"affiliations": []}
