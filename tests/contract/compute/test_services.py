"""Compute services as operators switch them, and hosts as older clients read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede import clock
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.contract.compute.test_hosts import admin, note
from tests.harness import Client, TestCloud, caller

SERVICES, HOSTS = f"{ROOT}/os-services", f"{ROOT}/os-hosts"
HYPERVISORS = f"{ROOT}/os-hypervisors"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = open_cloud(tmp_path, database_url)
    note(cloud)
    yield cloud
    clock.set_source(None)
    cloud.close()


@pytest.fixture
def site(cloud: TestCloud) -> Site:
    return open_site(cloud)


def service(client: Client) -> dict[str, Any]:
    [found] = client.get(SERVICES).expect(200)["services"]
    return dict(found)


def meant(cloud: TestCloud, **more: Any) -> dict[str, Any]:
    return {"host": cloud.engine.hosts()[0].name, "binary": "nova-compute", **more}


def later(seconds: int) -> None:
    moment = clock.now() + seconds * clock.SECOND
    clock.set_source(lambda: moment)


def test_older_clients_switch_by_host(cloud: TestCloud) -> None:
    client = admin(cloud, "2.11")
    body = meant(cloud)
    told = client.put(f"{SERVICES}/disable", body).expect(200)["service"]
    assert told == {**body, "status": "disabled"}
    assert service(client)["status"] == "disabled"
    reason = {**body, "disabled_reason": " memory "}
    told = client.put(f"{SERVICES}/disable-log-reason", reason).expect(200)["service"]
    assert told == {**body, "status": "disabled", "disabled_reason": "memory"}
    assert service(client)["disabled_reason"] == "memory"
    assert client.put(f"{SERVICES}/disable-log-reason", body).status == 400
    told = client.put(f"{SERVICES}/enable", body).expect(200)["service"]
    assert told == {**body, "status": "enabled"}
    assert (service(client)["status"], service(client)["disabled_reason"]) == ("enabled", None)
    told = client.put(f"{SERVICES}/force-down", {**body, "forced_down": True}).expect(200)
    assert told == {"service": {**body, "forced_down": True}}
    assert (service(client)["state"], service(client)["forced_down"]) == ("down", True)
    client.put(f"{SERVICES}/force-down", {**body, "forced_down": "false"}).expect(200)
    assert service(client)["state"] == "up"
    assert client.put(f"{SERVICES}/force-down", body).status == 400
    assert client.put(f"{SERVICES}/enable", {**body, "host": "none"}).status == 404
    assert client.put(f"{SERVICES}/enable", {**body, "binary": "none"}).status == 404
    assert admin(cloud, "2.10").put(f"{SERVICES}/force-down", body).status == 404
    assert admin(cloud).put(f"{SERVICES}/enable", body).status == 404


def test_newer_clients_switch_by_id(cloud: TestCloud) -> None:
    client = admin(cloud)
    path = f"{SERVICES}/{service(client)['id']}"
    changed = client.put(path, {"status": "disabled", "disabled_reason": "why"}).expect(200)
    assert changed["service"] == service(client)
    assert changed["service"]["disabled_reason"] == "why"
    changed = client.put(path, {"status": "enabled", "forced_down": True}).expect(200)["service"]
    assert (changed["status"], changed["state"]) == ("enabled", "down")
    changed = client.put(path, {"forced_down": False}).expect(200)["service"]
    assert changed["state"] == "up"
    for body in ({}, {"disabled_reason": "x"}, {"status": "odd"}, {"forced_down": "odd"}):
        assert client.put(path, body).status == 400
    assert client.put(f"{SERVICES}/{NOBODY}", {"status": "enabled"}).status == 404
    assert client.put(f"{SERVICES}/none", {"status": "enabled"}).status == 400


def test_a_closed_host_takes_no_servers(cloud: TestCloud, site: Site) -> None:
    client = admin(cloud)
    path = f"{SERVICES}/{service(client)['id']}"
    for body, why in (
        ({"status": "disabled"}, "is disabled"),
        ({"status": "enabled", "forced_down": True}, "is down"),
    ):
        client.put(path, body).expect(200)
        made = site.create().expect(202)["server"]
        cloud.settle()
        shown = site.show(made["id"])
        assert shown["status"] == "ERROR"
        assert why in shown["fault"]["message"]
    client.put(path, {"forced_down": False}).expect(200)
    site.build()
    [zone] = site.member.get(f"{ROOT}/os-availability-zone").expect(200)["availabilityZoneInfo"]
    assert zone["zoneState"] == {"available": True}


def test_only_a_silent_host_without_servers_is_forgotten(cloud: TestCloud, site: Site) -> None:
    client, older = admin(cloud), admin(cloud, "2.52")
    found = service(client)
    path = f"{SERVICES}/{found['id']}"
    assert client.delete(path).status == 409
    server = site.build()
    later(61)
    assert client.delete(path).status == 409
    site.member.delete(f"{ROOT}/servers/{server['id']}")
    cloud.settle()
    later(61)
    assert older.delete(f"{SERVICES}/{NOBODY}").status == 400
    assert older.delete(f"{SERVICES}/99").status == 404
    assert older.delete(f"{SERVICES}/{service(older)['id']}").status == 204
    assert client.get(SERVICES).expect(200)["services"] == []
    note(cloud)
    assert service(client)["host"] == found["host"]
    later(61)
    assert client.delete(f"{SERVICES}/{service(client)['id']}").status == 204


def test_older_clients_list_hosts(cloud: TestCloud, site: Site) -> None:
    client = admin(cloud, "2.42")
    [host] = client.get(HOSTS).expect(200)["hosts"]
    name = cloud.engine.hosts()[0].name
    assert host == {"host_name": name, "service": "compute", "zone": "nova"}
    assert client.get(f"{HOSTS}?zone=").expect(200)["hosts"] == [host]
    assert client.get(f"{HOSTS}?zone=nova").expect(200)["hosts"] == [host]
    assert client.get(f"{HOSTS}?zone=none").expect(200)["hosts"] == []
    site.build()
    told = [each["resource"] for each in client.get(f"{HOSTS}/{name}").expect(200)["host"]]
    assert [each["project"] for each in told] == ["(total)", "(used_now)", "(used_max)", "p1"]
    assert {each["host"] for each in told} == {name}
    assert told[1]["cpu"] == told[3]["cpu"] > 0
    assert client.get(f"{HOSTS}/none").status == 404
    assert admin(cloud, "2.43").get(HOSTS).status == 404
    assert cloud.as_(caller()).get(HOSTS).status == 403


def test_older_clients_close_hosts(cloud: TestCloud) -> None:
    client = admin(cloud, "2.42")
    name = cloud.engine.hosts()[0].name
    told = client.put(f"{HOSTS}/{name}", {"status": "Disable"}).expect(200)
    assert told == {"host": name, "status": "disabled"}
    assert service(client)["status"] == "disabled"
    assert client.put(f"{HOSTS}/{name}", {"status": "enable"}).expect(200)["status"] == "enabled"
    for body in ({}, {"status": "odd"}, {"status": "enable", "maintenance_mode": "odd"}):
        assert client.put(f"{HOSTS}/{name}", body).status == 400
    both = {"status": "enable", "maintenance_mode": "enable"}
    assert client.put(f"{HOSTS}/{name}", both).status == 501
    assert client.put(f"{HOSTS}/none", both).status == 404
    for act in ("startup", "shutdown", "reboot"):
        assert client.get(f"{HOSTS}/{name}/{act}").status == 501
        assert client.get(f"{HOSTS}/none/{act}").status == 404


def test_older_clients_search_hypervisors(cloud: TestCloud, site: Site) -> None:
    client = admin(cloud, "2.52")
    name = cloud.engine.hosts()[0].name
    [brief] = client.get(f"{HYPERVISORS}/{name[:3]}/search").expect(200)["hypervisors"]
    assert brief["hypervisor_hostname"] == name
    assert client.get(f"{HYPERVISORS}/none/search").status == 404
    assert client.get(f"{HYPERVISORS}/{name}/servers").expect(200)["hypervisors"] == [brief]
    server = site.build()
    [told] = client.get(f"{HYPERVISORS}/{name}/servers").expect(200)["hypervisors"]
    assert [each["uuid"] for each in told["servers"]] == [server["id"]]
    assert client.get(f"{HYPERVISORS}/none/servers").status == 404
    assert admin(cloud, "2.53").get(f"{HYPERVISORS}/{name}/search").status == 404


def test_a_host_tells_since_when_it_is_up(cloud: TestCloud) -> None:
    client = admin(cloud, "2.52")
    [brief] = client.get(HYPERVISORS).expect(200)["hypervisors"]
    later(2 * 86400 + 3 * 3600 + 5 * 60)
    note(cloud)
    path = f"{HYPERVISORS}/{brief['id']}/uptime"
    told = client.get(path).expect(200)["hypervisor"]
    assert told.pop("uptime").endswith(" up 2 days, 3:05")
    assert told == brief
    middle = admin(cloud, "2.87")
    [new] = middle.get(HYPERVISORS).expect(200)["hypervisors"]
    assert middle.get(f"{HYPERVISORS}/{new['id']}/uptime").status == 200
    assert middle.get(f"{HYPERVISORS}/{NOBODY}/uptime").status == 404
    assert admin(cloud, "2.88").get(f"{HYPERVISORS}/{new['id']}/uptime").status == 404
    later(61)
    assert client.get(path).status == 400


def test_servers_of_hypervisors_are_told_when_asked_for(cloud: TestCloud) -> None:
    for version, told in (("2.53", False), ("2.75", True)):
        [found] = (
            admin(cloud, version).get(f"{HYPERVISORS}?with_servers=1").expect(200)["hypervisors"]
        )
        assert ("servers" in found) is told


def test_no_host_runs_the_audit_of_usage(cloud: TestCloud) -> None:
    client, path = admin(cloud), f"{ROOT}/os-instance_usage_audit_log"
    told = client.get(path).expect(200)["instance_usage_audit_logs"]
    assert told["hosts_not_run"] == [cloud.engine.hosts()[0].name]
    assert told["overall_status"] == "0 of 1 hosts done. 0 errors."
    for moment in ("2026-03-05 10:00:00", "2026-03-05 10:00:00.5"):
        told = client.get(f"{path}/{moment}").expect(200)["instance_usage_audit_log"]
        assert told["period_beginning"] == "2026-02-01 00:00:00"
        assert told["period_ending"] == "2026-03-01 00:00:00"
    for moment in ("none", "0001-01-01 00:00:00"):
        assert client.get(f"{path}/{moment}").status == 400
