"""Several sites: a server goes to the emptiest host that its project's policies let it be on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import sovereignty
from andromede.services.compute import api
from andromede.services.network import api as network
from andromede.services.sovereignty import reconcilers
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.harness import caller
from tests.policies import set_allowed_sites


@pytest.fixture
def fleet(tmp_path: Path, database_url: str) -> Iterator[Site]:
    """Site local with its host, paris with two and lyon with one."""
    cloud = open_cloud(tmp_path, database_url, sovereignty.SERVICE)
    site = open_site(cloud)
    declaring = Declaring(site.admin, site.member)
    declaring.site("paris", "FR", region="Nord", hosts=["paris-1", "paris-2"])
    declaring.site("lyon", "FR", hosts=["lyon-1"])
    declaring.site("geneva", "CH", hosts=["geneva-1"])
    cloud.engine.offer(["paris-1", "paris-2", "lyon-1", "geneva-1"])
    api.note_hosts(site.world())
    yield site
    cloud.close()


def policy(fleet: Site, **fields: Any) -> None:
    path = f"{V1}/policies/projects/p1"
    fleet.cloud.as_(caller("manager")).put(path, {"policy": fields}).expect(200)


def host(shown: dict[str, Any]) -> str:
    return str(shown["OS-EXT-SRV-ATTR:host"])


def sites_of(fleet: Site, kind: str) -> dict[str, str]:
    """Where each of the network service's resources of a kind is."""
    with fleet.cloud.database.read() as connection:
        rows = connection.execute(network.placements("local")[kind]).all()
    assert {row.kind for row in rows} <= {kind}
    assert {row.project_id for row in rows} <= {"p1"}
    return {row.id: row.site for row in rows}


def test_the_emptiest_admissible_host_is_chosen(fleet: Site) -> None:
    policy(fleet, allowed_sites=["paris", "lyon"])
    hosts = [host(fleet.build()) for _ in range(6)]
    assert sorted(hosts) == ["lyon-1", "lyon-1", "paris-1", "paris-1", "paris-2", "paris-2"]
    policy(fleet, allowed_countries=["CH"])
    assert host(fleet.build()) == "geneva-1"


def test_rows_keep_the_chosen_place_and_ports_follow(fleet: Site) -> None:
    policy(fleet, allowed_sites=["paris"])
    shown = fleet.build()
    assert shown["OS-EXT-AZ:availability_zone"] == "paris"
    with fleet.cloud.database.read() as connection:
        rows = connection.execute(api.placements()).all()
    assert [(row.kind, row.site) for row in rows] == [("server", "paris")]
    ports = fleet.admin.get(f"/network/v2.0/ports?device_id={shown['id']}").expect(200)["ports"]
    assert [each["binding:host_id"] for each in ports] == [host(shown)]
    assert sites_of(fleet, "port")[ports[0]["id"]] == "paris"


def test_a_port_is_where_its_server_is_and_comes_home(fleet: Site) -> None:
    """The policy that lets it be there only is set after the network was made."""
    body = {"port": {"network_id": fleet.network}}
    port = fleet.member.post("/network/v2.0/ports", body).expect(201)["port"]["id"]
    assert set(sites_of(fleet, "port").values()) == {"local"}
    policy(fleet, allowed_sites=["lyon"])
    server = fleet.build(networks=[{"port": port}, {"uuid": fleet.network}])
    cards = fleet.admin.get(f"/network/v2.0/ports?device_id={server['id']}").expect(200)["ports"]
    there = sites_of(fleet, "port")
    assert {there[each["id"]] for each in cards} == {"lyon"}
    assert {each["status"] for each in cards} == {"ACTIVE"}, "admitted where its server is"
    assert set(there.values()) == {"lyon", "local"}, "DHCP's is with the network"
    assert set(sites_of(fleet, "network").values()) == {"local"}
    assert set(sites_of(fleet, "subnet").values()) == {"local"}
    assert fleet.member.delete(f"{ROOT}/servers/{server['id']}").status == 204
    fleet.cloud.settle()
    assert sites_of(fleet, "port")[port] == "local"


def test_each_site_is_a_zone(fleet: Site) -> None:
    found = fleet.member.get(f"{ROOT}/os-availability-zone").expect(200)["availabilityZoneInfo"]
    assert [each["zoneName"] for each in found] == ["geneva", "local", "lyon", "paris"]
    detail = fleet.admin.get(f"{ROOT}/os-availability-zone/detail").expect(200)
    hosts = {each["zoneName"]: set(each["hosts"]) for each in detail["availabilityZoneInfo"]}
    assert hosts["paris"] == {"paris-1", "paris-2"}
    services = fleet.admin.get(f"{ROOT}/os-services").expect(200)["services"]
    assert {each["host"]: each["zone"] for each in services}["lyon-1"] == "lyon"
    assert host(fleet.build(availability_zone="lyon")) == "lyon-1"
    assert fleet.create(availability_zone="nova").status == 400
    assert host(fleet.build(client=fleet.admin, availability_zone="geneva:geneva-1",
                            networks="none")) == "geneva-1"  # fmt: skip


