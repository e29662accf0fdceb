"""The data of images: what is stored, what is refused, and what is left of what went wrong."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from andromede.http.errors import BadRequest
from andromede.inspect.verdict import InspectionError
from andromede.quotas import set_limits
from andromede.services.image import api
from andromede.services.image.data import incoming, routes
from tests.contract.image.helpers import (
    OCTETS,
    active,
    create,
    files,
    put,
    refused,
    show,
)
from tests.harness import TestCloud, caller, unknown_id
from tests.policies import set_allowed_sites

DATA = os.urandom(3 * 1024 * 1024 + 17)


def test_what_is_uploaded_is_what_is_downloaded(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member, DATA)
    assert made["status"] == "active"
    assert made["size"] == len(DATA)
    assert made["virtual_size"] == -(-len(DATA) // 512) * 512
    assert made["checksum"] == hashlib.md5(DATA).hexdigest()
    assert made["os_hash_algo"] == "sha512"
    assert made["os_hash_value"] == hashlib.sha512(DATA).hexdigest()
    answer = member.get(f"/image/v2/images/{made['id']}/file")
    assert answer.status == 200
    assert answer.body == DATA
    assert answer.headers["content-md5"] == made["checksum"]
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-type"] == "application/octet-stream"
    head = member.call("HEAD", f"/image/v2/images/{made['id']}/file")
    assert (head.status, head.body) == (200, b"")
    assert files(cloud) == [made["id"]]


def test_an_image_without_data_has_no_content(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    answer = member.get(f"/image/v2/images/{create(member)['id']}/file")
    assert (answer.status, answer.body) == (204, b"")


def test_data_come_once(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member, b"first")
    assert put(member, made["id"], b"second").status == 409
    assert member.get(f"/image/v2/images/{made['id']}/file").body == b"first"


def test_deactivated_data_are_withheld(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    queued = create(member)["id"]
    assert member.post(f"/image/v2/images/{queued}/actions/deactivate").status == 400
    made = active(member, b"data")
    path = f"/image/v2/images/{made['id']}"
    for _ in range(2):
        assert member.post(f"{path}/actions/deactivate").status == 204
    assert show(member, made["id"])["status"] == "deactivated"
    assert member.get(f"{path}/file").status == 403
    assert cloud.as_(caller("admin")).get(f"{path}/file").body == b"data"
    with cloud.database.read() as connection, pytest.raises(BadRequest, match="deactivated"):
        api.image_for_boot(connection, caller(), made["id"])
    assert member.post(f"{path}/actions/reactivate").status == 204
    assert member.get(f"{path}/file").body == b"data"


def test_an_empty_disk_is_refused(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    answer = put(member, made["id"], b"")
    assert answer.status == 400
    assert b"empty" in answer.body
    refused(cloud, member, made["id"], made)


@pytest.mark.parametrize(
    ("data", "headers", "status", "says"),
    [
        (b"data", {"content-type": "application/json"}, 415, b"application/octet-stream"),
        (b"data", {"content-length": "99"}, 400, b"announced"),
        (b"data", {"content-length": "many"}, 400, b"content-length"),
        (b"data", {"x-openstack-image-size": "5"}, 400, b"different sizes"),
        (b"data", {"content-length": str(1 << 50)}, 413, b"at most"),
    ],
)
def test_refused_uploads_leave_nothing(
    cloud: TestCloud, data: bytes, headers: dict[str, str], status: int, says: bytes
) -> None:
    member = cloud.as_(caller())
    made = create(member)
    answer = put(member, made["id"], data, **headers)
    assert answer.status == status
    assert says in answer.body
    refused(cloud, member, made["id"], made)


def test_uploads_need_formats_and_an_image(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    bare = member.post("/image/v2/images", {}).expect(201)["id"]
    assert b"disk_format" in put(member, bare, b"data").body
    assert put(member, bare, b"data").status == 400
    assert put(member, unknown_id(), b"data").status == 404
    assert put(member, "nonsense", b"data").status == 404
    community = create(member, visibility="community")
    assert put(cloud.as_(caller(project="p2")), community["id"], b"data").status == 403
    assert files(cloud) == []


def test_the_largest_image_is_configured(cloud: TestCloud) -> None:
    cloud.cloud.config = msgspec.structs.replace(cloud.config, largest_image=4)
    member = cloud.as_(caller())
    made = create(member)
    path = f"/image/v2/images/{made['id']}/file"
    announced = put(member, made["id"], b"12345")
    assert announced.status == 413
    endless = chunked(cloud, path, [b"123", b"45"])
    assert endless == 413
    refused(cloud, member, made["id"], made)


def chunked(cloud: TestCloud, path: str, parts: list[bytes], *, leave: bool = False) -> int:
    """The status of an upload that announces no size, and perhaps leaves before its end."""
    token = msgspec.json.encode(caller()).decode()
    headers = {"x-auth-token": token, **OCTETS}
    feed: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    feed.append({"type": "http.disconnect"} if leave else {"type": "http.request", "body": b""})
    sent: list[Any] = []

    async def receive() -> Any:
        return feed.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "PUT", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    cloud.public.turns.clear()
    asyncio.run(cloud.public(scope, receive, send))
    return int(sent[0]["status"])


def test_a_client_that_leaves_changes_nothing(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    assert chunked(cloud, f"/image/v2/images/{made['id']}/file", [DATA], leave=True) == 400
    refused(cloud, member, made["id"], made)


def test_a_client_that_falls_silent_is_given_up(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "IDLE", 0.01)
    member = cloud.as_(caller())
    made = create(member)
    path = f"/image/v2/images/{made['id']}/file"
    token = msgspec.json.encode(caller()).decode()
    sent: list[Any] = []

    async def run() -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [
            (b"x-auth-token", token.encode()),
            (b"content-type", b"application/octet-stream"),
        ]
        scope = {
            "type": "http", "method": "PUT", "path": path, "raw_path": path.encode(),
            "query_string": b"", "headers": headers,
        }  # fmt: skip
        cloud.public.turns.clear()
        await cloud.public(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 408
    monkeypatch.undo()
    refused(cloud, member, made["id"], made)


def test_a_full_disk_refuses_and_keeps_nothing(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = cloud.as_(caller())
    made = create(member)
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(incoming.os, "write", full)
    answer = put(member, made["id"], b"data")
    monkeypatch.setattr(incoming.os, "write", real)
    assert answer.status == 413
    assert b"storage media is full" in answer.body
    refused(cloud, member, made["id"], made)


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 413), (errno.EIO, 500)])
def test_a_disk_that_fails_at_the_end_keeps_nothing(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    member = cloud.as_(caller())
    made = create(member)
    real = os.fsync

    def broken(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(incoming.os, "fsync", broken)
    assert put(member, made["id"], b"data").status == status
    monkeypatch.setattr(incoming.os, "fsync", real)
    refused(cloud, member, made["id"], made)


def test_more_than_is_free_is_refused_at_once(cloud: TestCloud) -> None:
    there = os.statvfs(cloud.paths.images)
    beyond = there.f_blocks * there.f_frsize + (1 << 40)
    cloud.database.transact(lambda c: set_limits(c, "image", "p1", {"image_size_total": -1}))
    cloud.cloud.config = msgspec.structs.replace(cloud.config, largest_image=beyond)
    member = cloud.as_(caller())
    made = create(member)
    answer = put(member, made["id"], b"data", **{"content-length": str(beyond)})
    assert answer.status == 413
    assert b"are free" in answer.body


def test_a_projects_bytes_are_limited(cloud: TestCloud) -> None:
    cloud.database.transact(lambda c: set_limits(c, "image", "p1", {"image_size_total": 1}))
    member = cloud.as_(caller())
    active(member, bytes(1 << 20))
    made = create(member)
    answer = put(member, made["id"], b"1")
    assert answer.status == 413
    assert b"image_size_total" in answer.body
    with cloud.database.read() as connection:
        assert api.usage(connection, "p1") == {"images": 2, "bytes": 1 << 20}


def test_admission_decides_where_data_lie(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    answer = put(member, made["id"], b"data")
    assert answer.status == 403
    assert b"allowed_sites" in answer.body
    cloud.database.transact(lambda c: set_allowed_sites(c, "p1", None))
    refused(cloud, member, made["id"], made)


def test_without_inspection_nothing_is_accepted(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    judge, cloud.cloud.inspect = cloud.cloud.inspect, None
    assert put(member, made["id"], b"data").status == 503
    cloud.cloud.inspect = judge
    refused(cloud, member, made["id"], made)


def test_a_broken_inspection_is_not_the_customers_fault(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    judge = cloud.cloud.inspect

    def broken(_: int, __: str) -> Any:
        raise InspectionError("the jail is closed")

    cloud.cloud.inspect = broken
    answer = put(member, made["id"], b"data")
    assert answer.status == 503
    assert b"the jail is closed" in answer.body
    cloud.cloud.inspect = judge
    refused(cloud, member, made["id"], made)


def test_an_image_deleted_during_its_upload_leaves_nothing(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    judge = cloud.cloud.inspect
    assert judge is not None

    def delete_then_judge(descriptor: int, declared: str) -> Any:
        assert member_elsewhere(cloud, made["id"]) == 204
        return judge(descriptor, declared)

    cloud.cloud.inspect = delete_then_judge
    assert put(member, made["id"], b"data").status == 410
    cloud.settle()
    assert files(cloud) == []


def test_an_image_deleted_and_removed_during_its_upload_leaves_nothing(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    judge = cloud.cloud.inspect
    assert judge is not None

    def delete_then_judge(descriptor: int, declared: str) -> Any:
        assert member_elsewhere(cloud, made["id"]) == 204
        cloud.settle()
        return judge(descriptor, declared)

    cloud.cloud.inspect = delete_then_judge
    assert put(member, made["id"], b"data").status == 410
    assert files(cloud) == []


def member_elsewhere(cloud: TestCloud, image_id: str) -> int:
    return cloud.as_(caller()).delete(f"/image/v2/images/{image_id}").status


def test_one_upload_at_a_time(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = create(member)
    path = cloud.paths.images / f"{made['id']}.part"
    with path.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert put(member, made["id"], b"data").status == 409
        assert api.clean(cloud.paths, cloud.database) == []
    assert put(member, made["id"], b"data").status == 204


def test_missing_data_are_an_error_not_an_empty_file(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member)
    Path(cloud.paths.images / made["id"]).unlink()
    assert member.get(f"/image/v2/images/{made['id']}/file").status == 500
