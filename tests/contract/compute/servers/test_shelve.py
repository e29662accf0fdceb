"""Shelving: the host's room is given back, the disk is an image, and the server returns."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.engine.protocol import Power
from andromede.services.compute.servers import store
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.contract.image.helpers import show


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def shelved_image(site: Site) -> dict[str, Any]:
    [found] = [
        each
        for each in site.member.get("/image/v2/images").expect(200)["images"]
        if (each["name"] or "").endswith("-shelved")
    ]
    image: dict[str, Any] = found
    return image


def shelve(site: Site, server: str) -> None:
    site.act(server, "shelve").expect(202)
    site.cloud.settle()
    assert site.status(server) == "SHELVED_OFFLOADED"


@pytest.mark.parametrize("state", ["active", "os-stop", "pause", "suspend"])
def test_a_server_is_shelved_and_returns(site: Site, state: str) -> None:
    before = site.build()
    server, engine = before["id"], site.cloud.engine
    if state != "active":
        site.act(server, state).expect(202)
        site.cloud.settle()
    assert site.act(server, "shelve").expect(202) is None
    assert site.show(server)["OS-EXT-STS:task_state"] == "shelving"
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == (
        "SHELVED_OFFLOADED", "shelved_offloaded",
    )  # fmt: skip
    assert (shown["OS-EXT-STS:power_state"], shown["OS-EXT-SRV-ATTR:host"]) == (4, None)
    assert (shown["addresses"], shown["image"]) == (before["addresses"], before["image"])
    assert (engine.disks, engine.power) == (set(), {})
    with site.cloud.database.read() as connection:
        assert store.claims(connection, "simulated")[0] == 0
    image = show(site.member, shelved_image(site)["id"])
    assert (image["name"], image["status"]) == ("vm-shelved", "active")
    site.follow()
    assert site.act(server, "unshelve").expect(202) is None
    assert site.show(server)["OS-EXT-STS:task_state"] == "unshelving"
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-SRV-ATTR:host"]) == ("ACTIVE", "simulated")
    assert (shown["addresses"], shown["image"]) == (before["addresses"], before["image"])
    assert engine.servers[server].disk.image_id == image["id"]
    assert engine.power[server].power is Power.ON
    assert site.member.get(f"/image/v2/images/{image['id']}").status == 404
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    assert [each["action"] for each in acts["instanceActions"]][:2] == ["unshelve", "shelve"]


def test_states_locks_and_persons(site: Site) -> None:
    server = site.build()["id"]
    for act in ("unshelve", "shelveOffload"):
        client = site.admin
        refused = site.act(server, act, client=client).expect(409)["conflictingRequest"]
        assert refused["message"] == (
            f"Cannot '{act}' instance {server} while it is in vm_state active"
        )
    assert site.act(server, "shelveOffload").status == 403
    assert site.act(server, "shelve", client=site.reader).status == 403
    assert site.act(server, "shelve", client=site.other).status == 404
    shelve(site, server)
    for act, value in (("shelve", None), ("os-start", None), ("os-stop", None),
                       ("reboot", {"type": "HARD"}), ("createImage", {"name": "a"})):  # fmt: skip
        assert site.act(server, act, value).status == 409, act
    site.act(server, "lock").expect(202)
    assert site.act(server, "unshelve").status == 409
    reset = site.act(server, "os-resetState", {"state": "active"}, client=site.admin)
    assert "is on no host" in reset.expect(400)["badRequest"]["message"]


def test_one_that_stays_on_its_host_can_be_sent_away(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.faults.fail("remove_server", 1)
    site.act(server, "shelve").expect(202)
    site.cloud.settle(until=lambda: site.status(server) == "SHELVED")
    assert site.status(server) == "SHELVED"
    change = {"task_state": None}
    site.cloud.database.transact(lambda c: store.change(c, server, **change))
    site.act(server, "shelveOffload", client=site.admin).expect(202)
    assert site.show(server)["OS-EXT-STS:task_state"] == "shelving_offloading"
    site.cloud.settle()
    assert site.status(server) == "SHELVED_OFFLOADED"


@pytest.mark.parametrize(
    ("version", "asked", "status"),
    [
        ("2.76", {"anything": 1}, 202),
        ("2.77", {"availability_zone": "nova"}, 202),
        ("2.77", {}, 400),
        ("2.77", {"availability_zone": None}, 400),
        ("2.90", {"host": "simulated"}, 400),
        ("2.91", {}, 202),
        ("2.91", {"availability_zone": None}, 202),
        ("2.96", {"availability_zone": "mars"}, 400),
        ("2.96", {"host": "simulated"}, 403),
        ("2.96", {"colour": 1}, 400),
        ("2.96", None, 202),
    ],
)
def test_each_version_names_the_destination_its_own_way(
    site: Site, version: str, asked: Any, status: int
) -> None:
    server = site.build()["id"]
    shelve(site, server)
    url = f"{ROOT}/servers/{server}/action"
    answer = site.member.post(url, {"unshelve": asked}, headers=at(version))
    assert answer.status == status, answer.body
    site.cloud.settle()
    assert site.status(server) == ("ACTIVE" if status == 202 else "SHELVED_OFFLOADED")


def test_an_operator_names_the_host(site: Site) -> None:
    server = site.build()["id"]
    shelve(site, server)
    unknown = {"host": "elsewhere"}
    assert site.act(server, "unshelve", unknown, client=site.admin).status == 400
    from andromede.services.compute.hosts.record import note_all

    note_all(site.world())
    site.act(server, "unshelve", {"host": "simulated"}, client=site.admin).expect(202)
    site.cloud.settle()
    assert site.show(server)["OS-EXT-SRV-ATTR:host"] == "simulated"


def test_a_zone_is_named_only_for_what_left_its_host(site: Site) -> None:
    server = site.build()["id"]
    shelve(site, server)
    site.cloud.database.transact(lambda c: store.change(c, server, vm_state="shelved"))
    refused = site.act(server, "unshelve", {"availability_zone": "nova"}).expect(409)
    assert "must be SHELVED_OFFLOADED" in refused["conflictingRequest"]["message"]


def test_the_disk_stays_when_its_image_is_lost(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "shelve").expect(202)
    image = shelved_image(site)["id"]
    assert site.member.delete(f"/image/v2/images/{image}").status == 204
    site.cloud.settle()
    shown = site.show(server)
    assert shown["status"] == "ERROR"
    assert f"image {image}, which was to keep its disk, was deleted" in shown["fault"]["message"]
    assert site.cloud.engine.disks == {server}


def test_deleting_a_shelved_server_takes_its_image_along(site: Site) -> None:
    server = site.build()["id"]
    shelve(site, server)
    image = shelved_image(site)["id"]
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert site.member.get(f"/image/v2/images/{image}").status == 404
    assert site.member.get(f"{ROOT}/servers/{server}").status == 404


def test_without_room_it_stays_shelved(site: Site) -> None:
    server = site.build()["id"]
    shelve(site, server)
    wanted = {"wanted_host": "elsewhere"}
    site.cloud.database.transact(lambda c: store.change(c, server, **wanted))
    site.act(server, "unshelve").expect(202)
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:task_state"]) == ("SHELVED_OFFLOADED", None)
    url = f"{ROOT}/servers/{server}/os-instance-actions"
    acts = site.member.get(url).expect(200)["instanceActions"]
    assert (acts[0]["action"], acts[0]["message"]) == ("unshelve", "Error")
    assert shelved_image(site)["status"] == "active"


def test_a_broken_off_shelving_is_told(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "shelve").expect(202)
    site.cloud.database.transact(lambda c: store.change(c, server, course=None))
    site.cloud.settle()
    assert "is not being copied any more" in site.show(server)["fault"]["message"]
