"""Images to upload, and what tests do again and again with them."""

from __future__ import annotations

import os
import struct
from typing import Any

from tests.harness import Answer, Client, TestCloud

BARE = {"disk_format": "raw", "container_format": "bare"}
OCTETS = {"content-type": "application/octet-stream"}
PATCH = {"content-type": "application/openstack-images-v2.1-json-patch"}
OLD_PATCH = {"content-type": "application/openstack-images-v2.0-json-patch"}


CLUSTER = 1 << 16


def qcow2(size: int = 1 << 20, backing: int = 0) -> bytes:
    """A qcow2 disk of `size` bytes with nothing in it: its header, refcount and L1 tables."""
    tables = (2 * CLUSTER, CLUSTER, 1)  # the L1 table, the refcount table, clusters of the latter
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, backing, 4, 16, size, 0, 1, *tables, 0, 0)
    more = struct.pack(">QQQII", 0, 0, 0, 4, 104)
    return (head + more).ljust(3 * CLUSTER, b"\0")


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


def stage(client: Client, image_id: str, data: bytes, **headers: str) -> Answer:
    return client.put(f"/image/v2/images/{image_id}/stage", raw=data, headers=OCTETS | headers)


def importing(client: Client, data: bytes = b"data", **attributes: Any) -> dict[str, Any]:
    """An image whose staged data are to be imported by the worker."""
    image = create(client, **attributes)
    assert stage(client, image["id"], data).status == 204
    body = {"method": {"name": "glance-direct"}}
    assert client.post(f"/image/v2/images/{image['id']}/import", body).status == 202
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
