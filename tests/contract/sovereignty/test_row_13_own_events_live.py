"""Row 13: customers read their own events live; another tenant's never."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services import image, sovereignty
from tests.contract.image.helpers import create
from tests.contract.sovereignty.log_world import LOG, act
from tests.harness import TestCloud, caller


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [image.SERVICE, sovereignty.SERVICE], url=database_url)
    yield cloud
    cloud.close()


def subjects(cloud: TestCloud, project: str) -> list[str]:
    body = cloud.as_(caller("reader", project)).get(f"{LOG}/leaves").expect(200)
    return [leaf["subject"] for leaf in body["leaves"]]


def test_an_access_shows_at_once_and_another_tenants_never(cloud: TestCloud) -> None:
    mine = create(cloud.as_(caller()))["id"]
    assert subjects(cloud, "p1") == [mine], "with no sequencer between"
    theirs = create(cloud.as_(caller(project="p2")))["id"]
    assert subjects(cloud, "p1") == [mine]
    assert subjects(cloud, "p2") == [theirs]
    act(cloud, 1, None)  # the operators' own
    cloud.number()
    assert subjects(cloud, "p1") == [mine]
    (leaf,) = cloud.as_(caller("reader", "p2")).get(f"{LOG}/leaves").expect(200)["leaves"]
    for path in (f"{LOG}/inclusion?leaf={leaf['id']}", f"{LOG}/bundle?marker={leaf['id']}"):
        assert cloud.as_(caller("reader")).get(path).status in (400, 404)
    for path in (f"{LOG}/leaves", f"{LOG}/bundle", f"{LOG}/inclusion"):
        asked = f"{path}?project_id=p2&leaf={leaf['id']}"
        assert cloud.as_(caller("reader")).get(asked).status == 403
        assert cloud.as_(caller("admin", "ops")).get(asked).status == 200
        assert cloud.as_().get(asked).status == 401


def test_a_bundle_holds_ones_own_leaves_and_everyones(cloud: TestCloud) -> None:
    act(cloud, 2)
    act(cloud, 3, "p2")
    act(cloud, 1, "*")
    cloud.number()
    act(cloud, 1)
    reader = cloud.as_(caller("reader"))
    whole = reader.get(f"{LOG}/bundle").expect(200)
    assert [(each["leaf"]["subject"], each["index"]) for each in whole["leaves"]] == [
        ("p1-0", 0), ("p1-1", 1), ("*-0", 5), ("p1-0", None),
    ]  # fmt: skip
    assert whole["project_id"] == "p1"
    seen, path = [], f"{LOG}/bundle?limit=2"
    while path:
        part = reader.get(path).expect(200)
        seen += part["leaves"]
        path = f"{LOG}/bundle?limit=2&marker={part['next']}" if part["next"] else ""
    assert [each["leaf"]["id"] for each in seen] == [each["leaf"]["id"] for each in whole["leaves"]]
    system = cloud.as_(caller("admin", None, system=True))
    assert "project_id is missing" in system.get(f"{LOG}/bundle").expect(400)["message"]
