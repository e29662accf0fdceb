"""A change of the world or of a policy weighs again what is placed: findings, notices, plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services import sovereignty
from andromede.services.compute.servers import store as servers
from andromede.services.image import store as images
from andromede.services.sovereignty import reconcilers
from andromede.sovereignty.log.leaves import leaf
from andromede.sovereignty.words import typeset
from tests.contract.compute.servers.helpers import Site, open_cloud, open_site
from tests.contract.sovereignty.customers import later
from tests.contract.sovereignty.declaring import Declaring
from tests.harness import TestCloud, caller

V1 = "/sovereignty/v1"
DAY = 24 * 3600
KINDS = {"server", "image", "network", "subnet", "port"}


@dataclass
class Placed:
    """A customer with a server and an image at site local, which `op` runs in France."""

    cloud: TestCloud
    site: Site
    declaring: Declaring
    server: str

    def weigh(self) -> None:
        (each,) = [one for one in reconcilers(self.site.world()) if one.name == "re-evaluation"]
        each.run()

    def policy(self, **policy: Any) -> None:
        path = f"{V1}/policies/projects/p1"
        self.cloud.as_(caller("manager")).put(path, {"policy": policy}).expect(200)
        self.weigh()

    def findings(self, state: str = "open", client: Any = None) -> list[dict[str, Any]]:
        found = (client or self.site.member).get(f"{V1}/findings?state={state}").expect(200)
        listed: list[dict[str, Any]] = found["findings"]
        return listed

    def notices(self, kind: str) -> list[dict[str, Any]]:
        found = self.site.member.get(f"{V1}/notices").expect(200)["notices"]
        return [each for each in found if each["kind"] == kind]

    def leaves(self, action: str) -> list[Any]:
        with self.cloud.database.read() as connection:
            wanted = sa.select(leaf).where(leaf.c.action == action).order_by(leaf.c.arrival)
            return list(connection.execute(wanted).mappings())


@pytest.fixture
def placed(tmp_path: Path, database_url: str) -> Iterator[Placed]:
    cloud = open_cloud(tmp_path, database_url, sovereignty.SERVICE)
    site = open_site(cloud)
    server = site.build()["id"]
    declaring = Declaring(site.admin, site.member)
    declaring.entity("state", kind="public-body")
    declaring.entity("op")
    declaring.entity("giant", "US")
    declaring.hold("state", "op", 100, until="2026-11-01")
    declaring.hold("state", "op", 80, since="2026-11-01")
    declaring.hold("giant", "op", 20, since="2026-11-01")
    declaring.site("local", "FR", "op")
    found = Placed(cloud, site, declaring, server)
    found.weigh()
    yield found
    cloud.close()


def test_a_policy_that_is_kept_finds_nothing(placed: Placed) -> None:
    placed.policy(allowed_countries=["FR"], ownership={"individual_percent": 24})
    assert placed.findings() == []
    shown = placed.site.member.get(f"{V1}/findings").expect(200)
    assert shown["evaluated_at"] is not None


def test_a_stricter_policy_opens_findings_and_a_looser_one_closes_them(placed: Placed) -> None:
    placed.policy(allowed_countries=["DE"], finding_days=7)
    found = placed.findings()
    assert {(each["kind"], each["resource"]) for each in found} >= {
        ("server", placed.server), ("image", placed.site.image), ("network", placed.site.network),
    }  # fmt: skip
    assert {each["kind"] for each in found} == KINDS
    first = found[0]
    assert (first["rule"], first["set_at"]) == ("allowed_countries", "project/p1")
    assert (first["project_id"], first["site"]) == ("p1", "local")
    assert "FR" in first["reason"]
    assert first["deadline"][:10] > first["opened_at"][:10]
    assert placed.findings(client=placed.site.other) == []
    assert len(placed.findings(client=placed.site.admin)) == len(found)
    path = f"{V1}/findings/{first['id']}"
    assert placed.site.member.get(path).expect(200) == first
    assert placed.site.other.get(path).status == 404
    assert len(placed.notices("finding")) == len(KINDS)
    counts = {
        each["detail"]["kind"]: each["detail"]["count"]
        for each in placed.leaves("sovereignty:finding:open")
    }
    assert counts == {kind: 2 if kind == "port" else 1 for kind in KINDS}  # DHCP has a port too
    placed.weigh()
    assert placed.findings() == found
    placed.policy(allowed_countries=["FR"])
    assert placed.findings() == []
    closed = placed.findings("closed")
    assert len(closed) == len(found)
    assert all(each["closed_at"] for each in closed)
    assert len(placed.leaves("sovereignty:finding:close")) == len(KINDS)
    assert len(placed.findings("all")) == len(found)


def test_every_rule_that_is_broken_is_found(placed: Placed) -> None:
    placed.policy(allowed_sites=["paris"], allowed_countries=["DE"], required_keys="customer",
                  refused_jurisdictions=["FR"])  # fmt: skip
    rules = {each["rule"] for each in placed.findings() if each["kind"] == "server"}
    assert rules == {
        "allowed_sites", "allowed_countries", "required_keys", "refused_jurisdictions",
    }  # fmt: skip


def test_what_is_deleted_or_moved_is_no_finding_any_more(placed: Placed) -> None:
    placed.policy(allowed_sites=["paris"])
    assert placed.site.member.delete(f"/compute/v2.1/servers/{placed.server}").status == 204
    placed.cloud.settle()
    placed.cloud.database.transact(
        lambda connection: connection.execute(sa.update(images.image).values(site="paris"))
    )
    placed.weigh()
    assert {each["kind"] for each in placed.findings()} == {"network", "subnet", "port"}
    assert {each["kind"] for each in placed.findings("closed")} == {"server", "image", "port"}


def test_a_change_of_owners_opens_findings_in_every_project(placed: Placed) -> None:
    placed.policy(ownership={"individual_percent": 24})
    declared = placed.declaring
    holdings = declared.operator.get(f"{V1}/holdings").expect(200)["holdings"]
    for each in holdings:
        if each.get("since") == "2026-11-01":
            declared.end(each["id"], "2026-11-20")
    declared.hold("state", "op", 75, since="2026-11-20")
    declared.hold("giant", "op", 25, since="2026-11-20")
    placed.weigh()
    found = {(each["rule"], each["kind"]) for each in placed.findings()}
    assert found == {("ownership.individual_percent", kind) for kind in KINDS}
    assert "25" in placed.findings()[0]["reason"]


def test_a_finding_says_why_it_stands_now(placed: Placed) -> None:
    placed.policy(ownership={"individual_percent": 5})
    before = placed.findings()
    assert {each["reason_fr"] for each in before} == {
        typeset("le site local est exploité par op, dont un détenteur hors de l'UE a 20 %, plus que "
                "5 % (règle ownership.individual_percent, fixée par project/p1)")
    }  # fmt: skip
    placed.policy(ownership={"individual_percent": 10})
    after = placed.findings()
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert all("more than 10 %" in each["reason"] for each in after)
    assert all("plus que 10\u00a0%" in each["reason_fr"] for each in after)


def test_a_day_that_comes_is_a_change(placed: Placed) -> None:
    placed.policy(allowed_countries=["FR"], refused_jurisdictions=["US"])
    placed.declaring.contract("support", "op", "giant", data="access", since="2030-01-01")
    placed.weigh()
    assert placed.findings() == []
    with later(5 * 366 * DAY):
        placed.weigh()
        reader = placed.cloud.as_(caller("reader"))
        found = reader.get(f"{V1}/findings").expect(200)["findings"]
        told = reader.get(f"{V1}/notices").expect(200)["notices"]
    assert {each["rule"] for each in found} == {"refused_jurisdictions"}
    assert {each["kind"] for each in told} == {"sub-processor", "finding"}


def test_lists_are_paged_and_checked(placed: Placed) -> None:
    placed.policy(allowed_sites=["paris"])
    member = placed.site.member
    first = member.get(f"{V1}/findings?limit=1").expect(200)
    marker = first["findings"][0]["id"]
    second = member.get(f"{V1}/findings?limit=1&marker={marker}").expect(200)["findings"]
    assert [marker, second[0]["id"]] == [each["id"] for each in placed.findings()][:2]
    assert "marker" in first["findings_links"][0]["href"]
    for query in ("state=some", "limit=x", "marker=none"):
        assert member.get(f"{V1}/findings?{query}").status == 400
    assert member.get(f"{V1}/findings?project_id=p2").status == 403
    notices = member.get(f"{V1}/notices?limit=1").expect(200)
    read = f"{V1}/notices/{notices['notices'][0]['id']}/read"
    assert notices["notices"][0]["read_at"] is None
    done = member.put(read).expect(200)
    assert done["read_at"] is not None
    assert member.put(read).expect(200) == done
    assert placed.site.other.put(read).status == 404


def test_many_are_opened_in_parts(placed: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    from andromede.sovereignty.findings import reevaluate

    monkeypatch.setattr(reevaluate, "BATCH", 2)

    def many(connection: sa.Connection) -> None:
        row = connection.execute(sa.select(servers.server)).mappings().one()
        rows = [{**row, "id": f"s{at}", "number": 100 + at} for at in range(7)]
        connection.execute(sa.insert(servers.server), rows)

    placed.cloud.database.transact(many)
    placed.policy(allowed_sites=["paris"])
    found = placed.findings()
    assert len({each["resource"] for each in found if each["kind"] == "server"}) == 8
    assert len(placed.notices("finding")) == len(KINDS)
    texts = [each["text_en"] for each in placed.notices("finding")]
    assert any(text.startswith("8 resource") for text in texts)
