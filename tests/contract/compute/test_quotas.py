"""Quotas and limits: what projects see, what operators set, and how older clients see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services.compute import SERVICE
from andromede.services.compute.limits.store import DEFAULTS
from andromede.services.compute.servers import store as servers
from tests.contract.compute.helpers import have_projects
from tests.harness import Client, TestCloud, caller

SETS = "/compute/v2.1/os-quota-sets"
CLASSES = "/compute/v2.1/os-quota-class-sets"
LIMITS = "/compute/v2.1/limits"
NEWEST = {"OpenStack-API-Version": "compute 2.96"}


@pytest.fixture
def cloud(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [SERVICE], url=database_url)
    have_projects(cloud, "p1", "p2")
    used = {"p1": (2, 3, 4096)}
    monkeypatch.setattr(servers, "usage_of_user", lambda *_: (0, 0, 0))
    monkeypatch.setattr(servers, "usage", lambda _, project: used.get(project, (0, 0, 0)))
    yield cloud
    cloud.close()


@pytest.fixture
def admin(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", "ops"), private=True, **NEWEST)


@pytest.fixture
def member(cloud: TestCloud) -> Client:
    return cloud.as_(caller(), **NEWEST)


def quotas(client: Client, path: str = "/p1") -> dict[str, Any]:
    found: dict[str, Any] = client.get(SETS + path).expect(200)["quota_set"]
    return found


def test_a_project_sees_its_quotas_and_what_it_uses(member: Client) -> None:
    assert quotas(member) == {"id": "p1", **DEFAULTS}
    assert quotas(member, "/p1/defaults") == {"id": "p1", **DEFAULTS}
    detail = quotas(member, "/p1/detail")
    assert detail["instances"] == {"limit": 10, "in_use": 2, "reserved": 0}
    assert detail["cores"]["in_use"] == 3
    assert detail["ram"]["in_use"] == 4096
    assert detail["key_pairs"] == {"limit": 100, "in_use": 0, "reserved": 0}


def test_an_operator_sets_and_resets_them(admin: Client, member: Client) -> None:
    body = {"quota_set": {"cores": "40", "ram": -1}}
    changed = admin.put(f"{SETS}/p1", body).expect(200)["quota_set"]
    assert changed == {**DEFAULTS, "cores": 40, "ram": -1}
    assert quotas(member)["cores"] == 40
    assert admin.put(f"{SETS}/p1", {"quota_set": {"instances": None}}).status == 400
    assert quotas(admin, "/p2")["cores"] == 20
    assert admin.delete(f"{SETS}/p1").status == 202
    assert quotas(member) == {"id": "p1", **DEFAULTS}


def test_limits_below_use_need_force(admin: Client) -> None:
    refused = admin.put(f"{SETS}/p1", {"quota_set": {"cores": 2}}).expect(400)
    assert "already used and reserved 3" in refused["badRequest"]["message"]
    assert admin.put(f"{SETS}/p1", {"quota_set": {"cores": 3}}).status == 200
    forced = {"quota_set": {"cores": 1, "force": "true"}}
    assert admin.put(f"{SETS}/p1", forced).expect(200)["quota_set"]["cores"] == 1


@pytest.mark.parametrize(
    "change",
    [{"cores": -2}, {"cores": "x"}, {"cores": 2**31}, {"cores": 1.5}, {"colour": 1},
     {"cores": True}, {"force": "perhaps"}, {"floating_ips": 1}],
)  # fmt: skip
def test_bad_limits_are_refused(admin: Client, change: dict[str, Any]) -> None:
    admin.put(f"{SETS}/p1", {"quota_set": change}).expect(400)
    assert quotas(admin) == {"id": "p1", **DEFAULTS}


def test_only_projects_that_exist_have_quotas_set(admin: Client) -> None:
    refused = admin.put(f"{SETS}/p9", {"quota_set": {"cores": 5}}).expect(400)
    assert refused["badRequest"]["message"] == "Project ID p9 is not a valid project."


def test_a_user_may_have_less_than_its_project(admin: Client, member: Client) -> None:
    path = f"{SETS}/p1?user_id=u1"
    assert quotas(member, "/p1?user_id=u1") == {"id": "p1", **DEFAULTS}
    changed = admin.put(path, {"quota_set": {"cores": 5, "ram": "2048"}}).expect(200)["quota_set"]
    assert (changed["cores"], changed["ram"]) == (5, 2048)
    admin.put(path, {"quota_set": {"cores": 6}}).expect(200)
    assert quotas(member, "/p1?user_id=u1") == {"id": "p1", **DEFAULTS, "cores": 6, "ram": 2048}
    assert quotas(member) == {"id": "p1", **DEFAULTS}
    told = member.get(f"{SETS}/p1/detail?user_id=u1").expect(200)["quota_set"]
    assert told["cores"] == {"limit": 6, "in_use": 0, "reserved": 0}
    assert admin.delete(path).status == 202
    assert quotas(member, "/p1?user_id=u1") == {"id": "p1", **DEFAULTS}
    admin.put(path, {"quota_set": {"cores": 5}}).expect(200)
    assert admin.delete(f"{SETS}/p1").status == 202
    assert quotas(member, "/p1?user_id=u1") == {"id": "p1", **DEFAULTS}


@pytest.mark.parametrize("asked", [{"cores": 21}, {"cores": -1}, {"key_pairs": 1}])
def test_a_user_may_not_have_more(admin: Client, asked: dict[str, int]) -> None:
    assert admin.put(f"{SETS}/p1?user_id=u1", {"quota_set": asked}).status == 400
    assert quotas(admin, "/p1?user_id=u1") == {"id": "p1", **DEFAULTS}
    admin.put(f"{SETS}/p1", {"quota_set": {"cores": -1}}).expect(200)
    admin.put(f"{SETS}/p1?user_id=u1", {"quota_set": {"cores": 500}}).expect(200)
    assert admin.get(f"{SETS}/p1?colour=red").status == 400


def test_older_clients_read_what_they_set(cloud: TestCloud) -> None:
    def at(version: str) -> Client:
        headers = {"OpenStack-API-Version": f"compute {version}"}
        return cloud.as_(caller("admin", "p1"), private=True, **headers)

    files, nets = {"injected_files": 7}, {"floating_ips": 8}
    changed = at("2.35").put(f"{SETS}/p1", {"quota_set": {**files, **nets}}).expect(200)
    assert changed["quota_set"] | files | nets == changed["quota_set"]
    assert at("2.36").get(f"{SETS}/p1").expect(200)["quota_set"]["injected_files"] == 7
    assert at("2.36").put(f"{SETS}/p1", {"quota_set": nets}).status == 400
    assert at("2.56").put(f"{SETS}/p1", {"quota_set": files}).status == 200
    assert at("2.57").put(f"{SETS}/p1", {"quota_set": files}).status == 400
    changed = at("2.49").put(f"{CLASSES}/default", {"quota_class_set": {**files, **nets}})
    assert changed.expect(200)["quota_class_set"]["floating_ips"] == 8
    assert at("2.50").put(f"{CLASSES}/default", {"quota_class_set": nets}).status == 400
    assert at("2.56").put(f"{CLASSES}/default", {"quota_class_set": files}).status == 200
    assert at("2.57").put(f"{CLASSES}/default", {"quota_class_set": files}).status == 400
    assert at("2.35").get(f"{SETS}/p2").expect(200)["quota_set"]["floating_ips"] == 8


def test_a_project_sees_no_other_and_sets_nothing(member: Client) -> None:
    assert member.get(f"{SETS}/p2").status == 403
    assert member.get(f"{SETS}/p2/detail").status == 403
    assert member.put(f"{SETS}/p1", {"quota_set": {"cores": 99}}).status == 403
    assert member.delete(f"{SETS}/p1").status == 403
    assert member.get(f"{CLASSES}/default").status == 403
    assert member.get(f"{LIMITS}?tenant_id=p2").status == 403


def test_the_defaults_of_all_can_be_set(admin: Client, member: Client) -> None:
    admin.put(f"{SETS}/p2", {"quota_set": {"cores": 7}}).expect(200)
    changed = admin.put(f"{CLASSES}/default", {"quota_class_set": {"cores": 30}}).expect(200)
    assert changed["quota_class_set"]["cores"] == 30
    shown = admin.get(f"{CLASSES}/default").expect(200)["quota_class_set"]
    assert shown == {"id": "default", **DEFAULTS, "cores": 30}
    assert quotas(member)["cores"] == quotas(member, "/p1/defaults")["cores"] == 30
    assert quotas(admin, "/p2")["cores"] == 7
    assert admin.put(f"{CLASSES}/gold", {"quota_class_set": {"cores": 30}}).status == 400


def test_limits_say_what_may_and_what_is_used(admin: Client, member: Client) -> None:
    body = member.get(LIMITS).expect(200)["limits"]
    assert body == {
        "rate": [],
        "absolute": {
            "maxTotalRAMSize": 51200, "maxTotalInstances": 10, "maxTotalCores": 20,
            "maxTotalKeypairs": 100, "maxServerMeta": 128, "maxServerGroups": 10,
            "maxServerGroupMembers": 10, "totalRAMUsed": 4096, "totalCoresUsed": 3,
            "totalInstancesUsed": 2, "totalServerGroupsUsed": 0,
        },
    }  # fmt: skip
    url = f"{LIMITS}?tenant_id=p1&reserved=1"
    assert admin.get(url).status == 400
    before_strict = {"OpenStack-API-Version": "compute 2.74"}
    other = admin.get(url, headers=before_strict).expect(200)["limits"]["absolute"]
    assert other["totalCoresUsed"] == 3
    assert member.get(f"{LIMITS}?colour=red").status == 400


def test_older_clients_see_more(cloud: TestCloud) -> None:
    def at(version: str, path: str) -> Any:
        client = cloud.as_(
            caller("admin", "p1"), private=True, **{"OpenStack-API-Version": f"compute {version}"}
        )
        return client.get(path).expect(200)

    files, nets = "injected_files", "floating_ips"
    assert files not in at("2.57", f"{SETS}/p1")["quota_set"]
    assert at("2.56", f"{SETS}/p1")["quota_set"][files] == 0
    assert nets not in at("2.36", f"{SETS}/p1")["quota_set"]
    assert at("2.35", f"{SETS}/p1")["quota_set"][nets] == -1
    assert at("2.35", f"{SETS}/p1/detail")["quota_set"][nets] == {
        "limit": -1, "in_use": 0, "reserved": 0}  # fmt: skip
    assert "server_groups" in at("2.50", f"{CLASSES}/default")["quota_class_set"]
    old = at("2.49", f"{CLASSES}/default")["quota_class_set"]
    assert old[nets] == -1
    assert "server_groups" not in old
    assert "maxPersonality" not in at("2.57", LIMITS)["limits"]["absolute"]
    assert at("2.56", LIMITS)["limits"]["absolute"]["maxPersonality"] == 0
    assert "maxImageMeta" not in at("2.39", LIMITS)["limits"]["absolute"]
    assert at("2.38", LIMITS)["limits"]["absolute"]["maxImageMeta"] == 128
    assert at("2.35", LIMITS)["limits"]["absolute"]["maxTotalFloatingIps"] == -1
