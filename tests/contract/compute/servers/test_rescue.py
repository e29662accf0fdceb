"""Rescuing: another disk boots, the own one stays, and the server is itself again afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.engine.protocol import Power, RescueSpec
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.contract.image.helpers import active
from tests.harness import unknown_id


def rescued(site: Site, server: str) -> RescueSpec | None:
    spec: RescueSpec | None = site.cloud.engine.servers[server].rescue
    return spec


def test_a_server_is_rescued_and_itself_again(site: Site) -> None:
    server = site.build()["id"]
    other = active(site.member, b"y" * 1024)["id"]
    asked = {"adminPass": "secret", "rescue_image_ref": other}
    assert site.act(server, "rescue", asked).expect(200) == {"adminPass": "secret"}
    assert site.show(server)["OS-EXT-STS:task_state"] == "rescuing"
    site.cloud.settle()
    shown = site.show(server)
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == ("RESCUE", "rescued")
    assert shown["OS-EXT-STS:power_state"] == 1
    assert shown["image"]["id"] == site.image
    spec = rescued(site, server)
    assert spec is not None
    assert (spec.disk.image_id, spec.last, spec.bus) == (other, False, "virtio")
    site.follow()
    assert site.status(server) == "RESCUE"
    assert site.act(server, "unrescue").expect(202) is None
    assert site.show(server)["OS-EXT-STS:task_state"] == "unrescuing"
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert rescued(site, server) is None
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    assert [each["action"] for each in acts["instanceActions"]] == ["unrescue", "rescue", "create"]


@pytest.mark.parametrize("body", [None, {}])
def test_its_own_image_is_the_default(site: Site, body: Any) -> None:
    server = site.build()["id"]
    assert len(site.act(server, "rescue", body).expect(200)["adminPass"]) == 12
    site.cloud.settle()
    spec = rescued(site, server)
    assert spec is not None
    assert spec.disk.image_id == site.image


@pytest.mark.parametrize("state", ["os-stop", "error"])
def test_what_is_off_or_faulty_is_rescued_too(site: Site, state: str) -> None:
    server = site.build()["id"]
    if state == "error":
        site.act(server, "os-resetState", {"state": "error"}, client=site.admin).expect(202)
    else:
        site.act(server, state).expect(202)
    site.cloud.settle()
    site.act(server, "rescue").expect(200)
    site.cloud.settle()
    assert site.status(server) == "RESCUE"
    site.act(server, "unrescue").expect(202)
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"


@pytest.mark.parametrize(
    ("properties", "device", "bus"),
    [
        ({"hw_rescue_device": "disk", "hw_rescue_bus": "virtio"}, "disk", "virtio"),
        ({"hw_rescue_bus": "usb"}, "disk", "usb"),
        ({"hw_rescue_device": "cdrom"}, "cdrom", "sata"),
        ({"hw_rescue_device": "cdrom", "hw_rescue_bus": "ide"}, "cdrom", "sata"),
        ({"hw_rescue_device": "cdrom", "hw_rescue_bus": "scsi"}, "cdrom", "scsi"),
    ],
)
def test_a_stable_rescue_leaves_the_own_devices_at_their_places(
    site: Site, properties: dict[str, str], device: str, bus: str
) -> None:
    server = site.build()["id"]
    image = active(site.member, b"y" * 1024, **properties)["id"]
    site.act(server, "rescue", {"rescue_image_ref": image}).expect(200)
    site.cloud.settle()
    spec = rescued(site, server)
    assert spec is not None
    assert (spec.last, spec.device, spec.bus) == (True, device, bus)


def test_what_cannot_rescue_is_refused(site: Site) -> None:
    server = site.build()["id"]
    wrong = active(site.member, b"y" * 1024, hw_rescue_bus="floppy")["id"]
    for reference, why in ((unknown_id(), "is not supported"), (wrong, "are offered"), (7, "7")):
        error = site.act(server, "rescue", {"rescue_image_ref": reference}).expect(400)
        assert why in error["badRequest"]["message"] or reference == 7
    assert site.act(server, "rescue", {"colour": "red"}).status == 400
    assert site.status(server) == "ACTIVE"


def test_states_locks_and_persons(site: Site) -> None:
    server = site.build()["id"]
    refused = site.act(server, "unrescue").expect(409)["conflictingRequest"]["message"]
    assert refused == f"Cannot 'unrescue' instance {server} while it is in vm_state active"
    assert site.act(server, "rescue", client=site.reader).status == 403
    assert site.act(server, "rescue", client=site.other).status == 404
    site.act(server, "rescue").expect(200)
    site.cloud.settle()
    for act, value in (("rescue", None), ("os-stop", None), ("pause", None),
                       ("createImage", {"name": "a"}), ("reboot", {"type": "HARD"})):  # fmt: skip
        assert site.act(server, act, value).status == 409, act
    site.act(server, "lock").expect(202)
    assert site.act(server, "unrescue").status == 409


def test_a_rescued_server_follows_its_host(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "rescue").expect(200)
    site.cloud.settle()
    site.cloud.engine.host_restarts()
    site.follow()
    assert site.status(server) == "RESCUE"
    assert site.cloud.engine.power[server].power is Power.ON
    assert rescued(site, server) is not None
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert site.cloud.engine.disks == set()


def test_a_failed_rescue_is_an_error_that_can_be_rescued_again(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.faults.fail("stop_server", permanent=True)
    site.act(server, "rescue").expect(200)
    site.cloud.settle()
    assert site.status(server) == "ERROR"
    site.act(server, "rescue").expect(200)
    site.cloud.settle()
    assert site.status(server) == "RESCUE"
