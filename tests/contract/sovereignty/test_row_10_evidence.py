"""Row 10: the signed location of each resource; it verifies offline, and a changed byte fails."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from andromede.services import compute, image, sovereignty
from andromede.sovereignty.evidence import archive
from tests.contract.sovereignty.declaring import V1
from tests.contract.sovereignty.evidence_world import Evident, evident, files
from tests.harness import MemoryKeys, TestCloud, caller


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Evident]:
    services = [image.SERVICE, compute.SERVICE, sovereignty.SERVICE]
    cloud = TestCloud(tmp_path, services, url=database_url)
    yield evident(cloud)
    cloud.close()


def test_the_place_of_each_resource_is_signed_and_verifies_offline(world: Evident) -> None:
    data = world.archive()
    found = world.examine(data)
    assert found.verdict == "verified", found.lines
    document = world.document()
    (resource,) = document["resources"]
    assert resource["kind"] == "image"
    assert resource["site"] == {"value": "local", "basis": "measured", "by": ""}
    assert resource["keys"]["value"] == "none"
    (site,) = document["sites"]
    assert site["country"] == {"value": "FR", "basis": "declared", "by": "operator"}
    assert site["operator"]["value"] == "op"
    assert site["verdict"] == "shown"
    assert site["resources"] == 1
    assert {each["id"] for each in document["entities"]} == {"op", "state"}
    assert {each["country"] for each in site["laws"]} == {"FR", "EU"}
    assert document["holdings"][0]["capital"] == "100"


def test_a_changed_byte_fails(world: Evident) -> None:
    data = world.archive()
    chance = random.Random(7)
    for at in sorted(chance.sample(range(len(data)), 60)):
        altered = bytearray(data)
        altered[at] ^= 1 << chance.randrange(8)
        assert world.examine(bytes(altered)).verdict == "false", at
    for altered in (data[:-1], data + b"\n", b"\n" + data, b"PK\x03\x04"):
        assert world.examine(bytes(altered)).verdict == "false"


@pytest.mark.parametrize("name", ["evidence.json", "evidence.fr.html", "log.json", "MANIFEST"])
def test_an_archive_packed_anew_fails(world: Evident, name: str) -> None:
    inside = files(world.archive())
    old, new = (b"local", b"lacol") if name != "MANIFEST" else (b"project p1", b"project p2")
    changed = inside[name].replace(old, new, 1)
    assert changed != inside[name]
    altered = archive.pack({**inside, name: changed})
    assert world.examine(altered).verdict == "false"
    gone = {key: value for key, value in inside.items() if key != name}
    assert world.examine(archive.pack(gone)).verdict == "false"


def test_another_clouds_key_fails(world: Evident) -> None:
    other = str(MemoryKeys("cloud.other").log_verifier())
    assert world.examine(world.archive(), other).verdict == "false"


class Page(HTMLParser):
    """What a page loads, its headings, and the text alternatives of its pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.loads: list[str] = []
        self.language = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.language = found["lang"] or ""
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        if tag == "svg":
            assert found["role"] == "img"
            assert found["aria-labelledby"]
        self.loads += [str(found[name]) for name in ("src", "srcset") if name in found]
        assert "style" not in found
        assert not [name for name in found if name.startswith("on")]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_are_self_contained_and_say_what_they_are_made_from(
    world: Evident, language: str
) -> None:
    inside = files(world.archive())
    text = inside[f"evidence.{language}.html"].decode()
    page = Page()
    page.feed(text)
    assert page.language == language
    assert page.loads == []
    assert not {"script", "link", "iframe", "img"} & set(page.tags)
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps)
    assert page.tags.count("caption") == page.tags.count("table")
    assert page.tags.count("svg") == 3
    assert "default-src 'none'" in text
    assert f"sha256:{sha256(inside['evidence.json']).hexdigest()}" in text
    assert (
        "déclaré par l\u2019exploitant" if language == "fr" else "declared by the operator"
    ) in (text.replace("&#39;", "'"))


def test_acts_of_operators_are_told_with_their_leaves(world: Evident) -> None:
    (resource,) = world.document()["resources"]
    operator = world.operator
    operator.get(f"/image/v2/images/{resource['id']}").expect(200)
    world.cloud.number()
    data = world.archive()
    assert world.examine(data).verdict == "verified"
    (act,) = [each for each in world.document()["accesses"] if each["subject"] == resource["id"]]
    assert act["actor"] == "operator"
    assert act["action"] == "image:image:show"
    assert act["position"] is not None


def test_an_operators_look_at_evidence_is_a_leaf(world: Evident) -> None:
    world.archive()
    world.archive(world.operator)
    (act,) = [each for each in world.document()["accesses"] if "evidence" in each["action"]]
    assert (act["actor"], act["subject"]) == ("operator", "p1")


def test_what_waits_for_its_number_is_not_shown(world: Evident) -> None:
    world.member.patch(
        f"/image/v2/images/{world.document()['resources'][0]['id']}",
        [{"op": "replace", "path": "/name", "value": "new"}],
        headers={"content-type": "application/openstack-images-v2.1-json-patch"},
    ).expect(200)
    assert world.examine(world.archive()).verdict == "not shown"
    world.cloud.number()
    assert world.examine(world.archive()).verdict == "verified"


def test_evidence_is_for_the_project_and_for_operators(world: Evident) -> None:
    path = f"{V1}/evidence/p1"
    assert world.cloud.as_().get(path).status == 401
    assert world.cloud.as_(caller("reader")).get(path).status == 200
    assert world.cloud.as_(caller("manager", "p2")).get(path).status == 404
    assert world.operator.get(path).status == 200
    assert world.operator.get(f"{V1}/evidence/none").status == 404


def test_a_project_sees_nothing_of_another(world: Evident) -> None:
    theirs = world.document(client=world.cloud.as_(caller(project="p2")), project="p2")
    assert theirs["resources"] == theirs["accesses"] == []
    assert theirs["sites"][0]["resources"] == 0


def test_the_same_moment_gives_the_same_bytes(world: Evident) -> None:
    from andromede import clock

    clock.set_source(lambda: 1_800_000_000_000_000)
    try:
        assert world.archive() == world.archive()
    finally:
        clock.set_source(None)


def test_the_command_verifies_archives(world: Evident, tmp_path: Path) -> None:
    from andromede.cli.verify import verify

    path = tmp_path / "evidence.zip"
    path.write_bytes(world.archive())
    assert verify([path], key=world.key, witnesses=[], as_json=True) == 0
    assert verify([path], key=None, witnesses=[], as_json=False) == 0
    path.write_bytes(world.archive()[:-7] + b"7 bytes")
    assert verify([path], key=world.key, witnesses=[], as_json=True) == 1
