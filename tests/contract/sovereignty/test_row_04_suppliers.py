"""Row 4 (SecNumCloud 19.6.c): a non-EU supplier has no technical path to data. A grant to such a
supplier is refused, and logged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from andromede.services import sovereignty
from andromede.services.sovereignty import placed
from andromede.sovereignty.findings import reevaluate
from andromede.sovereignty.log.leaves import leaf
from tests.contract.identity.conftest import COMPUTE, World, open_world
from tests.contract.identity.making import V3, make
from tests.contract.sovereignty.declaring import Declaring
from tests.harness import OPEN, Client

V1 = "/sovereignty/v1"


@dataclass
class Suppliers:
    """A customer's project, a user for each supplier, and a role to give them."""

    world: World
    admin: Client
    project: str
    role: str
    users: dict[str, str]

    def declare(self, scope: str, **policy: Any) -> None:
        path = f"{V1}/policies/{scope}"
        assert self.admin.put(path, {"policy": policy}).status == 200

    def act_for(self, user: str, entity: str) -> Any:
        path = f"{V1}/affiliations/{self.users[user]}"
        return self.admin.put(path, {"entity": entity})

    def grant(self, user: str, target: str = "") -> Any:
        where = target or f"projects/{self.project}"
        return self.admin.put(f"{V3}/{where}/users/{self.users[user]}/roles/{self.role}")

    def refusals(self) -> list[Any]:
        with self.world.cloud.database.read() as connection:
            wanted = sa.select(leaf).where(leaf.c.status == 403).order_by(leaf.c.arrival)
            return list(connection.execute(wanted).mappings())


@pytest.fixture
def suppliers(tmp_path: Path, database_url: str) -> Iterator[Suppliers]:
    world = open_world(tmp_path, database_url, COMPUTE, sovereignty.SERVICE)
    admin = world.admin()
    declaring = Declaring(admin, admin)
    declaring.entity("state", kind="public-body")
    declaring.entity("maison")
    declaring.hold("state", "maison", 100)
    declaring.entity("acme", "US")
    declaring.entity("filiale")
    declaring.hold("acme", "filiale", 100)
    declaring.entity("unknown", "undeclared")
    users = {
        name: make(admin, "user", name=name)["id"]
        for name in ("french", "american", "owned", "nobody", "own")
    }
    project = make(admin, "project", name="ministry")["id"]
    found = Suppliers(world, admin, project, make(admin, "role", name="caretaker")["id"], users)
    for user, entity in (("french", "maison"), ("american", "acme"), ("owned", "filiale"),
                         ("nobody", "unknown")):  # fmt: skip
        assert found.act_for(user, entity).status == 200
    yield found
    world.cloud.close()


def test_without_a_policy_every_supplier_may_be_let_in(suppliers: Suppliers) -> None:
    assert suppliers.grant("american").status == 204


def test_a_grant_to_a_supplier_from_outside_is_refused_and_logged(suppliers: Suppliers) -> None:
    suppliers.declare(f"projects/{suppliers.project}", supplier_access="eu")
    for user, why in (("american", "acme"), ("owned", "filiale"), ("nobody", "declared")):
        message = suppliers.grant(user).expect(403)["error"]["message"]
        for part in ("supplier_access", f"project/{suppliers.project}", why, "European Union"):
            assert part in message
    assert suppliers.grant("french").status == 204
    assert suppliers.grant("own").status == 204
    assert [(each["action"], each["project_id"]) for each in suppliers.refusals()] == [
        ("identity:grant:create", suppliers.project)
    ] * 3
    assert suppliers.refusals()[0]["detail"]["rule"] == "supplier_access"


def test_ways_that_open_several_projects_count_too(suppliers: Suppliers) -> None:
    suppliers.declare(f"projects/{suppliers.project}", supplier_access="eu")
    other = make(suppliers.admin, "project", name="other")["id"]
    assert suppliers.grant("american", f"projects/{other}").status == 204
    for target in ("domains/default", "system"):
        assert suppliers.grant("american", target).status == 403
        assert suppliers.grant("french", target).status == 204
    inherited = (
        f"{V3}/OS-INHERIT/projects/{other}/users/{suppliers.users['american']}"
        f"/roles/{suppliers.role}/inherited_to_projects"
    )
    assert suppliers.admin.put(inherited).status == 403


