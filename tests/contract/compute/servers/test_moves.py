"""Resizes as they are listed among migrations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compute.helpers import have_projects
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import caller

LIST = f"{ROOT}/os-migrations"


def larger(site: Site) -> str:
    body = {"name": "large", "ram": 4096, "vcpus": 4, "disk": 40}
    made = site.admin.post(f"{ROOT}/flavors", {"flavor": body}).expect(200)["flavor"]
    return str(made["id"])


def resized(site: Site, flavor: str) -> str:
    server: str = site.build()["id"]
    assert site.act(server, "resize", {"flavorRef": flavor}).status == 202
    return server


def listed(site: Site, query: str = "", version: str = "2.96") -> list[dict[str, Any]]:
    headers = {"OpenStack-API-Version": f"compute {version}"}
    found = site.admin.get(f"{LIST}{query}", headers=headers).expect(200)
    return list(found["migrations"])


def test_a_resize_is_told_from_its_beginning_to_its_end(site: Site) -> None:
    server = resized(site, larger(site))
    [begun] = listed(site)
    host = site.cloud.engine.hosts()[0].name
    assert (begun["status"], begun["migration_type"]) == ("pre-migrating", "resize")
    assert begun["updated_at"] is None
    site.cloud.settle()
    [done] = listed(site)
    assert (done["status"], done["instance_uuid"], done["source_compute"]) == (
        "finished", server, host,
    )  # fmt: skip
    assert (done["user_id"], done["project_id"]) == ("u1", "p1")
    assert done["old_instance_type_id"] != done["new_instance_type_id"]
    assert site.act(server, "confirmResize").status == 204
    site.cloud.settle()
    assert [each["status"] for each in listed(site)] == ["confirmed"]


def test_one_that_is_taken_back_or_fails_or_ends_with_its_server(site: Site) -> None:
    flavor = larger(site)
    server = resized(site, flavor)
    site.cloud.settle()
    assert site.act(server, "revertResize").status == 202
    site.cloud.settle()
    assert [each["status"] for each in listed(site)] == ["reverted"]
    assert site.act(server, "resize", {"flavorRef": flavor}).status == 202
    site.cloud.engine.faults.fail("keep_disk", permanent=True)
    site.cloud.settle()
    assert [each["status"] for each in listed(site)] == ["error", "reverted"]
    gone = resized(site, flavor)
    site.cloud.settle()
    site.member.delete(f"{ROOT}/servers/{gone}")
    site.cloud.settle()
    assert listed(site)[0]["status"] == "confirmed"


def test_lists_filter_and_page(site: Site) -> None:
    flavor = larger(site)
    servers = [resized(site, flavor) for _ in range(3)]
    site.cloud.settle()
    newest = list(reversed(servers))
    assert [each["instance_uuid"] for each in listed(site)] == newest
    assert [each["instance_uuid"] for each in listed(site, f"?instance_uuid={servers[0]}")] == [
        servers[0]
    ]
    host = site.cloud.engine.hosts()[0].name
    for query, count in (
        ("status=finished", 3), ("status=error", 0), ("hidden=0", 3), ("hidden=1", 0),
        ("migration_type=resize", 3), ("migration_type=live-migration", 0), (f"host={host}", 3),
        ("source_compute=none", 0), ("project_id=p1&user_id=u1", 3), ("project_id=p2", 0),
        ("changes-since=2020-01-01", 3), ("changes-since=2999-01-01", 0),
        ("changes-before=2020-01-01", 0),
    ):  # fmt: skip
        assert len(listed(site, f"?{query}")) == count, query
    page = site.admin.get(f"{LIST}?limit=2").expect(200)
    [link] = page["migrations_links"]
    rest = site.admin.get(link["href"].partition(":8444")[2]).expect(200)
    assert [each["instance_uuid"] for each in page["migrations"] + rest["migrations"]] == newest
    for query in ("marker=none", "changes-since=x", "limit=x", "hidden=x"):
        assert site.admin.get(f"{LIST}?{query}").status == 400


@pytest.mark.parametrize(
    ("version", "lacking"),
    [("2.79", {"user_id"}), ("2.58", {"uuid"}), ("2.22", {"migration_type"})],
)
def test_older_versions_tell_less(site: Site, version: str, lacking: set[str]) -> None:
    resized(site, larger(site))
    assert lacking & listed(site, version=version)[0].keys() == set()
    headers = {"OpenStack-API-Version": "compute 2.58"}
    assert "migrations_links" not in site.admin.get(LIST, headers=headers).expect(200)


def test_a_manager_sees_its_projects(site: Site) -> None:
    resized(site, larger(site))
    headers = {"OpenStack-API-Version": "compute 2.96"}
    manager = site.cloud.as_(caller("manager", user="boss"), **headers)
    assert len(manager.get(f"{LIST}?project_id=p1").expect(200)["migrations"]) == 1


def test_a_user_of_a_project_may_be_kept_from_a_larger_flavor(site: Site) -> None:
    have_projects(site.cloud, "p1")
    path = f"{ROOT}/os-quota-sets/p1?user_id=u1"
    server = site.build()
    site.admin.put(path, {"quota_set": {"cores": 2, "instances": 1}}).expect(200)
    refused = site.act(server["id"], "resize", {"flavorRef": larger(site)})
    assert refused.status == 403
    assert "cores" in refused.json["forbidden"]["message"]
    assert "instances" in site.create().expect(403)["forbidden"]["message"]
    other = site.cloud.as_(caller(user="u9"), **{"OpenStack-API-Version": "compute 2.96"})
    assert site.create(other).status == 202
