"""Hosts as operators see them: hypervisors, services, zones, aggregates, extensions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from andromede import clock
from andromede.services import compute, image, network
from andromede.services.compute import api, hosts
from tests.contract.compute.servers.helpers import open_site
from tests.harness import Client, TestCloud, caller

ROOT = "/compute/v2.1"
HYPERVISORS = f"{ROOT}/os-hypervisors"


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    services = [compute.SERVICE, image.SERVICE, network.SERVICE]
    lives = [*compute.LIFECYCLES, *image.LIFECYCLES, *network.LIFECYCLES]
    cloud = TestCloud(tmp_path, services, lives, url=database_url)
    cloud.database.transact(api.bootstrap)
    yield cloud
    clock.set_source(None)
    cloud.close()


def note(cloud: TestCloud) -> None:
    """What the worker does every few seconds."""
    hosts.recorder(SimpleNamespace(cloud=cloud.cloud, engine=cloud.engine)).run()


def admin(cloud: TestCloud, version: str = "2.96") -> Client:
    return cloud.as_(
        caller("admin", "ops"), private=True, **{"OpenStack-API-Version": f"compute {version}"}
    )


def listed(cloud: TestCloud, version: str = "2.96", path: str = "/detail") -> list[Any]:
    found: list[Any] = admin(cloud, version).get(HYPERVISORS + path).expect(200)["hypervisors"]
    return found


def test_a_host_is_seen_once_its_worker_spoke(cloud: TestCloud) -> None:
    assert listed(cloud) == []
    note(cloud)
    note(cloud)
    (host,) = listed(cloud)
    facts = cloud.engine.hosts()[0]
    assert len(host["id"]) == len(host["service"]["id"]) == 36
    assert host == {
        "id": host["id"], "hypervisor_hostname": facts.name, "state": "up", "status": "enabled",
        "hypervisor_type": facts.hypervisor, "hypervisor_version": facts.hypervisor_version,
        "host_ip": "127.0.0.1", "uptime": host["uptime"],
        "service": {"id": host["service"]["id"], "host": facts.name, "disabled_reason": None},
    }  # fmt: skip
    shown = admin(cloud).get(f"{HYPERVISORS}/{host['id']}").expect(200)["hypervisor"]
    assert shown == host


def test_a_silent_host_is_down(cloud: TestCloud) -> None:
    note(cloud)
    later = clock.now() + 61 * clock.SECOND
    clock.set_source(lambda: later)
    assert listed(cloud)[0]["state"] == "down"
    (service,) = admin(cloud).get(f"{ROOT}/os-services").expect(200)["services"]
    assert service["state"] == "down"
    member = cloud.as_(caller())
    (zone,) = member.get(f"{ROOT}/os-availability-zone").expect(200)["availabilityZoneInfo"]
    assert zone["zoneState"] == {"available": False}


def test_older_versions_show_numbers_and_capacity(cloud: TestCloud) -> None:
    note(cloud)
    (middle,) = listed(cloud, "2.87")
    assert middle["cpu_info"] == {}
    assert middle["vcpus_used"] == middle["running_vms"] == middle["current_workload"] == 0
    assert middle["free_ram_mb"] == middle["memory_mb"] > 0
    assert listed(cloud, "2.27")[0]["cpu_info"] == ""
    (old,) = listed(cloud, "2.52", "")
    assert old["id"] == 1
    assert admin(cloud, "2.52").get(f"{HYPERVISORS}/1").expect(200)["hypervisor"]["id"] == 1
    assert admin(cloud, "2.52").get(f"{HYPERVISORS}/2").status == 404
    assert admin(cloud, "2.53").get(f"{HYPERVISORS}/1").status == 400
    unknown = "00000000-0000-4000-8000-000000000000"
    assert admin(cloud).get(f"{HYPERVISORS}/{unknown}").status == 404


def test_hosts_are_found_by_name_and_paged(cloud: TestCloud) -> None:
    note(cloud)
    (host,) = listed(cloud, path="")
    assert listed(cloud, path="?hypervisor_hostname_pattern=simul") == [host]
    assert admin(cloud).get(f"{HYPERVISORS}?hypervisor_hostname_pattern=x").status == 404
    both = f"{HYPERVISORS}?hypervisor_hostname_pattern=s&limit=1"
    assert admin(cloud).get(both).status == 400
    page = admin(cloud).get(f"{HYPERVISORS}?limit=1").expect(200)
    assert f"marker={host['id']}" in page["hypervisors_links"][0]["href"]
    assert listed(cloud, path=f"?limit=1&marker={host['id']}") == []
    assert admin(cloud).get(f"{HYPERVISORS}?marker=none").status == 400
    assert "hypervisors_links" not in admin(cloud, "2.32").get(f"{HYPERVISORS}?limit=1").json
    assert admin(cloud).get(f"{HYPERVISORS}?colour=red").status == 400
    assert admin(cloud).get(f"{HYPERVISORS}?with_servers=perhaps").status == 400


def test_what_a_host_runs_is_counted(cloud: TestCloud) -> None:
    note(cloud)
    site = open_site(cloud)
    server = site.build()["id"]
    (host,) = listed(cloud, path="?with_servers=true")
    assert [each["uuid"] for each in host["servers"]] == [server]
    (middle,) = listed(cloud, "2.87")
    assert (middle["running_vms"], middle["vcpus_used"], middle["memory_mb_used"]) == (1, 1, 128)
    total = admin(cloud, "2.87").get(f"{HYPERVISORS}/statistics").expect(200)
    assert total["hypervisor_statistics"]["count"] == 1
    assert total["hypervisor_statistics"]["running_vms"] == 1
    assert admin(cloud, "2.88").get(f"{HYPERVISORS}/statistics").status == 404
    limits = site.member.get(f"{ROOT}/limits").expect(200)["limits"]["absolute"]
    used = [limits[f"total{name}Used"] for name in ("Instances", "Cores", "RAM")]
    assert used == [1, 1, 128]


def test_services_are_listed_and_filtered(cloud: TestCloud) -> None:
    note(cloud)
    path = f"{ROOT}/os-services"
    (service,) = admin(cloud).get(path).expect(200)["services"]
    assert service["binary"] == "nova-compute"
    assert (service["state"], service["status"], service["zone"]) == ("up", "enabled", "nova")
    assert service["forced_down"] is False
    assert admin(cloud).get(f"{path}?binary=nova-scheduler").expect(200) == {"services": []}
    assert admin(cloud).get(f"{path}?host=elsewhere").expect(200) == {"services": []}
    found = admin(cloud).get(f"{path}?host=simulated&binary=nova-compute").expect(200)
    assert found == {"services": [service]}
    assert admin(cloud, "2.52").get(path).json["services"][0]["id"] == 1
    assert "forced_down" not in admin(cloud, "2.10").get(path).json["services"][0]
    assert admin(cloud).get(f"{path}?colour=red").status == 400
    assert admin(cloud).get(f"{ROOT}/os-aggregates").expect(200) == {"aggregates": []}


def test_zones_are_for_all_and_their_hosts_for_operators(cloud: TestCloud) -> None:
    note(cloud)
    member = cloud.as_(caller())
    path = f"{ROOT}/os-availability-zone"
    assert member.get(path).expect(200) == {
        "availabilityZoneInfo": [
            {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
        ]
    }
    assert member.get(f"{path}/detail").status == 403
    (zone,) = admin(cloud).get(f"{path}/detail").expect(200)["availabilityZoneInfo"]
    assert zone["hosts"]["simulated"]["nova-compute"]["available"] is True


def test_members_see_no_hosts(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    for path in ("os-hypervisors", "os-hypervisors/detail", "os-services", "os-aggregates"):
        assert member.get(f"{ROOT}/{path}").status == 403


def test_extensions_are_listed(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    aliases = [e["alias"] for e in member.get(f"{ROOT}/extensions").expect(200)["extensions"]]
    assert "os-keypairs" in aliases
    assert member.get(f"{ROOT}/extensions/os-keypairs").expect(200)["extension"]["alias"]
    assert member.get(f"{ROOT}/extensions/os-nothing").status == 404
