"""Rebuilding: a new disk under the same id, with what the request names, at each microversion."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from andromede.engine.protocol import Power
from andromede.services.compute.servers import passwords
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.contract.image.helpers import active
from tests.harness import unknown_id


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def rebuild(site: Site, server: str, version: str = "2.96", **asked: Any) -> Any:
    url = f"{ROOT}/servers/{server}/action"
    body = {"rebuild": {"imageRef": site.image, **asked}}
    return site.member.post(url, body, headers=at(version))


def test_a_server_is_rebuilt_from_another_image(site: Site) -> None:
    before = site.build(metadata={"a": "1"})
    server, engine = before["id"], site.cloud.engine
    other = active(site.member, b"y" * 1024)["id"]
    data = base64.b64encode(b"#!/bin/sh").decode()
    answer = rebuild(
        site, server, imageRef=other, name="new", description="d", metadata={"b": "2"},
        user_data=data, adminPass="secret", accessIPv4="192.0.2.1", hostname="host.example",
        accessIPv6="2001:db8::1", preserve_ephemeral=False, **{"OS-DCF:diskConfig": "AUTO"},
    )  # fmt: skip
    shown = answer.expect(202)["server"]
    assert answer.headers["location"].endswith(f"/servers/{server}")
    assert (shown["status"], shown["adminPass"], shown["user_data"]) == ("REBUILD", "secret", data)
    assert engine.sizes[server][0] == 0
    site.cloud.settle()
    shown = site.show(server)
    for name, value in (
        ("status", "ACTIVE"), ("name", "new"), ("description", "d"), ("metadata", {"b": "2"}),
        ("OS-EXT-SRV-ATTR:user_data", data), ("OS-EXT-SRV-ATTR:hostname", "host.example"),
        ("accessIPv4", "192.0.2.1"), ("accessIPv6", "2001:db8::1"), ("OS-DCF:diskConfig", "AUTO"),
        ("addresses", before["addresses"]), ("id", before["id"]), ("created", before["created"]),
    ):  # fmt: skip
        assert shown[name] == value, name
    assert shown["image"]["id"] == other
    assert engine.servers[server].disk.image_id == other
    assert engine.sizes[server][0] == 1


def test_what_is_not_named_stays(site: Site) -> None:
    key = site.member.post(f"{ROOT}/os-keypairs", {"keypair": {"name": "k", "public_key": KEY}})
    assert key.status == 201
    before = site.build(key_name="k", metadata={"a": "1"}, description="d")
    rebuild(site, before["id"]).expect(202)
    site.cloud.settle()
    after = site.show(before["id"])
    for name in ("name", "metadata", "description", "key_name", "hostId", "OS-DCF:diskConfig"):
        assert after[name] == before[name], name
    shown = rebuild(site, before["id"], key_name=None, user_data=None).expect(202)["server"]
    assert shown["key_name"] is None
    site.cloud.settle()
    shown = rebuild(site, before["id"], key_name="k").expect(202)["server"]
    assert shown["key_name"] == "k"


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5pTOlNuCpUHRyZSAiCHQFFr2xvbGmXgmoO4Ll0sNk3 someone"


@pytest.mark.parametrize("state", ["stopped", "error"])
def test_a_stopped_server_stays_off_and_a_faulty_one_recovers(site: Site, state: str) -> None:
    server = site.build()["id"]
    if state == "stopped":
        site.act(server, "os-stop").expect(202)
    else:
        site.act(server, "os-resetState", {"state": "error"}, client=site.admin).expect(202)
    site.cloud.settle()
    shown = rebuild(site, server).expect(202)["server"]
    assert shown["status"] == "REBUILD"
    site.cloud.settle()
    assert site.status(server) == ("SHUTOFF" if state == "stopped" else "ACTIVE")
    wanted = Power.OFF if state == "stopped" else Power.ON
    assert site.cloud.engine.power[server].power is wanted
    assert site.cloud.engine.sizes[server][0] == 1


def test_the_password_is_said_once_and_by_the_config_drive_alone(site: Site) -> None:
    made = site.create(config_drive=True, adminPass="first").expect(202)["server"]
    assert made["adminPass"] == "first"
    site.cloud.settle()
    server = made["id"]

    def told() -> object:
        drive = site.cloud.engine.servers[server].config_drive
        assert drive is not None
        return json.loads(drive["openstack/latest/meta_data.json"]).get("admin_pass")

    assert told() == "first"
    site.act(server, "reboot", {"type": "HARD"}).expect(202)
    site.cloud.settle()
    assert told() is None
    given = rebuild(site, server).expect(202)["server"]["adminPass"]
    site.cloud.settle()
    assert told() == given


def test_passwords_are_long_and_differ() -> None:
    found = {passwords.chosen(None) for _ in range(50)}
    assert len(found) == 50
    for each in found:
        assert len(each) == passwords.LENGTH
        assert all(set(each) & set(kind) for kind in passwords.SYMBOLS)


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"imageRef": ""}, 400, "imageRef"),
        ({"imageRef": unknown_id()}, 400, "Cannot find image for rebuild"),
        ({"key_name": "none"}, 400, "Invalid key_name provided."),
        ({"user_data": "%"}, 400, "base64"),
        ({"name": ""}, 400, "name"),
        ({"hostname": "-"}, 400, "hostname"),
        ({"metadata": {"a": True}}, 400, "metadata"),
        ({"metadata": {str(n): "x" for n in range(200)}}, 403, "metadata items"),
        ({"accessIPv4": "::1"}, 400, "accessIPv4"),
        ({"trusted_image_certificates": ["a"]}, 400, "signatures"),
        ({"preserve_ephemeral": "perhaps"}, 400, "preserve_ephemeral"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
def test_bad_requests_change_nothing(
    site: Site, asked: dict[str, Any], status: int, why: str
) -> None:
    before = site.build()
    [error] = rebuild(site, before["id"], **asked).expect(status).values()
    assert why in error["message"]
    assert site.show(before["id"]) == before


def test_states_locks_and_persons(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "pause").expect(202)
    site.cloud.settle()
    refused = rebuild(site, server).expect(409)["conflictingRequest"]["message"]
    assert refused == f"Cannot 'rebuild' instance {server} while it is in vm_state paused"
    site.act(server, "lock").expect(202)
    assert "locked" in rebuild(site, server).expect(409)["conflictingRequest"]["message"]
    body = {"imageRef": site.image}
    assert site.act(server, "rebuild", body, client=site.reader).status == 403
    assert site.act(server, "rebuild", body, client=site.other).status == 404


@pytest.mark.parametrize(
    ("version", "absent", "present", "refused"),
    [
        ("2.1", ["locked", "description", "key_name", "user_data", "config_drive"],
         ["adminPass", "status", "image"], "description"),
        ("2.18", ["description", "key_name"], ["locked"], "description"),
        ("2.19", ["key_name", "tags"], ["locked", "description"], "key_name"),
        ("2.54", ["user_data", "config_drive"], ["key_name", "tags"], "user_data"),
        ("2.57", ["trusted_image_certificates"], ["user_data"], "trusted_image_certificates"),
        ("2.74", ["OS-EXT-STS:vm_state", "config_drive"], ["locked_reason"], "hostname"),
        ("2.75", ["pinned_availability_zone"], ["OS-EXT-STS:vm_state", "config_drive"], "hostname"),
    ],
)  # fmt: skip
def test_each_version_says_and_accepts_its_own(
    site: Site, version: str, absent: list[str], present: list[str], refused: str
) -> None:
    server = site.build()["id"]
    error = rebuild(site, server, version, **{refused: None}).expect(400)["badRequest"]
    assert refused in error["message"]
    shown = rebuild(site, server, version).expect(202)["server"]
    assert not set(absent) & set(shown)
    assert set(present) <= set(shown)
    site.cloud.settle()
    if version == "2.75":
        error = rebuild(site, server, "2.90", hostname="a.b").expect(400)["badRequest"]
        assert "2.94" in error["message"]
    if version == "2.1":
        error = rebuild(site, server, version, personality=[{"path": "a", "contents": ""}])
        assert "injected" in error.expect(400)["badRequest"]["message"]


def test_a_disk_that_is_too_small_is_refused(site: Site) -> None:
    server = site.build()["id"]
    large = active(site.member, b"x" * 1024, min_disk=1000)["id"]
    error = rebuild(site, server, imageRef=large).expect(400)["badRequest"]["message"]
    assert "too small" in error
