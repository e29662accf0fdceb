"""Row 14: inclusion and consistency are proven; an edited or forked log is detected."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymerkle
import pytest
import sqlalchemy as sa
from nacl.signing import VerifyKey

from andromede.cli.verify import verify
from andromede.services import sovereignty
from andromede.sovereignty.log.commitment import commitment
from andromede.sovereignty.log.leaves import canonical, leaf, of_row, page
from andromede.sovereignty.log.tiles import tile
from andromede.sovereignty.log.tree import leaf_hash
from tests.contract.sovereignty.log_world import LOG, act, bundle, download, key, rewrite
from tests.harness import MemoryKeys, TestCloud, caller

COUNT = 300


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCloud]:
    """A log of more than a tile, which its tests only read."""
    cloud = TestCloud(tmp_path_factory.mktemp("cloud"), [sovereignty.SERVICE])
    act(cloud, 7)
    cloud.number()
    act(cloud, COUNT - 7)
    act(cloud, 5, "p2")
    cloud.number()
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCloud]:
    """The same key and sizes over another history: what a log that lies shows to others."""
    cloud = TestCloud(tmp_path_factory.mktemp("other"), [sovereignty.SERVICE])
    act(cloud, 7, "p9")
    cloud.number()
    act(cloud, COUNT - 2, "p9")
    cloud.number()
    yield cloud
    cloud.close()


def examine(
    capsys: pytest.CaptureFixture[str], *files: Path, key: str | None = None, **more: Any
) -> tuple[int, str]:
    """The command's exit code and what it printed."""
    code = verify(files, key=key, witnesses=more.pop("witnesses", []), as_json=False)
    return code, capsys.readouterr().out


def test_an_independent_library_finds_the_same_tree(cloud: TestCloud, tmp_path: Path) -> None:
    mirror = download(cloud, tmp_path / "mirror")
    text, _, signature = (mirror / "checkpoint").read_text().partition("\n\n")
    origin, size, root = text.split("\n")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for number in ("000", "001.p/49"):
        data = (mirror / "tile/entries" / number).read_bytes()
        for at in range(0, len(data), 34):
            assert data[at : at + 2] == b"\x00\x20"
            tree.append_entry(data[at + 2 : at + 34])
    assert tree.get_size() == int(size) == COUNT + 5
    assert base64.b64encode(tree.get_root()).decode() == root
    _, name, payload = signature.strip().split(" ")
    given, _, material = key(cloud).split("+", 2)
    assert name == origin == given
    public = VerifyKey(base64.b64decode(material)[1:])
    public.verify(f"{text}\n".encode(), base64.b64decode(payload)[4:])
    reader = cloud.as_(caller("reader"))
    (first,) = reader.get(f"{LOG}/leaves?limit=1").expect(200)["leaves"]
    proof = reader.get(f"{LOG}/inclusion?leaf={first['id']}").expect(200)
    theirs = tree.prove_inclusion(1).path
    assert [base64.b64encode(each).decode() for each in theirs[1:]] == proof["proof"]
    assert (proof["root"], proof["index"], proof["size"]) == (root, 0, COUNT + 5)
    assert proof["commitment"] == first["commitment"]


def test_a_bundle_and_a_mirror_verify(
    cloud: TestCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = bundle(cloud, tmp_path, query="?consistent_with=7&limit=150")
    again = bundle(cloud, tmp_path, "again.json")
    mirror = download(cloud, tmp_path / "mirror")
    code, said = examine(capsys, first, again, mirror, key=key(cloud))
    assert code == 0, said
    assert f"{COUNT} leaves of project p1 are in the log" in said
    assert "begins with the one of 7" in said
    assert "more leaves follow" in said
    code, said = examine(capsys, again)
    assert code == 0
    assert "the key is the one it names itself" in said


def test_the_public_tree_tells_nothing_of_customers(cloud: TestCloud, tmp_path: Path) -> None:
    """Neither in plain text nor to who guesses a leaf exactly, but for its salt."""
    mirror = download(cloud, tmp_path / "mirror")
    content = b"".join(path.read_bytes() for path in mirror.rglob("*") if path.is_file())
    assert not any(word in content for word in (b"test:thing", b"req-1", b"project"))
    with cloud.database.read() as connection:
        for row in page(connection, None, None, 20):
            guess = canonical(of_row(row))
            assert leaf_hash(commitment(row["salt"], guess)) in content
            assert leaf_hash(guess) not in content
            assert commitment(bytes(32), guess) not in content


FORGERIES: dict[str, tuple[Any, str]] = {
    "content": (lambda d: d["leaves"][3]["leaf"].update(subject="x"), "not in the tree"),
    "number": (lambda d: d["leaves"][3]["leaf"].update(status=200), "not in the tree"),
    "salt": (lambda d: d["leaves"][3].update(salt="00" * 32), "not in the tree"),
    "no salt": (lambda d: d["leaves"][3].update(salt="x"), "non-hexadecimal"),
    "index": (lambda d: d["leaves"][3].update(index=4), "another leaf has its index"),
    "far index": (lambda d: d["leaves"][3].update(index=999), "cannot be in a tree"),
    "proof": (lambda d: d["leaves"][3]["proof"].pop(), "too short"),
    "long proof": (lambda d: d["leaves"][3]["proof"].append("AA=="), "32 are accepted"),
    "no proof": (lambda d: d["leaves"][3].update(proof=None), "no proof"),
    "project": (lambda d: d.update(project_id="p2"), "it is of project p1"),
    "no checkpoint": (lambda d: d.update(checkpoint=None), "no proof under a checkpoint"),
    "checkpoint": (
        lambda d: d.update(checkpoint=d["checkpoint"].replace("\n305\n", "\n306\n")),
        "forged or altered",
    ),
    "unsigned": (
        lambda d: d.update(checkpoint=d["checkpoint"].partition("\n\n")[0]), "no signed note",
    ),
    "origin": (lambda d: d.update(log=key_of("else")), "it names the key"),
    "earlier": (lambda d: d.update(earlier=["x"]), "no signed note"),
    "consistency": (lambda d: d["consistency"][0]["proof"].pop(), "consistency:"),
    "format": (lambda d: d.update(format="andromede-log-bundle/9"), "is accepted"),
    "shape": (lambda d: d.update(leaves={}), "no log bundle"),
}  # fmt: skip


def key_of(mark: str) -> str:
    return MemoryKeys(mark).log_verifier()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_bundle_is_false(
    cloud: TestCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], forgery: str
) -> None:
    change, reason = FORGERIES[forgery]
    path = rewrite(bundle(cloud, tmp_path, query="?consistent_with=7"), change)
    code, said = examine(capsys, path, key=key(cloud))
    assert code == 1
    assert reason in said


