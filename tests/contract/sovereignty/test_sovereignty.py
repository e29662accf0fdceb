"""Sites, and a project's view of the log."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
import rfc8785

from andromede.services import image, sovereignty
from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.leaves import EVERYONE
from andromede.sovereignty.log.sequencer import sequence
from tests.contract.image.helpers import create
from tests.harness import TestCloud, caller

BASE = "https://cloud.test:8443"
LEAVES = "/sovereignty/v1/log/leaves"


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [image.SERVICE, sovereignty.SERVICE], url=database_url)
    yield cloud
    cloud.close()


def number(cloud: TestCloud) -> int:
    return sequence(
        cloud.database, "cloud.test/log", lambda text: b"key!" + bytes(64), "cloud.test"
    )


def test_a_project_reads_its_own_leaves_at_once(cloud: TestCloud) -> None:
    reader = cloud.as_(caller("reader"))
    first = create(cloud.as_(caller()))
    create(cloud.as_(caller(project="p2")))
    pending = reader.get(LEAVES).expect(200)["leaves"]
    assert [(each["subject"], each["index"], len(each["commitment"])) for each in pending] == [
        (first["id"], None, 64)
    ]
    assert number(cloud) == 2
    (leaf,) = reader.get(LEAVES).expect(200)["leaves"]
    assert leaf["index"] == 0
    content = {key: leaf[key] for key in Leaf.__struct_fields__}
    made = hmac.digest(bytes.fromhex(leaf["salt"]), rfc8785.dumps(content), "sha256")
    assert made.hex() == leaf["commitment"]
    assert leaf["action"] == "image:image:create"
    assert leaf["actor"] == "user-of-p1"
    assert leaf["time_iso"].endswith("Z")


def test_other_projects_leaves_are_for_operators(cloud: TestCloud) -> None:
    create(cloud.as_(caller()))
    create(cloud.as_(caller(project="p2")))
    assert cloud.as_(caller("reader")).get(f"{LEAVES}?project_id=p2").status == 403
    operator = cloud.as_(caller("admin", "ops"))
    assert operator.get(LEAVES).expect(200) == {"leaves": []}
    (leaf,) = operator.get(f"{LEAVES}?project_id=p2").expect(200)["leaves"]
    assert leaf["project_id"] == "p2"
    system = cloud.as_(caller("admin", None, system=True))
    assert len(system.get(LEAVES).expect(200)["leaves"]) == 2


def test_acts_over_all_projects_are_read_by_each(cloud: TestCloud) -> None:
    first = create(cloud.as_(caller()))["id"]
    act = Leaf(action="a", subject="all", request_id="r", status=200, project_id=EVERYONE)
    cloud.database.transact(lambda connection: append(connection, act))
    last = create(cloud.as_(caller()))["id"]
    create(cloud.as_(caller(project="p2")))
    for path in (LEAVES, f"{LEAVES}?limit=1"):
        seen: list[str] = []
        while path:
            body = cloud.as_(caller("reader")).get(path).expect(200)
            seen += [leaf["subject"] for leaf in body["leaves"]]
            path = body.get("leaves_links", [{"href": ""}])[0]["href"][len(BASE) :]
        assert seen == [first, "all", last]
    (leaf,) = cloud.as_(caller("reader")).get(f"{LEAVES}?project_id=*").expect(200)["leaves"]
    assert (leaf["subject"], leaf["project_id"]) == ("all", "*")
    theirs = cloud.as_(caller("reader", "p2")).get(LEAVES).expect(200)["leaves"]
    assert [each["subject"] == "all" for each in theirs] == [True, False]


def test_leaves_are_paged(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = [create(member)["id"] for _ in range(5)]
    seen: list[str] = []
    path = f"{LEAVES}?limit=2"
    while path:
        body = member.get(path).expect(200)
        seen += [leaf["subject"] for leaf in body["leaves"]]
        links = body.get("leaves_links", [{"href": ""}])
        path = links[0]["href"].removeprefix("https://cloud.test:8443")
    assert seen == made
    assert member.get(f"{LEAVES}?limit=x").status == 400
    other = cloud.as_(caller(project="p2"))
    marker = member.get(LEAVES).expect(200)["leaves"][0]["id"]
    assert other.get(f"{LEAVES}?marker={marker}").status == 400
    assert member.get(f"{LEAVES}?limit=0").expect(200) == {"leaves": []}


def test_the_checkpoint_is_public(cloud: TestCloud) -> None:
    path = "/sovereignty/v1/log/checkpoint"
    assert cloud.as_().get(path).status == 404
    create(cloud.as_(caller()))
    number(cloud)
    answer = cloud.as_().get(path)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.body.decode().split("\n")
    assert lines[:2] == ["cloud.test/log", "1"]
    assert lines[3] == ""
    assert lines[4].startswith("— cloud.test ")
