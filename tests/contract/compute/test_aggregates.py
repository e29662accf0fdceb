"""Aggregates of hosts, and the zones that some of them are."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.compute.hosts.store import compute_host
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.contract.compute.test_hosts import admin, note
from tests.harness import Client, TestCloud, caller

AGGREGATES = f"{ROOT}/os-aggregates"


@pytest.fixture
def cloud(tmp_path: Any, database_url: str) -> Any:
    cloud = open_cloud(tmp_path, database_url)
    note(cloud)
    yield cloud
    cloud.close()


@pytest.fixture
def site(cloud: TestCloud) -> Site:
    return open_site(cloud)


def make(client: Client, name: str = "fast", zone: str | None = None) -> Any:
    body = {"aggregate": {"name": name, "availability_zone": zone}}
    return client.post(AGGREGATES, body).expect(200)["aggregate"]


def act(client: Client, made: Any, name: str, value: Any) -> Any:
    return client.post(f"{AGGREGATES}/{made['id']}/action", {name: value})


def host_of(cloud: TestCloud) -> str:
    return cloud.engine.hosts()[0].name


def test_one_is_made_changed_and_removed(cloud: TestCloud) -> None:
    client = admin(cloud)
    made = make(client)
    assert {"hosts", "metadata"} & made.keys() == set()
    shown = client.get(f"{AGGREGATES}/{made['id']}").expect(200)["aggregate"]
    assert shown == {
        "id": made["id"], "uuid": made["uuid"], "name": "fast", "availability_zone": None,
        "hosts": [], "metadata": {}, "created_at": made["created_at"], "updated_at": None,
        "deleted": False, "deleted_at": None,
    }  # fmt: skip
    path = f"{AGGREGATES}/{made['id']}"
    changed = client.put(path, {"aggregate": {"name": "slow", "availability_zone": "east"}})
    changed = changed.expect(200)["aggregate"]
    assert (changed["name"], changed["availability_zone"]) == ("slow", "east")
    assert changed["metadata"] == {"availability_zone": "east"}
    assert changed["updated_at"] is not None
    assert client.put(path, {"aggregate": {"name": "slow"}}).status == 200
    assert client.get(AGGREGATES).expect(200)["aggregates"][0]["name"] == "slow"
    assert client.delete(path).status == 200
    assert client.get(path).status == client.delete(path).status == 404
    assert client.get(AGGREGATES).expect(200) == {"aggregates": []}


def test_older_versions_show_no_uuid(cloud: TestCloud) -> None:
    client = admin(cloud, "2.40")
    made = make(client)
    assert "uuid" not in made
    assert "uuid" not in client.get(AGGREGATES).expect(200)["aggregates"][0]


@pytest.mark.parametrize(
    "asked",
    [{"name": ""}, {"name": "x" * 256}, {"name": "x", "availability_zone": "a:b"}, {}],
    ids=["empty", "long", "zone", "nothing"],
)
def test_faulty_ones_are_refused(cloud: TestCloud, asked: dict[str, str]) -> None:
    assert admin(cloud).post(AGGREGATES, {"aggregate": asked}).status == 400


def test_names_are_used_once_and_ids_are_numbers(cloud: TestCloud) -> None:
    client = admin(cloud)
    made, other = make(client), make(client, "other")
    assert client.post(AGGREGATES, {"aggregate": {"name": "fast"}}).status == 409
    path = f"{AGGREGATES}/{other['id']}"
    assert client.put(path, {"aggregate": {"name": made["name"]}}).status == 409
    assert client.put(path, {"aggregate": {}}).status == 400
    assert client.get(f"{AGGREGATES}/-1").status == 404
    assert client.get(f"{AGGREGATES}/none").status == 400


def test_hosts_come_and_go(cloud: TestCloud) -> None:
    client, host = admin(cloud), host_of(cloud)
    made = make(client)
    assert act(client, made, "add_host", {"host": "none"}).status == 404
    joined = act(client, made, "add_host", {"host": host}).expect(200)["aggregate"]
    assert joined["hosts"] == [host]
    assert act(client, made, "add_host", {"host": host}).status == 409
    assert client.delete(f"{AGGREGATES}/{made['id']}").status == 400
    assert act(client, made, "remove_host", {"host": "none"}).status == 404
    left = act(client, made, "remove_host", {"host": host}).expect(200)["aggregate"]
    assert left["hosts"] == []


def test_metadata_are_set_and_taken_away(cloud: TestCloud) -> None:
    client = admin(cloud)
    made = make(client)
    body = {"metadata": {"ssd": "true", "availability_zone": "east"}}
    shown = act(client, made, "set_metadata", body).expect(200)["aggregate"]
    assert shown["metadata"] == body["metadata"]
    assert shown["availability_zone"] == "east"
    body = {"metadata": {"ssd": None, "x": "y"}}
    shown = act(client, made, "set_metadata", body).expect(200)["aggregate"]
    assert shown["metadata"] == {"x": "y", "availability_zone": "east"}
    assert act(client, made, "set_metadata", {"metadata": {"": "x"}}).status == 400


def test_a_zone_is_where_servers_go(cloud: TestCloud, site: Site) -> None:
    client, host = admin(cloud), host_of(cloud)
    cloud.engine.offer(["second"])
    note(cloud)
    assert site.create(availability_zone="east").status == 400
    made = make(client, zone="east")
    act(client, made, "add_host", {"host": "second"}).expect(200)
    zones = site.member.get(f"{ROOT}/os-availability-zone").expect(200)["availabilityZoneInfo"]
    assert [each["zoneName"] for each in zones] == ["east", "nova"]
    east = site.build(availability_zone="east")
    assert east["OS-EXT-SRV-ATTR:host"] == "second"
    assert east["OS-EXT-AZ:availability_zone"] == east["pinned_availability_zone"] == "east"
    west = site.build(availability_zone="nova")
    assert west["OS-EXT-SRV-ATTR:host"] == host
    found = client.get(f"{ROOT}/os-services?host=second").expect(200)["services"]
    assert found[0]["zone"] == "east"
    refused = act(client, made, "remove_host", {"host": "second"})
    assert refused.status == 409
    assert (
        client.put(
            f"{AGGREGATES}/{made['id']}", {"aggregate": {"availability_zone": "north"}}
        ).status
        == 400
    )
    assert act(client, made, "add_host", {"host": host}).status == 409
    assert site.act(east["id"], "shelve").status == 202
    cloud.settle()
    assert site.act(east["id"], "unshelve", {"availability_zone": "nova"}).status == 202
    cloud.settle()
    back = site.show(east["id"])
    assert (back["status"], back["OS-EXT-AZ:availability_zone"]) == ("ACTIVE", "nova")


def test_a_host_is_in_one_zone(cloud: TestCloud) -> None:
    client, host = admin(cloud), host_of(cloud)
    east, west, more = (
        make(client, "e", "east"),
        make(client, "w", "west"),
        make(client, "m", "east"),
    )
    act(client, east, "add_host", {"host": host}).expect(200)
    assert act(client, west, "add_host", {"host": host}).status == 409
    act(client, more, "add_host", {"host": host}).expect(200)
    act(client, more, "remove_host", {"host": host}).expect(200)


def test_sites_are_the_zones_of_a_cloud_of_several(cloud: TestCloud) -> None:
    declare_second_site(cloud)
    client = admin(cloud)
    made = make(client, zone="east")
    assert act(client, made, "add_host", {"host": "second"}).status == 409
    plain = make(client, "plain")
    act(client, plain, "add_host", {"host": "second"}).expect(200)


def declare_second_site(cloud: TestCloud) -> None:
    cloud.engine.offer(["second"])
    note(cloud)
    cloud.database.transact(
        lambda connection: connection.execute(
            compute_host.update().where(compute_host.c.name == "second").values(site="far")
        )
    )


def test_others_than_operators_have_none(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    assert member.get(AGGREGATES).status == 403
    assert member.post(AGGREGATES, {"aggregate": {"name": "x"}}).status == 403
