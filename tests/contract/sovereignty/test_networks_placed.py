"""Networks and what belongs to them are told too: where each is, and that it holds no data at rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services import sovereignty
from andromede.services.sovereignty import reconcilers
from tests.contract.compute.helpers import have_projects
from tests.contract.compute.servers.helpers import Site, open_cloud, open_site
from tests.contract.network.kit import outside
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.contract.sovereignty.evidence_world import Evident, files
from tests.harness import caller

NET = "/network/v2.0"
OF_NETWORKS = {"network", "subnet", "port", "router", "floatingip"}


@pytest.fixture
def wired(tmp_path: Path, database_url: str) -> Iterator[tuple[Site, Evident]]:
    """A server behind a router with a floating IP, in France."""
    cloud = open_cloud(tmp_path, database_url, sovereignty.SERVICE)
    have_projects(cloud, "p1", "p2", "ops")
    site = open_site(cloud)
    declaring = Declaring(site.admin, site.member)
    declaring.site("local", "FR")
    server = site.build()
    member = site.member
    gateway = {"external_gateway_info": {"network_id": outside(cloud)["id"]}}
    router = member.post(f"{NET}/routers", {"router": gateway}).expect(201)["router"]
    (subnet,) = member.get(f"{NET}/subnets?network_id={site.network}").expect(200)["subnets"]
    member.put(
        f"{NET}/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]}
    ).expect(200)
    (card,) = member.get(f"{NET}/ports?device_id={server['id']}").expect(200)["ports"]
    floating = {
        "floating_network_id": gateway["external_gateway_info"]["network_id"],
        "port_id": card["id"],
    }
    member.post(f"{NET}/floatingips", {"floatingip": floating}).expect(201)
    cloud.settle()
    cloud.number()
    yield site, Evident(cloud, site.admin, member, declaring)
    cloud.close()


def test_evidence_tells_of_every_kind(wired: tuple[Site, Evident]) -> None:
    site, world = wired
    data = world.archive()
    assert world.examine(data).verdict == "verified"
    document = world.document()
    told = {(each["kind"], each["id"]): each for each in document["resources"]}
    assert {kind for kind, _ in told} == OF_NETWORKS | {"server", "image"}
    for noun, kind in (("networks", "network"), ("subnets", "subnet"), ("ports", "port"),
                       ("routers", "router"), ("floatingips", "floatingip")):  # fmt: skip
        listed = site.member.get(f"{NET}/{noun}").expect(200)[noun]
        own = {each["id"] for each in listed if each["project_id"] == "p1"}
        assert own == {key for each, key in told if each == kind}, kind
    for (kind, _), each in told.items():
        assert each["site"] == {"value": "local", "basis": "measured", "by": ""}
        assert each["keys"]["value"] == ("no data at rest" if kind in OF_NETWORKS else "none")
    (place,) = document["sites"]
    assert place["resources"] == len(told)
    for language, words in (("en", "no data at rest"), ("fr", "aucune donnée au repos")):
        assert words in files(data)[f"evidence.{language}.html"].decode()


def test_what_is_of_another_is_not_told(wired: tuple[Site, Evident]) -> None:
    _, world = wired
    theirs = world.document(client=world.cloud.as_(caller(project="p2")), project="p2")
    assert theirs["resources"] == []
    operators = world.document(client=world.operator, project="ops")
    assert {each["kind"] for each in operators["resources"]} == {"network", "subnet"}


def test_nothing_but_networks_needs_no_keys(wired: tuple[Site, Evident]) -> None:
    _, world = wired
    page = files(world.archive(client=world.operator, project="ops"))["evidence.en.html"].decode()
    assert "Nothing that holds data at rest is placed" in page
    assert (
        "Nothing that holds data at rest" not in files(world.archive())["evidence.en.html"].decode()
    )


def test_they_are_weighed_again_but_not_for_keys(wired: tuple[Site, Evident]) -> None:
    site, world = wired
    (weigh,) = [each for each in reconcilers(site.world()) if each.name == "re-evaluation"]

    def findings(**policy: object) -> list[tuple[str, str]]:
        manager = world.cloud.as_(caller("manager"))
        manager.put(f"{V1}/policies/projects/p1", {"policy": policy}).expect(200)
        weigh.run()
        found = site.member.get(f"{V1}/findings").expect(200)["findings"]
        return sorted({(each["kind"], each["rule"]) for each in found})

    assert findings(allowed_countries=["FR"]) == []
    assert findings(required_keys="cloud") == [
        ("image", "required_keys"), ("server", "required_keys"),
    ]  # fmt: skip
    kinds = sorted({"server", "image", *OF_NETWORKS})
    assert findings(allowed_countries=["DE"]) == [(kind, "allowed_countries") for kind in kinds]
    plan = site.member.get(f"{V1}/plans/p1").expect(200)["moves"]
    assert {each["kind"] for each in plan} == set(kinds)
    assert {each["to"] for each in plan} == {None}
    assert findings(allowed_countries=["FR", "DE"]) == []
