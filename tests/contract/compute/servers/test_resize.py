"""Resizing: the flavor changes, is confirmed or taken back, and what it claims follows."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.engine.protocol import Power
from andromede.services.compute.servers import store
from tests.contract.compute.servers.helpers import ROOT, Site

GIB = 1 << 30


def flavor(site: Site, name: str, ram: int, vcpus: int, disk: int, **more: Any) -> str:
    body = {"flavor": {"name": name, "ram": ram, "vcpus": vcpus, "disk": disk, **more}}
    return str(site.admin.post(f"{ROOT}/flavors", body).expect(200)["flavor"]["id"])


def small(site: Site) -> str:
    return flavor(site, "small", 512, 1, 2)


def large(site: Site) -> str:
    return flavor(site, "large", 1024, 2, 4)


def claims(site: Site, server: str) -> tuple[int, int, int]:
    with site.cloud.database.read() as connection:
        row = store.get(connection, server)
    assert row is not None
    return row.vcpus, row.memory, row.disk


def resize(site: Site, server: str, to: object, status: int = 202) -> Any:
    return site.act(server, "resize", {"flavorRef": to}).expect(status)


def spec(site: Site, server: str) -> tuple[int, int]:
    document = site.cloud.engine.servers[server]
    return document.vcpus, document.memory >> 20


def test_a_resize_is_confirmed(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    resize(site, server, large(site))
    assert site.status(server) == "RESIZE"
    site.cloud.settle()
    shown = site.show(server, site.member)
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == ("VERIFY_RESIZE", "resized")
    assert (shown["OS-EXT-STS:power_state"], shown["flavor"]["original_name"]) == (1, "large")
    assert spec(site, server) == (2, 1024)
    assert site.cloud.engine.sizes[server] == (0, 4 * GIB)
    assert site.cloud.engine.kept[server] == (0, 2 * GIB)
    assert site.act(server, "confirmResize").status == 204
    assert site.status(server) == "VERIFY_RESIZE"
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert claims(site, server) == (2, 1024, 4)
    assert site.cloud.engine.kept == {}
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    names = [each["action"] for each in acts["instanceActions"]]
    assert names == ["confirmResize", "resize", "create"]


def test_a_resize_is_taken_back_with_its_disk(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    resize(site, server, large(site))
    site.cloud.settle()
    assert site.act(server, "revertResize").status == 202
    assert site.status(server) == "REVERT_RESIZE"
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["flavor"]["original_name"]) == ("ACTIVE", "small")
    assert spec(site, server) == (1, 512)
    assert site.cloud.engine.sizes[server] == (0, 2 * GIB)
    assert claims(site, server) == (1, 512, 2)
    assert site.cloud.engine.power[server].power is Power.ON


def test_what_was_off_stays_off(site: Site) -> None:
    small_, large_ = small(site), large(site)
    for act, name in (("confirmResize", "large"), ("revertResize", "small")):
        server = site.build(flavorRef=small_)["id"]
        site.act(server, "os-stop").expect(202)
        site.cloud.settle()
        resize(site, server, large_)
        site.cloud.settle()
        shown = site.show(server)
        assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("VERIFY_RESIZE", 4)
        site.act(server, act)
        site.cloud.settle()
        shown = site.show(server)
        assert (shown["status"], shown["flavor"]["original_name"]) == ("SHUTOFF", name)
        assert site.cloud.engine.power[server].power is Power.OFF


def test_both_flavors_have_their_room_until_one_is_chosen(site: Site) -> None:
    tall, wide = flavor(site, "tall", 2048, 1, 2), flavor(site, "wide", 512, 4, 3)
    server = site.build(flavorRef=tall)["id"]
    resize(site, server, wide)
    site.cloud.settle()
    assert claims(site, server) == (4, 2048, 3)
    assert spec(site, server) == (4, 512)
    site.act(server, "confirmResize")
    site.cloud.settle()
    assert claims(site, server) == (4, 512, 3)


def test_a_guest_that_does_not_end_itself_loses_its_power(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    site.cloud.engine.shutdown_ignored.add(server)
    resize(site, server, large(site))
    site.cloud.settle()
    assert site.status(server) == "VERIFY_RESIZE"


def test_without_room_the_server_stays_as_it_was(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    for quota in ("cores", "ram"):
        limit = {"quota_set": {quota: -1}}
        site.admin.put(f"{ROOT}/os-quota-sets/p1", limit)
    resize(site, server, flavor(site, "huge", 512, 1, 100_000))
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["flavor"]["original_name"]) == ("ACTIVE", "small")
    assert claims(site, server) == (1, 512, 2)
    url = f"{ROOT}/servers/{server}/os-instance-actions"
    newest = site.admin.get(url).expect(200)["instanceActions"][0]
    assert (newest["action"], newest["message"]) == ("resize", "Error")
    [event] = site.admin.get(f"{url}/{newest['request_id']}").expect(200)["instanceAction"][
        "events"
    ]
    assert "No valid host was found. 100000 GiB of disk are needed" in event["details"]
    resize(site, server, large(site))
    site.cloud.settle()
    assert site.status(server) == "VERIFY_RESIZE"


def test_its_host_is_away(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    resize(site, server, large(site))
    site.cloud.database.transact(lambda c: store.change(c, server, host="elsewhere"))
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("same", "When resizing, instances must change flavor!"),
        ("none", "Resize to zero disk flavor is not allowed."),
        ("less", "a disk of at least the same size is accepted"),
        ("missing", "could not be found"),
        (None, "flavorRef"),
        ({}, "flavorRef"),
    ],
)
def test_what_cannot_be_had_is_refused(site: Site, asked: Any, why: str) -> None:
    one = small(site)
    made = {
        "same": one, "none": flavor(site, "none", 512, 1, 0), "less": flavor(site, "less", 512, 1, 1)
    }  # fmt: skip
    before = site.build(flavorRef=one)
    to = made.get(asked, asked) if isinstance(asked, str) else asked
    error = resize(site, before["id"], to, 400)["badRequest"]
    assert why in error["message"]
    assert site.show(before["id"]) == before


def test_quotas_hold(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    error = resize(site, server, flavor(site, "wide", 512, 100, 2), 403)["forbidden"]["message"]
    assert error.startswith("Quota exceeded for cores: Requested 99, but already used 1 of 20")
    error = resize(site, server, flavor(site, "tall", 512_000, 1, 2), 403)["forbidden"]["message"]
    assert error.startswith("Quota exceeded for ram")


def test_states_and_locks(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    for act in ("confirmResize", "revertResize"):
        refused = site.act(server, act).expect(409)["conflictingRequest"]["message"]
        assert refused == f"Cannot '{act}' instance {server} while it is in vm_state active"
    resize(site, server, large(site))
    site.cloud.settle()
    resize(site, server, "x", 409)
    site.act(server, "confirmResize", client=site.reader).expect(403)
    site.act(server, "confirmResize")
    assert site.act(server, "confirmResize").status == 409
    site.cloud.settle()
    body = {"flavorRef": "x", "OS-DCF:diskConfig": "AUTO"}
    assert site.act(server, "resize", body).status == 400
    assert site.act(server, "resize", {**body, "OS-DCF:diskConfig": "NO"}).status == 400


def test_the_disk_config_may_be_named(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    body = {"flavorRef": large(site), "OS-DCF:diskConfig": "AUTO"}
    site.act(server, "resize", body).expect(202)
    site.cloud.settle()
    assert site.show(server)["OS-DCF:diskConfig"] == "AUTO"


def test_a_resized_server_follows_its_machine(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    resize(site, server, large(site))
    site.cloud.settle()
    site.cloud.engine.host_restarts()
    site.follow()
    assert site.cloud.engine.power[server].power is Power.ON
    site.cloud.engine.guest_powers_off(server)
    site.follow()
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("VERIFY_RESIZE", 4)
    site.act(server, "confirmResize")
    site.cloud.settle()
    assert site.status(server) == "SHUTOFF"


def test_a_resize_that_an_operator_broke_off_is_told(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    resize(site, server, large(site))
    site.cloud.database.transact(lambda c: store.change(c, server, course=None))
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert claims(site, server) == (1, 512, 2)


def test_deleting_a_resized_server_leaves_nothing(site: Site) -> None:
    server = site.build(flavorRef=small(site))["id"]
    resize(site, server, large(site))
    site.cloud.settle()
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    engine = site.cloud.engine
    assert (engine.disks, engine.kept, engine.sizes) == (set(), {}, {})
