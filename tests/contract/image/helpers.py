"""Images to upload, and what tests do again and again with them."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Any

from tests.harness import Answer, Client, TestCloud

BARE = {"disk_format": "raw", "container_format": "bare"}
OCTETS = {"content-type": "application/octet-stream"}
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}
OLD_PATCH = {"content-type": "application/openstack-images-v2.0-json-patch"}


@dataclass(frozen=True)
class Found:
    format_declared: str
    format_found: str
    virtual_size: int
    ok: bool
    reason: str | None


def judge(descriptor: int, declared: str) -> Found:
    """An inspection that knows raw and qcow2, and one fault: a backing file."""
    head = os.pread(descriptor, 32, 0)
    found = "qcow2" if head.startswith(b"QFI\xfb") else "raw"
    size = os.fstat(descriptor).st_size
    reason = None
    if found != declared:
        reason = f"declared as {declared}, but the content is {found}"
    elif found == "qcow2":
        backing, size = struct.unpack(">8xQ8xQ", head)
        reason = "it has a backing file" if backing else None
    return Found(declared, found, size, reason is None, reason)


def qcow2(size: int = 1 << 20, backing: int = 0) -> bytes:
    """The beginning of a qcow2 disk of `size` bytes."""
    return struct.pack(">4sIQIIQ", b"QFI\xfb", 3, backing, 0, 16, size) + bytes(480)


def create(client: Client, **attributes: Any) -> dict[str, Any]:
    created: dict[str, Any] = client.post("/image/v2/images", {**BARE, **attributes}).expect(201)
    return created


def put(client: Client, image_id: str, data: bytes, **headers: str) -> Answer:
    return client.put(f"/image/v2/images/{image_id}/file", raw=data, headers=OCTETS | headers)


def show(client: Client, image_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"/image/v2/images/{image_id}").expect(200)
    return shown


def active(client: Client, data: bytes = b"data", **attributes: Any) -> dict[str, Any]:
    """An image with data."""
    image = create(client, **attributes)
    assert put(client, image["id"], data).status == 204
    return show(client, image["id"])


def patch(client: Client, image_id: str, *changes: object) -> Answer:
    return client.patch(f"/image/v2/images/{image_id}", list(changes), headers=PATCH)


def replace(name: str, value: object) -> dict[str, object]:
    return {"op": "replace", "path": f"/{name}", "value": value}


def names(client: Client, query: str = "") -> list[str]:
    """The names that a list shows."""
    body = client.get(f"/image/v2/images{query}").expect(200)
    return [image["name"] for image in body["images"]]


def files(cloud: TestCloud) -> list[str]:
    return sorted(os.listdir(cloud.paths.images))


def refused(cloud: TestCloud, client: Client, image_id: str, before: dict[str, Any]) -> None:
    """Nothing is left of an upload that was refused, and another may follow."""
    assert files(cloud) == []
    assert show(client, image_id) == before
    assert put(client, image_id, b"good").status == 204