def test_a_split_view_is_detected(
    cloud: TestCloud, other: TestCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "mine"
    seen.write_bytes(cloud.as_().get(f"{LOG}/checkpoint").body)
    shown = tmp_path / "theirs"
    shown.write_bytes(other.as_().get(f"{LOG}/checkpoint").body)
    code, said = examine(capsys, seen, shown, key=key(cloud))
    assert code == 1
    assert "split view" in said


def test_a_forked_log_is_detected(
    cloud: TestCloud, other: TestCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The view of one size against another's larger one, by a proof and by a copy."""
    old = cloud.as_(caller("reader")).get(f"{LOG}/bundle?consistent_with=7").expect(200)
    (early,) = old["earlier"]
    seen = tmp_path / "seen"
    seen.write_text(early)
    forked = tmp_path / "forked"
    forked.write_bytes(other.as_().get(f"{LOG}/checkpoint").body)
    code, said = examine(capsys, seen, forked, key=key(cloud))
    assert code == 3
    assert "log/consistency?first=7&second=305" in said
    proof = tmp_path / "proof.json"
    proof.write_bytes(other.as_().get(f"{LOG}/consistency?first=7").body)
    code, said = examine(capsys, seen, forked, proof, key=key(cloud))
    assert code == 1
    assert "forked or edited" in said
    code, said = examine(capsys, seen, download(other, tmp_path / "copy"), key=key(cloud))
    assert code == 1
    assert "a forked log" in said
    honest = tmp_path / "honest"
    honest.write_bytes(cloud.as_().get(f"{LOG}/checkpoint").body)
    proof.write_bytes(cloud.as_().get(f"{LOG}/consistency?first=7").body)
    assert examine(capsys, seen, honest, proof, key=key(cloud))[0] == 0


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("tile/0/000", lambda b: b[:-32], "it is truncated"),
        ("tile/0/000", lambda b: b[:-1], "it is truncated"),
        ("tile/0/001.p/49", lambda b: bytes(len(b)), "it was changed"),
        ("tile/1/000.p/1", lambda b: bytes(32), "it was changed"),
        ("tile/entries/001.p/49", lambda b: b[:-34], "it is truncated"),
        ("tile/entries/001.p/49", lambda b: b[:-3], "it is truncated"),
        ("tile/entries/000", lambda b: b"\x00\x21" + b[2:], "not of 32 bytes"),
        ("tile/entries/000", lambda b: b[:40] + b"x" + b[41:], "it was changed"),
        ("checkpoint", lambda b: b.replace(b"\n305\n", b"\n304\n"), "forged or altered"),
        ("tile/entries/000", None, "No such file"),
        ("checkpoint", None, "it is no mirror"),
    ],
)
def test_a_damaged_copy_is_refused_with_the_reason(
    cloud: TestCloud,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    change: Any,
    reason: str,
) -> None:
    mirror = download(cloud, tmp_path / "mirror")
    path = mirror / name
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    code, said = examine(capsys, mirror, key=key(cloud))
    assert code == 1
    assert reason in said


def test_an_edited_log_is_detected_by_its_customer_and_its_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = TestCloud(tmp_path / "cloud", [sovereignty.SERVICE])
    act(cloud, 20)
    cloud.number()
    before = bundle(cloud, tmp_path, "before.json")
    edit = sa.update(leaf).where(leaf.c.position == 3).values(subject="nothing")
    cloud.database.transact(lambda connection: connection.execute(edit))
    code, said = examine(capsys, bundle(cloud, tmp_path), before)
    assert code == 1
    assert "not in the tree" in said
    zeroes = sa.update(tile).values(data=bytes(32 * 20))
    cloud.database.transact(lambda connection: connection.execute(zeroes))
    assert examine(capsys, download(cloud, tmp_path / "copy"), before, key=key(cloud))[0] == 1
    cloud.close()
