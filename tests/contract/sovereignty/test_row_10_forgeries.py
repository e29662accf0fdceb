"""Row 10, where the cloud itself lies: what its key signed is held against the log and the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from andromede import clock
from andromede.services import compute, image, sovereignty
from andromede.sovereignty.consent import store as consents
from andromede.sovereignty.findings import store as findings
from andromede.sovereignty.words import Text
from tests.contract.sovereignty.evidence_world import Evident, evident, files, lie, signed
from tests.harness import TestCloud

DAY = 24 * 3600 * clock.SECOND


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Evident]:
    cloud = TestCloud(tmp_path, [image.SERVICE, compute.SERVICE, sovereignty.SERVICE])
    world = evident(cloud)
    (resource,) = world.document()["resources"]
    world.operator.get(f"/image/v2/images/{resource['id']}").expect(200)
    cloud.number()
    yield world
    cloud.close()


def test_what_is_signed_anew_unchanged_verifies(world: Evident) -> None:
    assert world.examine(lie(world, lambda document: None)).verdict == "verified"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["accesses"][0].update(actor="nobody"), "acts that log.json does not have"),
        (lambda d: d["accesses"][0].update(position=0), "acts that log.json does not have"),
        (lambda d: d["accesses"][0].update(leaf="gone"), "acts that log.json does not have"),
        (lambda d: d["log"].update(checkpoint="x"), "of another project or moment"),
        (lambda d: d.update(project="p2"), "the manifest is of"),
        (lambda d: d["cloud"].update(verifier="x"), "names the key"),
        (lambda d: d.update(format="andromede-evidence/9"), "its format is"),
    ],
)  # fmt: skip
def test_a_signed_lie_is_false(
    world: Evident, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    try:
        data = lie(world, change)
    except msgspec.ValidationError:
        pytest.fail("the lie has the document's shape")
    found = world.examine(data)
    assert found.verdict == "false"
    assert any(says in line.text for line in found.lines), found.lines


def test_pages_that_do_not_say_what_the_document_says_are_seen(world: Evident) -> None:
    inside = files(world.archive())
    other = inside["evidence.fr.html"].replace(b"France", b"Suisse")
    assert world.examine(signed(world, {**inside, "evidence.fr.html": other})).verdict == (
        "not shown"
    )
    strange = b"<p>all is well</p>"
    assert world.examine(signed(world, {**inside, "evidence.fr.html": strange})).verdict == "false"


@pytest.mark.parametrize("content", [b"{}", b"{", b" ", b'{"format": "other"}'])
def test_files_of_another_shape_are_false(world: Evident, content: bytes) -> None:
    inside = files(world.archive())
    for name in ("evidence.json", "log.json"):
        assert world.examine(signed(world, {**inside, name: content})).verdict == "false"
    pretty = json.dumps(json.loads(inside["evidence.json"]), indent=1).encode()
    assert world.examine(signed(world, {**inside, "evidence.json": pretty})).verdict == "false"


def test_consents_emergencies_and_findings_are_told(world: Evident) -> None:
    now = clock.now()
    common = {
        "project_id": "p1", "operator": None, "kinds": ["console"], "resource": None,
        "seconds": 3600, "requested_by": "operator", "created_at": now - 2 * DAY,
        "granted_by": "member", "ended_by": None, "ended_at": None,
    }  # fmt: skip
    rows = [
        {**common, "id": "c1", "reason": "stuck", "emergency": False, "since": now - DAY,
         "until": now + DAY, "ended_as": None},
        {**common, "id": "c2", "reason": "fire", "emergency": True, "since": now - 2 * DAY,
         "until": now - DAY, "ended_as": None},
        {**common, "id": "c3", "reason": "asked", "emergency": False, "since": None, "until": None,
         "ended_as": None},
        {**common, "id": "c4", "reason": "no", "emergency": False, "since": None, "until": None,
         "ended_as": "refused"},
    ]  # fmt: skip

    def work(connection: Any) -> None:
        for row in rows:
            consents.insert(connection, row)
        findings.note(connection, "allowed_countries", "image", "i1",
                      Text("site local is in the US", "le site local est aux États-Unis"),
                      project_id="p1", site="local", deadline=now + 9 * DAY)  # fmt: skip

    world.cloud.database.transact(work)
    data = world.archive()
    assert world.examine(data).verdict == "verified"
    page = files(data)["evidence.en.html"].decode()
    for word in ("in force", "expired", "asked for", "refused", "emergency", "is in the US"):
        assert word in page, word
    french = files(data)["evidence.fr.html"].decode()
    for word in ("en vigueur", "expiré", "demandé", "refusé", "urgence", "est aux États-Unis"):
        assert word in french, word
    for kind in ("bar consent", "bar emergency", "bar finding", "event access"):
        assert f'class="{kind}"' in page, kind
    assert len(json.loads(files(data)["evidence.json"])["consents"]) == 4
