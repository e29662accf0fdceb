"""Placement: inventories, claims and candidates are those of the hosts and servers there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import placement
from andromede.services.compute import api as compute
from tests.contract.compute.servers.helpers import Site, open_cloud, open_site
from tests.harness import Client, caller

NONE = "5f0c0d3e-8f5e-4a53-9d5f-0a6d7f3b2c11"  # the id of nothing
LATEST = {"OpenStack-API-Version": "placement latest"}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    cloud = open_cloud(tmp_path, database_url, placement.SERVICE)
    site = open_site(cloud)
    compute.note_hosts(site.world())
    yield site
    cloud.close()


def operator(site: Site, version: str = "placement latest") -> Client:
    who = caller("admin", "ops")
    return site.cloud.as_(who, private=True, **{"OpenStack-API-Version": version})


def get(client: Client, path: str) -> Any:
    return client.get(f"/placement{path}").expect(200)


def the_host(client: Client) -> dict[str, Any]:
    [found] = get(client, "/resource_providers")["resource_providers"]
    return dict(found)


def test_the_front_page_asks_for_no_token(site: Site) -> None:
    [version] = site.cloud.as_(None).get("/placement").expect(200)["versions"]
    assert (version["id"], version["min_version"], version["max_version"]) == (
        "v1.0",
        "1.0",
        "1.39",
    )


def test_customers_see_their_own_usages_only(site: Site) -> None:
    site.build()
    mine = site.cloud.as_(caller(user="u1"), **LATEST)
    used = get(mine, "/usages?project_id=p1")["usages"]["all"]
    assert (used["consumer_count"], used["VCPU"]) == (1, 1)
    mine.get("/placement/usages?project_id=p2").expect(403)
    mine.get("/placement/resource_providers").expect(403)


def test_what_a_server_claims_is_what_its_host_has_less(site: Site) -> None:
    client = operator(site)
    host = the_host(client)
    path = f"/resource_providers/{host['uuid']}"
    assert get(client, f"{path}/usages")["usages"] == {"VCPU": 0, "MEMORY_MB": 0, "DISK_GB": 0}
    made = site.build()
    after = get(client, f"{path}/usages")
    assert after["usages"]["VCPU"] == made["flavor"]["vcpus"]
    assert after["usages"]["MEMORY_MB"] == made["flavor"]["ram"]
    assert after["resource_provider_generation"] != host["generation"]
    told = get(client, f"{path}/allocations")["allocations"]
    shown = get(client, f"/allocations/{made['id']}")
    assert list(told) == [made["id"]]
    assert told[made["id"]]["resources"] == shown["allocations"][host["uuid"]]["resources"]
    assert (shown["project_id"], shown["user_id"], shown["consumer_type"]) == (
        "p1",
        "u1",
        "INSTANCE",
    )
    site.member.delete(f"/compute/v2.1/servers/{made['id']}").expect(204)
    site.cloud.settle()
    assert get(client, f"{path}/usages")["usages"]["VCPU"] == 0
    assert get(client, f"/allocations/{made['id']}") == {"allocations": {}}
    assert get(client, "/usages?project_id=p1")["usages"] == {}


def test_inventories_are_those_of_the_engine(site: Site) -> None:
    client = operator(site)
    host = the_host(client)
    [facts] = site.cloud.engine.hosts()
    path = f"/resource_providers/{host['uuid']}/inventories"
    held = get(client, path)["inventories"]
    assert held["VCPU"]["total"] == facts.vcpus
    assert held["MEMORY_MB"]["total"] == facts.memory >> 20
    assert get(client, f"{path}/VCPU")["total"] == facts.vcpus
    client.get(f"/placement{path}/VGPU").expect(404)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True), ("name=other", False), (f"uuid={NONE}", False),
        ("resources=VCPU:1,DISK_GB:2", True), ("resources=VCPU:99999999", False),
        ("required=COMPUTE_NODE", True), ("required=!COMPUTE_NODE", False),
        ("required=in:COMPUTE_NODE", True), (f"member_of={NONE}", False),
        (f"member_of=!{NONE}", True), (f"in_tree={NONE}", False),
    ],
)  # fmt: skip
def test_providers_are_found_by_what_is_asked(site: Site, query: str, found: bool) -> None:
    shown = get(operator(site), f"/resource_providers?{query}")["resource_providers"]
    assert bool(shown) is found


def test_a_site_is_an_aggregate(site: Site) -> None:
    client = operator(site)
    host = the_host(client)
    [aggregate] = get(client, f"/resource_providers/{host['uuid']}/aggregates")["aggregates"]
    assert get(client, f"/resource_providers?member_of=in:{aggregate}")["resource_providers"]
    assert get(client, f"/resource_providers/{host['uuid']}/traits")["traits"]


def test_candidates_have_room_and_say_how_much(site: Site) -> None:
    client = operator(site)
    host = the_host(client)["uuid"]
    told = get(client, "/allocation_candidates?resources=VCPU:2&limit=5&required=COMPUTE_NODE")
    assert told["allocation_requests"] == [
        {"allocations": {host: {"resources": {"VCPU": 2}}}, "mappings": {"": [host]}}
    ]
    summary = told["provider_summaries"][host]
    assert summary["resources"]["VCPU"]["used"] == 0
    assert summary["resources"]["VCPU"]["capacity"] > 0
    none = get(client, "/allocation_candidates?resources=MEMORY_MB:999999999999")
    assert none == {"allocation_requests": [], "provider_summaries": {}}


def test_old_versions_have_their_own_shapes(site: Site) -> None:
    made = site.build()
    oldest, first = operator(site, "placement 1.0"), operator(site, "placement 1.10")
    host = the_host(oldest)
    assert {each["rel"] for each in host["links"]} == {"self", "inventories", "usages"}
    assert "root_provider_uuid" not in host
    oldest.get("/placement/traits").expect(404)
    oldest.get("/placement/resource_providers?resources=VCPU:1").expect(400)
    shown = get(oldest, f"/allocations/{made['id']}")
    assert set(shown) == {"allocations"}
    [request] = get(first, "/allocation_candidates?resources=VCPU:1")["allocation_requests"]
    assert request["allocations"][0]["resource_provider"]["uuid"] == host["uuid"]
    told = get(operator(site, "placement 1.16"), "/allocation_candidates?resources=VCPU:1")
    assert set(told["provider_summaries"][host["uuid"]]) == {"resources"}
    assert get(first, "/usages?project_id=p1")["usages"]["VCPU"] == 1
    path = f"/resource_providers/{host['uuid']}/aggregates"
    assert set(get(first, path)) == {"aggregates"}
    assert "consumer_generation" not in get(
        first, f"/resource_providers/{host['uuid']}/allocations"
    )


def test_the_vocabulary_is_told(site: Site) -> None:
    client = operator(site)
    names = [each["name"] for each in get(client, "/resource_classes")["resource_classes"]]
    assert names == ["VCPU", "MEMORY_MB", "DISK_GB"]
    assert get(client, "/resource_classes/VCPU")["name"] == "VCPU"
    client.get("/placement/resource_classes/VGPU").expect(404)
    assert "COMPUTE_NODE" in get(client, "/traits")["traits"]
    assert get(client, "/traits?name=in:COMPUTE_NODE,X")["traits"] == ["COMPUTE_NODE"]
    assert get(client, "/traits?name=startswith:COMPUTE_N&associated=true")["traits"]
    assert get(client, "/traits?associated=false")["traits"] == []
    client.get("/placement/traits/COMPUTE_NODE").expect(204)
    client.get("/placement/traits/CUSTOM_X").expect(404)


@pytest.mark.parametrize(
    "path",
    [
        "/resource_providers?color=red", "/resource_providers?resources=VCPU",
        "/resource_providers?resources=VGPU:1", "/resource_providers?required=NOPE",
        "/traits?name=COMPUTE", "/traits?associated=maybe", "/usages", "/allocation_candidates",
        "/allocation_candidates?resources=VCPU:1&limit=0", "/allocation_candidates?resources=VCPU:0",
    ],
)  # fmt: skip
def test_bad_queries_are_refused(site: Site, path: str) -> None:
    [told] = operator(site).get(f"/placement{path}").expect(400)["errors"]
    assert (told["status"], told["title"]) == (400, "Bad Request")


@pytest.mark.parametrize("query", ["required=in:COMPUTE_NODE", "member_of=!x"])
def test_what_later_versions_accept_is_refused_before(site: Site, query: str) -> None:
    operator(site, "placement 1.31").get(f"/placement/resource_providers?{query}").expect(400)


def test_nothing_is_written_here(site: Site) -> None:
    client = operator(site)
    client.post("/placement/resource_providers", {"name": "x"}).expect(405)
    client.get(f"/placement/resource_providers/{NONE}").expect(404)
    [told] = get(client, "/usages?project_id=p1&user_id=nobody&consumer_type=INSTANCE").items()
    assert told == ("usages", {})
