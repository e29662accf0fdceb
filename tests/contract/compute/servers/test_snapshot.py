"""Copies of a server's disk as images: snapshots and backups, of running and stopped servers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from andromede.config import Protection
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.contract.image.helpers import show

GIB = 1 << 30


def at(version: str) -> dict[str, str]:
    return {"OpenStack-API-Version": f"compute {version}"}


def snapshot(site: Site, server: str, name: str = "snap", **more: Any) -> str:
    made = site.act(server, "createImage", {"name": name, **more}).expect(202)
    return str(made["image_id"])


def backup(site: Site, server: str, name: str, kind: str = "daily", rotation: int = 2) -> str:
    body = {"name": name, "backup_type": kind, "rotation": rotation}
    return str(site.act(server, "createBackup", body).expect(202)["image_id"])


def images(site: Site) -> list[str]:
    listed = site.member.get("/image/v2/images?sort=created_at:asc").expect(200)["images"]
    return [each["name"] for each in listed if each.get("image_type")]


@pytest.mark.parametrize("state", ["active", "os-stop", "pause", "suspend"])
def test_a_snapshot_becomes_an_image_that_boots(site: Site, state: str) -> None:
    before = site.build()
    server = before["id"]
    if state != "active":
        site.act(server, state).expect(202)
        site.cloud.settle()
    status = site.status(server)
    image = snapshot(site, server, metadata={"colour": "red"})
    queued = show(site.member, image)
    assert (queued["status"], queued["name"]) == ("queued", "snap")
    assert site.show(server)["OS-EXT-STS:task_state"] == "image_snapshot_pending"
    site.cloud.settle()
    found = show(site.member, image)
    wanted = {
        "status": "active", "disk_format": "qcow2", "container_format": "bare",
        "visibility": "private", "min_disk": before["flavor"]["disk"], "colour": "red",
        "image_type": "snapshot", "instance_uuid": server, "base_image_ref": site.image,
        "owner": "p1", "owner_id": "p1", "user_id": "u1", "image_location": "snapshot",
        "image_state": "available", "virtual_size": before["flavor"]["disk"] * GIB,
    }  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted
    data = site.member.get(f"/image/v2/images/{image}/file")
    assert (data.status, len(data.body), data.body[:4]) == (200, found["size"], b"QFI\xfb")
    assert site.status(server) == status
    assert site.show(server)["OS-EXT-STS:task_state"] is None
    assert site.cloud.engine.copies[server] == {}
    assert site.build(imageRef=image)["image"]["id"] == image


def test_before_2_45_the_image_is_in_a_header(site: Site) -> None:
    server = site.build()["id"]
    url, body = f"{ROOT}/servers/{server}/action", {"createImage": {"name": "a b ✓"}}
    answer = site.member.post(url, body, headers=at("2.44"))
    assert (answer.status, answer.body) == (202, b"")
    image = answer.headers["location"].rpartition("/")[2]
    assert answer.headers["location"] == f"https://cloud.test:8443/image/v2/images/{image}"
    assert show(site.member, image)["name"] == "a b ✓"
    answer = site.member.post(url, body, headers=at("2.45"))
    assert answer.status == 409


def test_a_lock_does_not_forbid_it_but_a_state_does(site: Site) -> None:
    server = site.build()["id"]
    site.act(server, "lock").expect(202)
    snapshot(site, server)
    refused = site.act(server, "createImage", {"name": "b"}).expect(409)["conflictingRequest"]
    assert "task_state image_snapshot_pending" in refused["message"]
    assert site.act(server, "createImage", {"name": "b"}, client=site.reader).status == 403
    assert site.act(server, "createImage", {"name": "b"}, client=site.other).status == 404
    site.cloud.settle()
    assert images(site) == ["snap"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "a", "colour": 1}, 400),
        ({"name": "a", "metadata": {"a": {}}}, 400),
        ({"name": "a", "metadata": {str(n): "x" for n in range(200)}}, 403),
    ],
)
def test_bad_requests_are_refused(site: Site, body: dict[str, Any], status: int) -> None:
    server = site.build()["id"]
    site.act(server, "createImage", body).expect(status)
    assert images(site) == []
    assert site.show(server)["OS-EXT-STS:task_state"] is None


def test_a_property_that_is_protected_is_not_given_to_a_snapshot(site: Site) -> None:
    server = site.build()["id"]
    config = site.cloud.cloud.config
    rules = (Protection(name="licence", create=("admin",), read=("@",)),)
    site.cloud.cloud.config = msgspec.structs.replace(config, image_properties=rules)
    for act, more in (
        ("createImage", {}),
        ("createBackup", {"backup_type": "daily", "rotation": 1}),
    ):
        body = {"name": "a", "metadata": {"licence": "gpl"}, **more}
        refused = site.act(server, act, body).expect(403)
        assert "licence is protected" in refused["forbidden"]["message"]
    assert images(site) == []
    snapshot(site, server, metadata={"other": "1"})


def test_the_projects_images_are_bounded(site: Site) -> None:
    from andromede import quotas

    server = site.build()["id"]
    site.cloud.database.transact(
        lambda c: quotas.set_limits(c, "image", "p1", {"image_count_total": 1})
    )
    error = site.act(server, "createImage", {"name": "a"}).expect(403)["forbidden"]["message"]
    assert "image_count_total" in error
    site.cloud.database.transact(
        lambda c: quotas.set_limits(
            c, "image", "p1", {"image_count_total": 9, "image_size_total": 0}
        )
    )
    image = snapshot(site, server)
    site.cloud.settle()
    assert site.member.get(f"/image/v2/images/{image}").status == 404
    assert site.status(server) == "ACTIVE"
    assert not list(site.cloud.paths.images.glob(f"{image}*"))


def test_a_failure_leaves_the_server_as_it_was_and_no_image(site: Site) -> None:
    server = site.build()["id"]
    site.cloud.engine.faults.fail("copy_disk", permanent=True)
    image = snapshot(site, server)
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert site.member.get(f"/image/v2/images/{image}").status == 404
    acts = site.member.get(f"{ROOT}/servers/{server}/os-instance-actions").expect(200)
    assert acts["instanceActions"][0]["message"] == "Error"


def test_an_image_deleted_meanwhile_is_not_missed(site: Site) -> None:
    server = site.build()["id"]
    image = snapshot(site, server)
    assert site.member.delete(f"/image/v2/images/{image}").status == 204
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert not list(site.cloud.paths.images.glob(f"{image}*"))


def test_a_server_deleted_meanwhile_takes_the_image_along(site: Site) -> None:
    server = site.build()["id"]
    image = snapshot(site, server)
    assert site.member.delete(f"{ROOT}/servers/{server}").status == 204
    site.cloud.settle()
    assert site.member.get(f"/image/v2/images/{image}").status == 404


def test_a_reset_gives_the_image_up(site: Site) -> None:
    server = site.build()["id"]
    image = snapshot(site, server)
    site.act(server, "os-resetState", {"state": "active"}, client=site.admin).expect(202)
    site.cloud.settle()
    assert site.status(server) == "ACTIVE"
    assert site.member.get(f"/image/v2/images/{image}").status == 404


def test_backups_rotate_by_their_kind(site: Site) -> None:
    server, other = site.build()["id"], site.build()["id"]
    for name in ("d1", "d2", "d3"):
        image = backup(site, server, name)
        assert site.show(server)["OS-EXT-STS:task_state"] == "image_backup"
        site.cloud.settle()
    backup(site, server, "w1", "weekly", 1)
    backup(site, other, "o1", rotation=1)
    snapshot_body = {"name": "s1"}
    site.cloud.settle()
    site.act(server, "createImage", snapshot_body).expect(202)
    site.cloud.settle()
    assert sorted(images(site)) == ["d2", "d3", "o1", "s1", "w1"]
    found = show(site.member, image)
    assert (found["image_type"], found["backup_type"]) == ("backup", "daily")


def test_a_rotation_of_none_keeps_none(site: Site) -> None:
    server = site.build()["id"]
    backup(site, server, "d1")
    site.cloud.settle()
    body = {"name": "d2", "backup_type": "daily", "rotation": 0}
    assert site.act(server, "createBackup", body).expect(202) is None
    assert sorted(images(site)) == ["d1", "d2"]
    site.cloud.settle()
    assert images(site) == []
    for wrong in (-1, "x", 1.5):
        body = {"name": "a", "backup_type": "daily", "rotation": wrong}
        site.act(server, "createBackup", body).expect(400)
    assert site.act(server, "createBackup", {"name": "a"}).status == 400
