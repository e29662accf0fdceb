"""What operators and other services ask about servers: usage, moves, and events from outside."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.services.compute.servers import store
from andromede.sovereignty.log.leaves import leaf
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.contract.image.helpers import active
from tests.harness import caller, unknown_id

USAGE, EVENTS = f"{ROOT}/os-simple-tenant-usage", f"{ROOT}/os-server-external-events"
HOUR = 3600 * clock.SECOND
PERIOD = "start=2020-01-01T00:00:00&end=2090-01-01T00:00:00"


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def launched(site: Site, server: str, hours: float) -> None:
    """Have a server launched some hours ago."""
    moment = clock.now() - int(hours * HOUR)
    site.cloud.database.transact(lambda c: store.change(c, server, launched_at=moment))


def test_usage_counts_the_hours_of_the_period(site: Site) -> None:
    one, two = site.build()["id"], site.build()["id"]
    launched(site, one, 4)
    launched(site, two, 2)
    site.member.delete(f"{ROOT}/servers/{two}")
    site.cloud.settle()
    site.create().expect(202)  # it never was launched
    usage = site.member.get(f"{USAGE}/p1?{PERIOD}").expect(200)["tenant_usage"]
    assert usage["tenant_id"] == "p1"
    assert usage["total_hours"] == pytest.approx(6, abs=0.1)
    assert usage["total_vcpus_usage"] == pytest.approx(6, abs=0.1)
    assert usage["total_memory_mb_usage"] == pytest.approx(6 * 128, abs=20)
    assert usage["total_local_gb_usage"] == pytest.approx(6, abs=0.1)
    first, second = usage["server_usages"]
    assert (first["instance_id"], first["state"], first["ended_at"]) == (one, "active", None)
    assert (second["instance_id"], second["state"]) == (two, "terminated")
    assert second["ended_at"] is not None
    assert first["uptime"] == pytest.approx(4 * 3600, abs=60)
    assert first["flavor"] == "t1.tiny"
    hour_ago = clock.iso_micro(clock.now() - HOUR).removesuffix("Z")
    usage = site.member.get(f"{USAGE}/p1?start={hour_ago}").expect(200)["tenant_usage"]
    assert usage["total_hours"] == pytest.approx(2, abs=0.1)
    assert site.member.get(f"{USAGE}/p1?start=2020-01-01T00:00:00&end=2020-01-02T00:00:00").expect(
        200
    ) == {"tenant_usage": {}}


def test_operators_see_every_project(site: Site) -> None:
    site.build()
    body = site.admin.get(f"{USAGE}?{PERIOD}&detailed=1").expect(200)
    [usage] = body["tenant_usages"]
    assert len(usage["server_usages"]) == 1
    [usage] = site.admin.get(f"{USAGE}?{PERIOD}").expect(200)["tenant_usages"]
    assert "server_usages" not in usage
    assert site.admin.get(f"{USAGE}/p1?{PERIOD}").expect(200)["tenant_usage"]["tenant_id"] == "p1"
    assert site.member.get(USAGE).status == 403
    assert site.other.get(f"{USAGE}/p1").status == 403


def test_usage_is_paged_from_2_40_on(site: Site) -> None:
    servers = [site.build()["id"] for _ in range(3)]
    seen: list[str] = []
    url = f"{USAGE}/p1?{PERIOD}&limit=2"
    while url:
        body = site.member.get(url).expect(200)
        seen += [each["instance_id"] for each in body["tenant_usage"]["server_usages"]]
        links = body.get("tenant_usage_links")
        url = links[0]["href"].removeprefix("https://cloud.test:8443") if links else ""
    assert seen == servers
    first = site.admin.get(f"{USAGE}?{PERIOD}&limit=1").expect(200)
    assert f"marker={servers[0]}" in first["tenant_usages_links"][0]["href"]
    old = site.member.get(f"{USAGE}/p1?{PERIOD}&limit=2", headers=at("2.39")).expect(200)
    assert len(old["tenant_usage"]["server_usages"]) == 3
    assert "tenant_usage_links" not in old


@pytest.mark.parametrize(
    "query",
    ["start=x", "start=2090-01-01T00:00:00", "limit=x", "marker=none", "colour=1",
     "start=2020-01-01T00:00:00&end=2019-01-01T00:00:00"],
)  # fmt: skip
def test_bad_periods_and_pages_are_refused(site: Site, query: str) -> None:
    start = "" if "start" in query else "start=2020-01-01 00:00:00.0&"
    assert site.member.get(f"{USAGE}/p1?{start}{query}").status == 400


def tell(site: Site, *events: dict[str, Any], version: str = "2.96", status: int = 200) -> Any:
    answer = site.admin.post(EVENTS, {"events": list(events)}, headers=at(version))
    return answer.expect(status)


def test_events_have_the_machine_compared_again(site: Site) -> None:
    server = site.build()["id"]
    before = site.cloud.engine.calls["ensure_cards"]
    [told] = tell(site, {"name": "network-changed", "server_uuid": server, "tag": "p"})["events"]
    wanted = {"name": "network-changed", "server_uuid": server, "tag": "p"}
    assert told == {**wanted, "status": "completed", "code": 200}
    site.cloud.settle()
    assert site.cloud.engine.calls["ensure_cards"] == before + 1
    site.cloud.engine.power.pop(server)
    event = {"name": "power-update", "server_uuid": server, "tag": "POWER_ON"}
    for _ in range(2):
        tell(site, event)
    site.cloud.settle()
    assert server in site.cloud.engine.power
    assert site.status(server) == "ACTIVE"


def test_each_event_has_its_own_code(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "shelve").expect(202)
    site.cloud.settle()
    told = tell(
        site,
        {"name": "network-changed", "server_uuid": unknown_id(), "status": "completed"},
        {"name": "volume-extended", "server_uuid": server},
        {"name": "network-changed", "server_uuid": server},
        status=207,
    )["events"]
    assert [each["code"] for each in told] == [404, 400, 422]
    assert {each["status"] for each in told} == {"failed"}


@pytest.mark.parametrize(
    ("event", "version"),
    [
        ({"name": "power-update", "server_uuid": "s"}, "2.75"),
        ({"name": "fire", "server_uuid": "s"}, "2.96"),
        ({"name": "network-changed", "server_uuid": "s", "status": "perhaps"}, "2.96"),
        ({"name": "network-changed"}, "2.96"),
    ],
)
def test_unknown_events_are_refused(site: Site, event: dict[str, Any], version: str) -> None:
    tell(site, event, version=version, status=400)
    tell(site, status=400)
    good = {"name": "network-changed", "server_uuid": "s"}
    assert site.member.post(EVENTS, {"events": [good]}).status == 403


def test_events_are_leaves_of_the_servers_projects(site: Site) -> None:
    mine = site.build()["id"]
    network = {"network": {"name": "n", "shared": True}}
    shared = site.admin.post("/network/v2.0/networks", network).expect(201)["network"]["id"]
    block = {"network_id": shared, "cidr": "10.5.0.0/24", "ip_version": 4}
    site.admin.post("/network/v2.0/subnets", {"subnet": block}).expect(201)
    image = active(site.admin, b"x", visibility="public")["id"]
    other = site.create(site.other, imageRef=image, networks=[{"uuid": shared}]).expect(202)
    site.cloud.settle()
    theirs = other["server"]["id"]

    def last() -> tuple[str, str | None, object]:
        with site.cloud.database.read() as connection:
            row = connection.execute(sa.select(leaf).order_by(leaf.c.arrival.desc())).first()
        assert row is not None
        return row.subject, row.project_id, row.detail

    def changed(server: str) -> dict[str, Any]:
        return {"name": "network-changed", "server_uuid": server}

    tell(site, changed(mine))
    assert last() == (mine, "p1", {"servers": [mine]})
    tell(site, changed(mine), changed(theirs))
    assert last() == (mine, "*", {"servers": [mine, theirs]})


def test_no_server_moves_between_hosts(site: Site) -> None:
    server = site.build()["id"]
    assert site.admin.get(f"{ROOT}/os-migrations").expect(200) == {"migrations": []}
    assert site.admin.get(f"{ROOT}/os-migrations?colour=1").status == 400
    manager = site.cloud.as_(caller("manager", user="boss"), **at("2.96"))
    assert manager.get(f"{ROOT}/os-migrations").status == 403
    assert manager.get(f"{ROOT}/os-migrations?project_id=p1").expect(200) == {"migrations": []}
    assert site.member.get(f"{ROOT}/os-migrations").status == 403
    url = f"{ROOT}/servers/{server}/migrations"
    assert manager.get(url).expect(200) == {"migrations": []}
    assert manager.get(url, headers=at("2.22")).status == 404
    assert site.admin.get(f"{ROOT}/servers/{unknown_id()}/migrations").status == 404
    for method, body in (("GET", None), ("DELETE", None)):
        answer = site.admin.call(method, f"{url}/1", body).expect(404)["itemNotFound"]
        assert "In-progress live migration 1 is not found" in answer["message"]
    assert site.admin.post(f"{url}/1/action", {"force_complete": None}).status == 404
