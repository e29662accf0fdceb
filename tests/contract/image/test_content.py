"""What is in an image: refused when hostile, marked when it is not what it says, and what boots."""

from __future__ import annotations

import pytest

from andromede.http.errors import BadRequest, NotFound
from andromede.services.image import api
from tests.contract.image.helpers import active, create, files, put, qcow2, show
from tests.harness import TestCloud, caller


def test_hostile_content_is_refused(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member, disk_format="qcow2")
    answer = put(member, made["id"], qcow2(backing=512))
    assert answer.status == 400
    assert b"backing file" in answer.body
    assert files(cloud) == []
    assert show(member, made["id"]) == made
    assert put(member, made["id"], qcow2(5 << 20)).status == 204
    assert show(member, made["id"])["virtual_size"] == 5 << 20


def test_content_that_is_not_what_it_says_is_marked_and_never_boots(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member, qcow2())
    assert made["status"] == "active"
    assert made["andromede_content"] == "mismatch"
    assert made["andromede_content_found"] == "qcow2"
    assert "declared as raw" in made["andromede_content_reason"]
    with cloud.database.read() as connection, pytest.raises(BadRequest, match="cannot be booted"):
        api.image_for_boot(connection, caller(), made["id"])


def test_what_boots(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member, qcow2(5 << 20), disk_format="qcow2", min_disk=1, hw_disk_bus="virtio")
    ova = active(member, b"x", container_format="ova")
    queued = create(member)
    with cloud.database.read() as connection:
        found = api.image_for_boot(connection, caller(), made["id"])
        assert (found.disk_format, found.virtual_size, found.min_disk) == ("qcow2", 5 << 20, 1)
        assert (found.size, found.properties) == (made["size"], {"hw_disk_bus": "virtio"})
        with pytest.raises(BadRequest, match="container format"):
            api.image_for_boot(connection, caller(), ova["id"])
        with pytest.raises(BadRequest, match="queued"):
            api.image_for_boot(connection, caller(), queued["id"])
        with pytest.raises(NotFound):
            api.image_for_boot(connection, caller(project="p2"), made["id"])
