"""Parts of an image's data, as clients of now and of old ask for them."""

from __future__ import annotations

import pytest

from tests.contract.image.helpers import active
from tests.harness import TestCloud, caller


@pytest.mark.parametrize(
    ("asked", "status", "part", "shown"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-30", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=5-4", 416, None, "bytes */10"),
        ("bytes=-", 416, None, "bytes */10"),
        ("pages=1-2", 416, None, "bytes */10"),
    ],
)
def test_ranges(cloud: TestCloud, asked: str, status: int, part: bytes | None, shown: str) -> None:
    member = cloud.as_(caller())
    made = active(member, b"0123456789")
    answer = member.get(f"/image/v2/images/{made['id']}/file", headers={"range": asked})
    assert answer.status == status
    assert answer.headers["content-range"] == shown
    assert part is None or answer.body == part


def test_one_range_at_a_time(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    path = f"/image/v2/images/{active(member, b'0123456789')['id']}/file"
    assert member.get(path, headers={"range": "bytes=0-1,4-5"}).status == 400
    part = member.get(path, headers={"range": "bytes=2-3"})
    assert (part.headers["content-length"], part.headers["accept-ranges"]) == ("2", "bytes")
    head = member.call("HEAD", path, headers={"range": "bytes=2-3"})
    assert (head.status, head.body, head.headers["content-length"]) == (206, b"", "2")


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes 2-5/*", 206, b"2345"), ("bytes 2-5/10", 206, b"2345"),
        ("bytes 0-9/*", 206, b"0123456789"), ("bytes 2-10/*", 416, None),
        ("bytes 10-11/12", 416, None), ("bytes 5-2/*", 416, None), ("bytes */10", 416, None),
        ("nonsense", 416, None),
    ],
)  # fmt: skip
def test_clients_of_old_ask_by_content_range(
    cloud: TestCloud, asked: str, status: int, part: bytes | None
) -> None:
    member = cloud.as_(caller())
    path = f"/image/v2/images/{active(member, b'0123456789')['id']}/file"
    answer = member.get(path, headers={"content-range": asked})
    assert answer.status == status
    assert part is None or answer.body == part
    both = member.get(path, headers={"content-range": asked, "range": "bytes=0-0"})
    assert (both.status, both.body) == (206, b"0")
