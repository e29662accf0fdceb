"""Operators do not become customers: who may be given a role on a customer's project, and how."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services.identity import passwords
from tests.contract.identity.conftest import CHEAP
from tests.contract.identity.making import V3, grant, make
from tests.contract.sovereignty.taking import CLOSED, CONSENTS, Taking, taking
from tests.harness import OPEN


@pytest.fixture
def it(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    with taking(tmp_path, database_url) as made:
        yield made


@pytest.mark.parametrize("role", ["member", "admin", "reader"])
def test_no_operator_gets_a_role_on_a_customers_project(it: Taking, role: str) -> None:
    it.consent()
    for client in (it.admin(), it.world.system()):
        for user in ("boss", "admin"):
            wanted = it.path(user, role)
            assert "is an operator" in it.refused(client.put(wanted))
            assert client.get(wanted).status == 404
    assert it.notices() == []


def test_nobody_becomes_an_operator_inside_of_one(it: Taking) -> None:
    it.consent()
    assert "would be one" in it.refused(it.admin().put(it.path("new", "admin")))
    assert "would be one" in it.refused(it.admin().put(it.path("ada", "admin")))


def test_a_second_user_takes_the_customers_consent(it: Taking) -> None:
    admin, wanted = it.admin(), it.path("new", "member")
    text = it.refused(admin.put(wanted))
    assert it.ids["web"] in text
    assert "'access'" in text
    assert admin.get(wanted).status == 404
    assert it.world.try_login(
        {"methods": ["password"], "password": {"user": {"id": it.ids["new"], "password": "pw"}}},
        {"project": {"id": it.ids["web"]}},
    ).status == 401  # fmt: skip
    it.consent(resource=it.ids["boss"])
    it.consent(operator=it.ids["boss"])
    it.refused(admin.put(wanted))
    given = it.consent(resource=it.ids["new"], operator=it.ids["admin"])
    assert admin.put(wanted).status == 204
    assert admin.put(wanted).status == 204  # held already: nothing to ask for or to tell
    (told,) = it.notices()
    assert told["kind"] == "membership"
    for text in (told["text_fr"], told["text_en"]):
        assert {it.ids["new"], it.ids["admin"], given} <= set(text.replace(",", "").replace(
            ".", "").split())  # fmt: skip
    seen = it.client("ada").get("/sovereignty/v1/log/leaves").expect(200)["leaves"]
    (made,) = [each for each in seen if each["detail"].get("consent") == given]
    assert (made["action"], made["status"]) == ("identity:grant:create", 204)
    assert it.client("new").get(f"{V3}/auth/projects").status == 200


def test_more_for_who_is_there_already_takes_consent_too(it: Taking) -> None:
    it.refused(it.admin().put(it.path("ada", "manager")))
    it.consent(name="ada")
    assert it.admin().put(it.path("ada", "manager")).status == 204


def test_what_a_customer_refused_or_took_back_opens_nothing(it: Taking) -> None:
    asked = {"project_id": it.ids["web"], "kinds": ["access"], "reason": "ticket 7"}
    made = it.admin().post(CONSENTS, {"consent": asked}).expect(201)["consent"]["id"]
    it.refused(it.admin().put(it.path("new", "member")))
    (told,) = it.notices()
    assert "to open the project to a user" in told["text_en"]
    it.client("ada").post(f"{CONSENTS}/{made}/refuse").expect(200)
    it.refused(it.admin().put(it.path("new", "member")))
    given = it.consent()
    it.client("ada").post(f"{CONSENTS}/{given}/revoke").expect(200)
    it.refused(it.admin().put(it.path("new", "member")))


def test_a_project_that_lost_its_members_opens_in_an_emergency(it: Taking) -> None:
    admin = it.admin()
    assert admin.delete(it.path("ada", "member")).status == 204
    it.refused(admin.put(it.path("ada", "member")))
    it.refused(admin.put(it.path("new", "member")))
    opened = it.emergency()
    assert admin.put(it.path("new", "member")).status == 204
    assert [opened in each["text_en"] for each in it.notices("new")] == [True, True]


def test_a_deleted_member_or_a_promoted_one_leaves_the_project_the_customers(it: Taking) -> None:
    admin = it.admin()
    auditor = f"{V3}/system/users/{it.ids['ada']}/roles/{it.roles['reader']}"
    assert admin.put(auditor).status == 204  # ada is an operator now
    it.refused(admin.put(it.path("boss", "member")))
    it.refused(admin.put(it.path("new", "member")))
    assert admin.delete(f"{V3}/users/{it.ids['ada']}").status == 204
    it.refused(admin.put(it.path("new", "member")))


def test_nor_by_a_group(it: Taking) -> None:
    admin, member = it.admin(), it.roles["member"]
    helpers, bosses, nobody = it.group("helpers", "new"), it.group("b", "boss"), it.group("n")
    place = f"{V3}/projects/{it.ids['web']}/groups"
    it.refused(admin.put(f"{place}/{helpers}/roles/{member}"))
    assert "is an operator" in it.refused(admin.put(f"{place}/{bosses}/roles/{member}"))
    assert admin.put(f"{place}/{nobody}/roles/{member}").status == 204  # it opens it to nobody
    it.refused(admin.put(f"{V3}/groups/{nobody}/users/{it.ids['new']}"))
    it.refused(admin.put(f"{V3}/groups/{nobody}/users/{it.ids['boss']}"))
    it.consent(resource=it.ids["new"])
    assert admin.put(f"{V3}/groups/{nobody}/users/{it.ids['new']}").status == 204
    assert admin.put(f"{V3}/groups/{nobody}/users/{it.ids['new']}").status == 204
    it.refused(admin.put(f"{V3}/groups/{nobody}/users/{it.ids['ada']}"))
    assert len(it.notices()) == 1


def test_nor_by_inheritance(it: Taking) -> None:
    admin, member = it.admin(), it.roles["member"]
    for place in (f"projects/{it.ids['web']}", "domains/default"):
        for user in ("new", "boss"):
            heir = f"{V3}/OS-INHERIT/{place}/users/{it.ids[user]}/roles/{member}"
            answer = admin.put(f"{heir}/inherited_to_projects")
            if (place, user) == (f"projects/{it.ids['web']}", "new"):
                assert answer.status == 204  # nothing is below it yet
            else:
                it.refused(answer)
    child = make(admin, "project", name="below", parent_id=it.ids["web"])["id"]
    it.ids["below"] = child
    it.refused(admin.put(it.path("ada", "member", "below")))  # new is in it since its birth
    heir = f"{V3}/OS-INHERIT/domains/default/users/{it.ids['new']}/roles/{member}"
    it.consent()
    it.refused(admin.put(f"{heir}/inherited_to_projects"))
    it.consent(name="new", project="below")
    assert admin.put(f"{heir}/inherited_to_projects").status == 204
    assert {each["kind"] for each in it.notices()} == {"membership"}


def test_nor_by_making_a_manager_of_the_domain(it: Taking) -> None:
    admin = it.admin()
    place = f"{V3}/domains/default/users/{it.ids['new']}/roles"
    it.refused(admin.put(f"{place}/{it.roles['manager']}"))
    assert admin.put(f"{place}/{it.roles['reader']}").status == 204
    it.consent()
    assert admin.put(f"{place}/{it.roles['manager']}").status == 204
    domain = make(admin, "domain", name="fresh")["id"]
    fresh = f"{V3}/domains/{domain}/users/{it.ids['new']}/roles/{it.roles['manager']}"
    assert admin.put(fresh).status == 204


def test_what_the_customers_own_manager_does_is_told(it: Taking) -> None:
    admin = it.admin()
    it.consent()
    manager = f"{V3}/domains/default/users/{it.ids['new']}/roles/{it.roles['manager']}"
    assert admin.put(manager).status == 204
    chief = it.world.login("new", {"domain": {"id": "default"}}, password="pw", private=False)
    wanted = make(admin, "user", name="eve", password="pw")["id"]
    path = f"{V3}/projects/{it.ids['web']}/users/{wanted}/roles/{it.roles['member']}"
    assert chief.put(path).status == 204
    assert it.notices()[-1]["text_en"].startswith(f"User {it.ids['new']} gave a role")
    own = make(chief, "project", name="theirs", domain_id="default")["id"]
    place = f"{V3}/projects/{own}/users"
    assert chief.put(f"{place}/{wanted}/roles/{it.roles['member']}").status == 204
    it.refused(admin.put(f"{place}/{it.ids['ada']}/roles/{it.roles['member']}"))


def test_the_first_are_told_who_else_comes_in(it: Taking) -> None:
    admin = it.admin()
    domain = make(admin, "domain", name="fresh")["id"]
    manager = f"{V3}/domains/{domain}/users/{it.ids['new']}/roles/{it.roles['manager']}"
    assert admin.put(manager).status == 204
    it.ids["first"] = make(admin, "project", name="first", domain_id=domain)["id"]
    assert admin.put(it.path("ada", "member", "first")).status == 204
    ada = it.client("ada", "first")
    (told,) = ada.get("/sovereignty/v1/notices").expect(200)["notices"]
    assert f"let others in: {it.ids['new']}." in told["text_en"]
    assert "Change a password" in told["text_en"]
    assert f"faire entrer d\u2019autres\N{NO-BREAK SPACE}: {it.ids['new']}." in told["text_fr"]


def test_operators_projects_are_theirs_alone(it: Taking) -> None:
    for client in (it.admin(), it.world.system()):
        for target in (f"projects/{it.ids['ops']}", f"projects/{it.world.first.project_id}",
                       "system"):  # fmt: skip
            one = f"{V3}/{target}/users/{it.ids['boss']}/roles/{it.roles['admin']}"
            assert client.put(one).status == 204, target
    assert "operators' own" in it.refused(it.admin().put(it.path("new", "member", "ops")))
    both = it.group("both", "boss", "new")
    fresh = make(it.admin(), "project", name="fresh")["id"]
    place = f"{V3}/projects/{fresh}/groups/{both}/roles/{it.roles['member']}"
    it.refused(it.admin().put(place))


def test_an_operator_is_a_stranger_in_a_project_that_it_shares(it: Taking) -> None:
    """As it may have come to be while the cloud was open."""
    it.set_policy(OPEN)
    admin = it.admin()
    assert admin.put(it.path("boss", "admin")).status == 204
    assert admin.put(it.path("new", "member")).status == 204
    assert it.notices() == []
    it.set_policy(CLOSED)
    boss = it.client("boss", private=True)
    it.refused(boss.put(it.path("new", "manager")))
    seen = it.client("ada").get("/sovereignty/v1/log/leaves").expect(200)["leaves"]
    assert seen[-1]["actor"] == it.ids["boss"]


def test_roles_do_not_grow_under_customers_projects(it: Taking) -> None:
    admin = it.admin()
    weak = make(admin, "role", name="auditor")["id"]
    other = make(admin, "role", name="other")["id"]
    given = it.consent(resource=it.ids["new"])
    grant(admin, "project", it.ids["web"], "user", it.ids["new"], weak)
    it.client("ada").post(f"{CONSENTS}/{given}/revoke").expect(200)
    implies = f"{V3}/roles/{weak}/implies"
    it.refused(admin.put(f"{implies}/{it.roles['manager']}"))
    assert admin.put(f"{implies}/{other}").status == 201  # no rule asks for it
    it.refused(admin.put(f"{V3}/roles/{other}/implies/{it.roles['reader']}"))
    assert admin.delete(f"{V3}/roles/{it.roles['manager']}").status == 204
    rename, admin = {"role": {"name": "manager"}}, it.admin()
    admin.patch(f"{V3}/roles/{weak}", {"role": {"name": "x"}}).expect(200)
    it.refused(admin.patch(f"{V3}/roles/{weak}", rename))
    assert admin.patch(f"{V3}/roles/{it.roles['admin']}", rename).status == 409
    it.consent()
    admin.patch(f"{V3}/roles/{weak}", rename).expect(200)
    assert "widened" in it.notices()[-1]["text_en"]


def test_an_open_cloud_gives_roles_as_it_likes(it: Taking) -> None:
    it.set_policy(OPEN)
    admin = it.admin()
    assert admin.put(it.path("boss", "member")).status == 204
    assert admin.put(it.path("new", "member", "ops")).status == 204
    heir = f"{V3}/OS-INHERIT/domains/default/users/{it.ids['boss']}/roles/{it.roles['member']}"
    assert admin.put(f"{heir}/inherited_to_projects").status == 204
    weak = make(admin, "role", name="auditor")["id"]
    grant(admin, "project", it.ids["web"], "user", it.ids["new"], weak)
    assert admin.put(f"{V3}/roles/{weak}/implies/{it.roles['manager']}").status == 201
    assert it.notices() == []


def test_operators_who_join_operators_change_nothing(it: Taking) -> None:
    admin = it.admin()
    third = make(admin, "project", name="third")["id"]
    bosses = it.group("bosses", "boss", "admin")
    for role in ("member", "admin"):
        path = f"{V3}/projects/{third}/groups/{bosses}/roles/{it.roles[role]}"
        assert admin.put(path).status == 204
    it.ids["third"] = third
    assert "operators' own" in it.refused(admin.put(it.path("new", "member", "third")))


def test_a_group_of_managers_counts_for_its_members(it: Taking) -> None:
    admin = it.admin()
    domain = make(admin, "domain", name="fresh")["id"]
    staff = it.group("staff", "new")
    heirs = f"{V3}/OS-INHERIT/domains/{domain}/groups/{staff}/roles/{it.roles['reader']}"
    assert admin.put(f"{heirs}/inherited_to_projects").status == 204
    for role in ("reader", "manager"):
        path = f"{V3}/domains/{domain}/groups/{staff}/roles/{it.roles[role]}"
        assert admin.put(path).status == 204
    it.ids["first"] = make(admin, "project", name="first", domain_id=domain)["id"]
    it.refused(admin.put(it.path("ada", "member", "first")))  # staff is in it since its birth
    it.refused(admin.patch(f"{V3}/users/{it.ids['new']}", {"user": {"password": "taken"}}))
    assert admin.delete(f"{heirs}/inherited_to_projects").status == 204
    it.ids["next"] = make(admin, "project", name="next", domain_id=domain)["id"]
    assert admin.put(it.path("ada", "member", "next")).status == 204
    (told,) = it.client("ada", "next").get("/sovereignty/v1/notices").expect(200)["notices"]
    assert f"let others in: {it.ids['new']}." in told["text_en"]
