"""A site that something is placed at, or that hosts of this cloud stand at, keeps its declaration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.roles import asked
from andromede.services import sovereignty
from andromede.services.compute import api
from andromede.sovereignty.world import store
from andromede.sovereignty.world.check import FaultyWorld
from tests.contract.compute.servers.helpers import ROOT, Site, open_cloud, open_site
from tests.contract.sovereignty.declaring import V1, Declaring

PARIS = f"{V1}/sites/paris"


@pytest.fixture
def fleet(tmp_path: Path, database_url: str) -> Iterator[Site]:
    """Sites local and paris, and a server at paris."""
    cloud = open_cloud(tmp_path, database_url, sovereignty.SERVICE)
    site = open_site(cloud)
    Declaring(site.admin, site.member).site("paris", "FR", hosts=["paris-1"])
    cloud.engine.offer(["here", "paris-1"])
    api.note_hosts(site.world())
    site.servers.append(site.build(availability_zone="paris")["id"])
    yield site
    cloud.close()


def world(fleet: Site) -> Any:
    return fleet.member.get(f"{V1}/world").expect(200)["world"]


def without_paris(fleet: Site) -> Any:
    whole = world(fleet)
    return {**whole, "sites": [each for each in whole["sites"] if each["name"] != "paris"]}


def test_a_site_in_use_is_not_deleted(fleet: Site) -> None:
    before = world(fleet)
    message = fleet.admin.delete(PARIS).expect(409)["message"]
    for part in ("site paris is in use", "1 of kind host", "1 of kind server", "1 of kind port",
                 "move or delete these first", "declare it anew"):  # fmt: skip
        assert part in message
    assert "kind network" not in message
    assert world(fleet) == before


def test_nor_is_it_left_out_of_the_world(fleet: Site) -> None:
    before = world(fleet)
    body = {"world": without_paris(fleet)}
    assert "1 of kind server" in fleet.admin.put(f"{V1}/world", body).expect(409)["message"]
    assert world(fleet) == before
    moved = without_paris(fleet)
    moved["sites"][0]["hosts"] = ["paris-1"]
    message = fleet.admin.put(f"{V1}/world", {"world": moved}).expect(409)["message"]
    assert "1 of kind server" in message
    assert "kind host" not in message, "it is declared elsewhere"


def test_a_start_does_not_leave_it_out_either(fleet: Site) -> None:
    from andromede.cli.sovereignty.world import read

    cloud = fleet.cloud
    path = cloud.paths.state / "world.toml"
    path.write_text('[[sites]]\nname = "local"\ncountry = "FR"\n')
    wishes = asked.Asked(world=read(path))
    place = cloud.config.place
    with pytest.raises(FaultyWorld, match="site paris is in use"):
        cloud.database.transact(lambda connection: asked.apply(connection, wishes, place))
    with cloud.database.read() as connection:
        assert "paris" in store.load(connection).sites


def test_once_it_is_empty_it_goes(fleet: Site) -> None:
    assert fleet.member.delete(f"{ROOT}/servers/{fleet.servers[0]}").status == 204
    fleet.cloud.settle()
    assert "1 of kind host" in fleet.admin.delete(PARIS).expect(409)["message"]
    fleet.cloud.engine.offer(["here"])
    api.note_hosts(fleet.world())
    assert fleet.admin.delete(PARIS).status == 204
    assert fleet.member.get(PARIS).status == 404


def test_a_site_whose_hosts_are_none_of_this_clouds_goes(fleet: Site) -> None:
    Declaring(fleet.admin, fleet.member).site("nice", "FR", hosts=["nice-1"])
    assert fleet.admin.delete(f"{V1}/sites/nice").status == 204