def test_no_admissible_place_is_refused_at_once(fleet: Site) -> None:
    policy(fleet, allowed_countries=["DE"])
    message = fleet.create().expect(403)["forbidden"]["message"]
    assert "allowed_countries" in message
    assert "no site of this cloud" in message
    for site in ("geneva", "local", "lyon", "paris"):
        assert f"site {site} is in" in message
    policy(fleet, allowed_countries=["FR"])
    message = fleet.create(availability_zone="geneva").expect(403)["forbidden"]["message"]
    assert "Accepted: lyon, paris" in message


def test_what_is_accepted_is_where_this_cloud_has_hosts(fleet: Site) -> None:
    Declaring(fleet.admin, fleet.member).site("nice", "FR", hosts=["nice-1"])  # none is there yet
    policy(fleet, allowed_sites=["lyon", "nice", "far"])
    message = fleet.create(availability_zone="paris").expect(403)["forbidden"]["message"]
    assert "Accepted: lyon." in message
    policy(fleet, allowed_sites=["nice", "far"])
    message = fleet.create(availability_zone="paris").expect(403)["forbidden"]["message"]
    assert "Accepted: no site of this cloud." in message
    network = fleet.member.post("/network/v2.0/networks", {"network": {"name": "n"}})
    assert "Accepted: no site of this cloud." in network.expect(403)["NeutronError"]["message"]
    policy(fleet, allowed_sites=["lyon"])  # where servers can be, and networks cannot
    network = fleet.member.post("/network/v2.0/networks", {"network": {"name": "n"}})
    assert "Accepted: no site of this cloud." in network.expect(403)["NeutronError"]["message"]


def test_a_policy_that_changed_meanwhile_leaves_no_host(fleet: Site) -> None:
    policy(fleet, allowed_sites=["paris"])
    made = fleet.create().expect(202)["server"]
    fleet.cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["nowhere"]))
    fleet.cloud.settle()
    shown = fleet.show(made["id"])
    assert shown["status"] == "ERROR"
    assert "allowed_sites" in shown["fault"]["message"]
    assert "ensure_server" not in fleet.cloud.engine.calls


def test_a_plan_names_a_place_to_go_or_says_why_there_is_none(fleet: Site) -> None:
    policy(fleet, allowed_sites=["paris"])
    server = fleet.build()["id"]
    (weigh,) = [each for each in reconcilers(fleet.world()) if each.name == "re-evaluation"]
    policy(fleet, allowed_sites=["lyon", "geneva"], allowed_countries=["FR", "CH"])
    weigh.run()
    plan = fleet.member.get(f"{V1}/plans/p1").expect(200)
    moves = {each["kind"]: each for each in plan["moves"]}
    assert moves["server"]["resource"] == server
    assert (moves["server"]["to"], moves["server"]["others"]) == ("geneva", ["lyon"])
    assert moves["image"]["to"] is None
    assert "allowed_sites" in moves["image"]["why"]
    first = fleet.member.get(f"{V1}/plans/p1?limit=1").expect(200)
    assert [each["kind"] for each in first["moves"]] == ["image"]
    following = first["moves_links"][0]["href"].partition("?")[2]
    second = fleet.member.get(f"{V1}/plans/p1?{following}").expect(200)
    assert [each["kind"] for each in second["moves"]] == ["network"]
    assert moves["network"]["to"] is None
    ports = {each["site"]: each for each in plan["moves"] if each["kind"] == "port"}
    assert {site: each["to"] for site, each in ports.items()} == {
        "paris": "geneva", "local": None,
    }, "the server's port goes with it, and the network's own stays with that"  # fmt: skip
    assert "make a server there" in ports["paris"]["why"]
    stays = moves["server"]["site"]
    policy(fleet, allowed_sites=[stays])
    again = fleet.member.get(f"{V1}/plans/p1").expect(200)["moves"]
    assert [each["to"] for each in again if each["kind"] == "server"] == [stays]
    assert fleet.member.get(f"{V1}/plans/p1?marker=x").status == 400
    assert fleet.other.get(f"{V1}/plans/p1").status == 404
    assert fleet.admin.get(f"{V1}/plans/unknown").status == 404
