"""Lists of flavors: pages, filters and orders, and what of them is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services.compute import SERVICE
from tests.harness import Client, TestCloud, caller

NEWEST = {"OpenStack-API-Version": "compute 2.96"}
ROOT = "/compute/v2.1/flavors"
SIZES = {"a": (512, 1, 0), "b": (256, 4, 20), "c": (1024, 2, 20), "d": (1024, 1, 5)}


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [SERVICE], url=database_url)
    admin = cloud.as_(caller("admin"), private=True, **NEWEST)
    for name, (ram, vcpus, disk) in SIZES.items():
        flavor = {"name": f"flavor-{name}", "id": name, "ram": ram, "vcpus": vcpus, "disk": disk}
        if name == "d":
            flavor["os-flavor-access:is_public"] = False
        admin.post(ROOT, {"flavor": flavor}).expect(200)
    yield cloud
    cloud.close()


@pytest.fixture
def admin(cloud: TestCloud) -> Client:
    return cloud.as_(caller("admin", "ops"), private=True, **NEWEST)


def names(client: Client, query: str = "") -> str:
    body = client.get(f"{ROOT}/detail?{query}").expect(200)
    return "".join(each["id"] for each in body["flavors"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abc"),
        ("is_public=None", "abcd"),
        ("is_public=False", "d"),
        ("is_public=1", "abc"),
        ("minRam=512", "ac"),
        ("minDisk=20", "bc"),
        ("minDisk=20&minRam=500", "c"),
        ("sort_key=memory_mb&is_public=None", "bacd"),
        ("sort_key=memory_mb&sort_dir=desc&is_public=None", "dcab"),
        ("sort_key=vcpus", "acb"),
        ("sort_key=disabled", "abc"),
        ("sort_key=description&sort_dir=desc", "cba"),
        ("limit=2", "ab"),
        ("limit=2&marker=b", "c"),
        ("limit=0", ""),
        ("sort_key=memory_mb&marker=a&is_public=None", "cd"),
        ("sort_key=memory_mb&sort_dir=desc&marker=c&is_public=None", "ab"),
        ("sort_key=rxtx_factor&marker=a", "bc"),
        ("sort_key=is_public&is_public=None", "dabc"),
    ],
)
def test_filters_orders_and_pages(admin: Client, query: str, found: str) -> None:
    assert names(admin, query) == found


def test_members_see_public_flavors_whatever_they_ask(cloud: TestCloud) -> None:
    assert names(cloud.as_(caller(), **NEWEST), "is_public=None") == "abc"


def test_pages_link_to_the_next(admin: Client) -> None:
    seen = []
    path = f"{ROOT}?limit=1&minRam=256"
    for _ in range(9):
        body = admin.get(path).expect(200)
        seen += [each["id"] for each in body["flavors"]]
        if "flavors_links" not in body:
            break
        (link,) = body["flavors_links"]
        assert link["rel"] == "next"
        assert "minRam=256" in link["href"]
        path = link["href"].removeprefix("https://cloud.test:8444")
    assert seen == ["a", "b", "c"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=x", "marker=none", "minRam=x", "minDisk=1.5", "sort_key=colour",
        "sort_dir=up", "is_public=perhaps", "colour=red",
    ],
)  # fmt: skip
def test_bad_queries_are_refused(admin: Client, query: str) -> None:
    admin.get(f"{ROOT}?{query}").expect(400)


def test_unknown_parameters_pass_before_2_75(cloud: TestCloud) -> None:
    old = cloud.as_(caller(), **{"OpenStack-API-Version": "compute 2.74"})
    assert names(old, "colour=red") == "abc"
