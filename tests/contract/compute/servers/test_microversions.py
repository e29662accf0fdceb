"""Servers as clients of every age see and make them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compute.servers.helpers import ROOT, Site

BASE = {
    "OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone", "OS-EXT-STS:power_state",
    "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-SRV-USG:launched_at",
    "OS-SRV-USG:terminated_at", "accessIPv4", "accessIPv6", "addresses", "config_drive", "created",
    "flavor", "hostId", "id", "image", "key_name", "links", "metadata", "name",
    "os-extended-volumes:volumes_attached", "progress", "security_groups", "status", "tenant_id",
    "updated", "user_id",
}  # fmt: skip
GREW = {  # what owners see more from a version on
    9: {"locked"}, 19: {"description"}, 26: {"tags"}, 63: {"trusted_image_certificates"},
    71: {"server_groups"}, 73: {"locked_reason"}, 90: {"OS-EXT-SRV-ATTR:hostname"},
    96: {"pinned_availability_zone"},
}  # fmt: skip
OPERATORS = {f"OS-EXT-SRV-ATTR:{name}" for name in ("host", "hypervisor_hostname", "instance_name")}
OPERATORS_23 = {
    f"OS-EXT-SRV-ATTR:{name}"
    for name in ("hostname", "kernel_id", "launch_index", "ramdisk_id", "reservation_id",
                 "root_device_name", "user_data")
}  # fmt: skip
UPDATE = {
    "OS-DCF:diskConfig", "accessIPv4", "accessIPv6", "addresses", "created", "flavor", "hostId",
    "id", "image", "links", "metadata", "name", "progress", "status", "tenant_id", "updated",
    "user_id",
}  # fmt: skip


def at(minor: int) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute 2.{minor}"}


def grown(minor: int, *, without: int | None = None) -> set[str]:
    return {key for since, keys in GREW.items() if since <= minor and since != without
            for key in keys}  # fmt: skip


def test_views_by_version(site: Site) -> None:
    server = site.build()["id"]
    url = f"{ROOT}/servers/{server}"
    for minor in range(1, 97):
        shown = site.member.get(url, headers=at(minor)).expect(200)["server"]
        assert set(shown) == BASE | grown(minor), minor
        [listed] = site.member.get(f"{ROOT}/servers/detail", headers=at(minor)).json["servers"]
        assert set(listed) == BASE | grown(minor, without=71), minor
        assert ("id" in shown["flavor"]) is (minor < 47)
        seen = site.admin.get(url, headers=at(minor)).expect(200)["server"]
        more = OPERATORS | (OPERATORS_23 if minor >= 3 else set())
        more |= {"host_status"} if minor >= 16 else set()
        assert set(seen) == BASE | grown(minor) | more, minor
    old = site.member.get(url, headers=at(1)).expect(200)["server"]
    assert old["flavor"]["id"] == site.flavor
    assert old["flavor"]["links"][0]["href"].endswith(f"/compute/flavors/{site.flavor}")


def test_updates_by_version(site: Site) -> None:
    url = f"{ROOT}/servers/{site.build()['id']}"
    for minor in (1, 9, 19, 26, 47, 63, 71, 73, 74, 75, 90, 96):
        shown = site.member.put(url, {"server": {"name": "x"}}, headers=at(minor)).json["server"]
        expected = (BASE if minor >= 75 else UPDATE) | grown(minor)
        assert set(shown) == expected, minor
        [address] = shown["addresses"]["net"]
        assert ("OS-EXT-IPS:type" in address) is (minor >= 75)


@pytest.mark.parametrize(
    ("since", "changes"),
    [
        (19, {"description": "d"}),
        (37, {"networks": "none"}),
        (37, {"networks": "auto"}),
        (42, {"networks": [{"uuid": "NETWORK", "tag": "t"}]}),
        (52, {"tags": ["t"]}),
        (63, {"trusted_image_certificates": None}),
        (90, {"hostname": "one"}),
        (94, {"hostname": "one.two"}),
    ],
)
def test_what_a_request_may_say_since(site: Site, since: int, changes: dict[str, Any]) -> None:
    body = site.body(**changes)
    body["server"] |= {key: value for key, value in changes.items() if value is None}
    for network in body["server"]["networks"]:
        if isinstance(network, dict):
            network["uuid"] = site.network
    site.member.post(f"{ROOT}/servers", body, headers=at(since)).expect(202)
    refused = site.member.post(f"{ROOT}/servers", body, headers=at(since - 1)).expect(400)
    assert "badRequest" in refused


def test_tags_of_cards_came_left_and_came_back(site: Site) -> None:
    tagged = site.body(networks=[{"uuid": site.network, "tag": "t"}])
    for minor, status in ((31, 400), (32, 202), (36, 202), (37, 400), (41, 400), (42, 202)):
        answer = site.member.post(f"{ROOT}/servers", tagged, headers=at(minor))
        assert answer.status == status, minor
    image = {"boot_index": 0, "uuid": site.image, "source_type": "image", "tag": "t"}
    body = site.body(block_device_mapping_v2=[image])
    body["server"]["networks"] = []
    for minor, says in (
        (31, "tag in"),
        (32, "not accepted for"),
        (33, "_tag"),
        (42, "not accepted for"),
    ):
        refused = site.member.post(f"{ROOT}/servers", body, headers=at(minor)).expect(400)
        assert says in refused["badRequest"]["message"] or "tag" in refused["badRequest"]["message"]
    volume = site.body(block_device_mapping_v2=[{**image, "volume_type": "v"}])
    refused = site.member.post(f"{ROOT}/servers", volume, headers=at(66)).expect(400)
    assert "2.67" in refused["badRequest"]["message"]


def test_the_oldest_clients_leave_things_out(site: Site) -> None:
    body = site.body(networks=None, name="old")
    made = site.member.post(f"{ROOT}/servers", body, headers=at(1)).expect(202)["server"]["id"]
    site.cloud.settle()
    shown = site.show(made)
    assert (shown["description"], list(shown["addresses"])) == ("old", ["net"])
    for personality, status in (([], 202), ([{"path": "/a", "contents": ""}], 400)):
        body = site.body(personality=personality)
        assert site.member.post(f"{ROOT}/servers", body, headers=at(56)).status == status
    assert site.member.post(f"{ROOT}/servers", [], headers=at(1)).status == 400
    assert site.member.post(f"{ROOT}/servers", {"server": 1}, headers=at(1)).status == 400
    answer = site.member.post(f"{ROOT}/servers", {"server": {"networks": 1}}, headers=at(1))
    assert answer.status == 400


def test_acts_by_version(site: Site) -> None:
    answer = site.create()
    server = answer.expect(202)["server"]["id"]
    site.cloud.settle()
    url = f"{ROOT}/servers/{server}/os-instance-actions"
    act = f"{url}/{answer.headers['x-openstack-request-id']}"
    for minor in (57, 58):
        [listed] = site.member.get(url, headers=at(minor)).expect(200)["instanceActions"]
        assert ("updated_at" in listed) is (minor >= 58)
    for minor in (51, 58, 62, 84):
        shown = site.admin.get(act, headers=at(minor)).expect(200)["instanceAction"]
        [event] = shown["events"]
        assert ("updated_at" in shown) is (minor >= 58)
        assert ("hostId" in event) is ("host" in event) is (minor >= 62)
        assert ("details" in event) is (minor >= 84)
    ignored = site.member.get(f"{url}?colour=red&limit=1", headers=at(57))
    assert "links" not in ignored.expect(200)