def test_groups_and_late_affiliations_are_no_way_round(suppliers: Suppliers) -> None:
    admin = suppliers.admin
    suppliers.declare("cloud", **{**msgspec.to_builtins(OPEN), "supplier_access": "eu"})
    group = make(admin, "group", name="staff")["id"]
    member = f"{V3}/groups/{group}/users"
    assert admin.put(f"{member}/{suppliers.users['american']}").status == 204
    granted = f"{V3}/projects/{suppliers.project}/groups/{group}/roles/{suppliers.role}"
    assert admin.put(granted).status == 403
    assert admin.delete(f"{member}/{suppliers.users['american']}").status == 204
    assert admin.put(granted).status == 204
    assert admin.put(f"{member}/{suppliers.users['owned']}").status == 403
    assert admin.put(f"{member}/{suppliers.users['own']}").status == 204
    assert suppliers.act_for("own", "acme").status == 403
    assert suppliers.act_for("own", "maison").status == 200


def test_affiliations(suppliers: Suppliers) -> None:
    listed = suppliers.admin.get(f"{V1}/affiliations").expect(200)["affiliations"]
    assert {each["entity"] for each in listed} == {"maison", "acme", "filiale", "unknown"}
    page = suppliers.admin.get(f"{V1}/affiliations?limit=1").expect(200)
    assert len(page["affiliations"]) == 1
    assert "marker=" in page["affiliations_links"][0]["href"]
    assert suppliers.act_for("own", "nobody-knows").status == 400
    assert suppliers.admin.put(f"{V1}/affiliations/none", {"entity": "acme"}).status == 404
    path = f"{V1}/affiliations/{suppliers.users['american']}"
    assert suppliers.admin.delete(path).status == 204
    assert suppliers.admin.delete(path).status == 404


def test_a_supplier_that_is_bought_from_outside_is_found(suppliers: Suppliers) -> None:
    """What was granted while the supplier was of the Union opens a finding when it no longer is."""
    cloud = suppliers.world.cloud

    def found(state: str) -> list[Any]:
        reevaluate.run(cloud.database, [], {placed.GRANT: placed.grants})
        listed = suppliers.admin.get(f"{V1}/findings?state={state}").expect(200)["findings"]
        return [each for each in listed if each["kind"] == "grant"]

    suppliers.declare(f"projects/{suppliers.project}", supplier_access="eu")
    assert suppliers.grant("french").status == 204
    assert found("open") == []
    entity = {"entity": {"name": "maison", "country": "US"}}
    suppliers.admin.put(f"{V1}/entities/maison", entity).expect(200)
    (finding,) = found("open")
    assert finding["rule"] == "supplier_access"
    assert finding["project_id"] == suppliers.project
    assert suppliers.users["french"] in finding["resource"]
    assert found("open") == [finding]
    entity["entity"]["country"] = "CA"
    suppliers.admin.put(f"{V1}/entities/maison", entity).expect(200)
    (retold,) = found("open")
    assert (retold["id"], retold["deadline"]) == (finding["id"], finding["deadline"])
    assert "Canada" in retold["reason"]
    assert "est hors de l\u2019UE (Canada)" in retold["reason_fr"]
    notices = suppliers.admin.get(f"{V1}/notices").expect(200)["notices"]
    assert [each["project_id"] for each in notices if each["kind"] == "finding"] == [
        suppliers.project
    ]
    role = f"{V3}/projects/{suppliers.project}/users/{suppliers.users['french']}/roles"
    assert suppliers.admin.delete(f"{role}/{suppliers.role}").status == 204
    assert found("open") == []
    assert [each["id"] for each in found("closed")] == [finding["id"]]
