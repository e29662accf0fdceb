"""Server groups: who makes and sees them, what each version says, and what placement makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede import quotas
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.harness import unknown_id

URL = f"{ROOT}/os-server-groups"


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    cloud = open_cloud(tmp_path, database_url)
    cloud.engine.offer(["h2", "h3"])
    yield open_site(cloud)
    cloud.close()


def group(site: Site, policy: str, **rules: Any) -> str:
    body = {"name": "g", "policy": policy, **({"rules": rules} if rules else {})}
    made = site.member.post(URL, {"server_group": body}).expect(200)["server_group"]
    return str(made["id"])


def create(site: Site, group_id: str, **more: Any) -> str:
    body = {**site.body(**more), "os:scheduler_hints": {"group": group_id}}
    return str(site.member.post(f"{ROOT}/servers", body).expect(202)["server"]["id"])


def host(site: Site, server: str) -> Any:
    return site.show(server)["OS-EXT-SRV-ATTR:host"]


def test_a_group_lives_with_its_servers(site: Site) -> None:
    body = {"server_group": {"name": "g", "policy": "anti-affinity",
                             "rules": {"max_server_per_host": 2}}}  # fmt: skip
    made = site.member.post(URL, body).expect(200)["server_group"]
    wanted = {
        "id": made["id"], "name": "g", "policy": "anti-affinity", "members": [],
        "rules": {"max_server_per_host": 2}, "project_id": "p1", "user_id": "u1",
    }  # fmt: skip
    assert made == wanted
    server = create(site, made["id"])
    site.cloud.settle()
    assert site.show(server)["server_groups"] == [made["id"]]
    for shown in (
        site.reader.get(f"{URL}/{made['id']}").expect(200)["server_group"],
        *site.reader.get(URL).expect(200)["server_groups"],
    ):
        assert shown == {**wanted, "members": [server]}
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert site.member.get(f"{URL}/{made['id']}").expect(200)["server_group"] == wanted
    assert site.member.delete(f"{URL}/{made['id']}").status == 204
    for method in ("GET", "DELETE"):
        error = site.member.call(method, f"{URL}/{made['id']}").expect(404)["itemNotFound"]
        assert error["message"] == f"Instance group {made['id']} could not be found."


def test_a_group_that_goes_leaves_its_servers(site: Site) -> None:
    made = group(site, "affinity")
    server = create(site, made)
    site.cloud.settle()
    before = site.show(server)
    assert site.member.delete(f"{URL}/{made}").status == 204
    assert site.show(server) == {**before, "server_groups": []}
    site.act(server, "reboot", {"type": "HARD"}).expect(202)
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"


def test_affinity_holds(site: Site) -> None:
    made = group(site, "affinity")
    servers = [create(site, made) for _ in range(3)]
    site.cloud.settle()
    assert len({host(site, each) for each in servers}) == 1
    away = create(site, made, host=None)
    site.cloud.settle()
    assert host(site, away) == host(site, servers[0])


def test_anti_affinity_holds_until_there_is_no_host(site: Site) -> None:
    made = group(site, "anti-affinity")
    servers = [create(site, made) for _ in range(4)]
    site.cloud.settle()
    placed = [each for each in servers if site.status(each) == "ACTIVE"]
    assert len({host(site, each) for each in placed}) == len(placed) == 3
    [left] = set(servers) - set(placed)
    fault = site.show(left)["fault"]["message"]
    assert fault.startswith("No valid host was found.")
    assert f"group {made} wants at most 1 of its servers on one host" in fault


def test_a_rule_lets_more_on_one_host(site: Site) -> None:
    made = group(site, "anti-affinity", max_server_per_host="2")
    servers = [create(site, made) for _ in range(6)]
    site.cloud.settle()
    hosts = [host(site, each) for each in servers]
    assert sorted(hosts.count(each) for each in set(hosts)) == [2, 2, 2]


def test_soft_policies_wish(site: Site) -> None:
    apart, together = group(site, "soft-anti-affinity"), group(site, "soft-affinity")
    spread = [create(site, apart) for _ in range(4)]
    close = [create(site, together) for _ in range(3)]
    site.cloud.settle()
    hosts = [host(site, each) for each in spread]
    assert sorted(hosts.count(each) for each in set(hosts)) == [1, 1, 2]
    assert len({host(site, each) for each in close}) == 1


def test_persons_and_pages(site: Site) -> None:
    made = [group(site, "affinity") for _ in range(3)]
    body = {"server_group": {"name": "g", "policy": "affinity"}}
    assert site.reader.post(URL, body).status == 403
    assert site.other.get(f"{URL}/{made[0]}").status == 404
    assert site.other.delete(f"{URL}/{made[0]}").status == 404
    other = site.other.post(URL, body).expect(200)["server_group"]["id"]

    def ids(client: Any, query: str = "") -> list[str]:
        return [each["id"] for each in client.get(URL + query).expect(200)["server_groups"]]

    assert ids(site.member) == ids(site.member, "?all_projects=true") == made
    assert ids(site.member, "?limit=1&offset=1") == [made[1]]
    assert ids(site.admin) == []
    assert ids(site.admin, "?all_projects=1") == [*made, other]
    for query in ("?limit=x", "?offset=-1", "?colour=red"):
        assert site.member.get(URL + query).status == 400
    assert site.member.get(URL + "?colour=red", headers=at("2.74")).status == 200
    assert site.admin.get(f"{URL}/{other}").status == 200
    homeless = site.cloud.as_(site_caller(), private=True)
    assert homeless.post(URL, body, headers=at("2.96")).status == 403


def site_caller() -> Any:
    from tests.harness import caller

    return caller("admin", None, system=True)


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"name": "g"}, {"name": "", "policy": "affinity"}, {"name": "g", "policy": "near"},
        {"name": "g", "policy": "affinity", "rules": {"max_server_per_host": 1}},
        {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 0}},
        {"name": "g", "policy": "anti-affinity", "rules": {"least": 1}},
        {"name": "g", "policies": ["affinity"]},
    ],
)  # fmt: skip
def test_bad_groups_are_refused(site: Site, asked: dict[str, Any]) -> None:
    assert site.member.post(URL, {"server_group": asked}).status == 400
    assert site.member.get(URL).expect(200)["server_groups"] == []


def test_quotas(site: Site) -> None:
    made = group(site, "affinity")
    limits = {"server_groups": 1, "server_group_members": 1}
    site.cloud.database.transact(lambda c: quotas.set_limits(c, "compute", "p1", limits))
    body = {"server_group": {"name": "g", "policy": "affinity"}}
    error = site.member.post(URL, body).expect(403)["forbidden"]["message"]
    assert error == "Quota exceeded, too many server groups."
    create(site, made)
    asked = {**site.body(), "os:scheduler_hints": {"group": made}}
    error = site.member.post(f"{ROOT}/servers", asked).expect(403)["forbidden"]["message"]
    assert error == "Quota exceeded, too many servers in group"
    used = site.member.get(f"{ROOT}/limits").expect(200)["limits"]["absolute"]
    assert used["totalServerGroupsUsed"] == 1


def test_a_server_names_a_group_of_its_project(site: Site) -> None:
    body = {"server_group": {"name": "g", "policy": "affinity"}}
    other = site.other.post(URL, body).expect(200)["server_group"]["id"]
    for wrong in (other, unknown_id(), 7):
        asked = {**site.body(), "os:scheduler_hints": {"group": wrong}}
        error = site.member.post(f"{ROOT}/servers", asked).expect(400)["badRequest"]["message"]
        assert error == f"Instance group {wrong} could not be found."


def test_each_version_has_its_own_words(site: Site) -> None:
    old = {"server_group": {"name": "g", "policies": ["affinity"]}}
    shown = site.member.post(URL, old, headers=at("2.12")).expect(200)["server_group"]
    assert set(shown) == {"id", "name", "policies", "metadata", "members"}
    assert (shown["policies"], shown["metadata"]) == (["affinity"], {})
    [shown] = site.member.get(URL, headers=at("2.13")).expect(200)["server_groups"]
    assert set(shown) == {"id", "name", "policies", "metadata", "members", "project_id", "user_id"}
    soft = {"server_group": {"name": "g", "policies": ["soft-affinity"]}}
    assert "2.15" in site.member.post(URL, soft, headers=at("2.14")).body.decode()
    assert site.member.post(URL, soft, headers=at("2.15")).status == 200
    new = {"server_group": {"name": "g", "policy": "affinity"}}
    assert "2.64" in site.member.post(URL, new, headers=at("2.63")).body.decode()
    for policies in ([], ["affinity", "anti-affinity"], "affinity", None):
        body = {"server_group": {"name": "g", "policies": policies}}
        assert site.member.post(URL, body, headers=at("2.63")).status == 400
    for wrong in ([], {"server_group": []}, {}):
        assert site.member.post(URL, wrong, headers=at("2.12")).status == 400
