"""The archive's bytes follow from its files, its manifest is signed by the keys role's own words."""

from __future__ import annotations

import base64
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.keys.server import Server
from andromede.keys.vault import Vault
from andromede.sovereignty.evidence import manifest
from andromede.sovereignty.evidence.archive import ArchiveError, pack, unpack
from andromede.sovereignty.log import note

FILES = {"b.json": b"{}", "a.html": "<p>é</p>".encode(), "c": b""}
DIGESTS = [(name, "0" * 64) for name in manifest.FILES]


def test_an_archive_is_reproducible_and_opens_with_anything() -> None:
    packed = pack(FILES)
    assert packed == pack(dict(reversed(FILES.items())))
    assert unpack(packed) == FILES
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == sorted(FILES)
        assert archive.testzip() is None


@given(st.data())
def test_any_changed_byte_is_seen(data: st.DataObject) -> None:
    packed = bytearray(pack(FILES))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ArchiveError):
        unpack(bytes(packed))


@pytest.mark.parametrize("more", [b"x", b"\x00" * 30])
def test_bytes_before_or_after_are_refused(more: bytes) -> None:
    for altered in (pack(FILES) + more, more + pack(FILES)):
        with pytest.raises(ArchiveError):
            unpack(altered)


def test_compressed_or_other_files_are_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"x" * 1000)
    with pytest.raises(ArchiveError, match="compressed"):
        unpack(made.getvalue())
    with pytest.raises(ArchiveError, match="no ZIP"):
        unpack(b"not a zip")


def test_a_manifest_reads_back() -> None:
    text = manifest.text("andromede/x/log", "p1", DIGESTS)
    assert manifest.read(text) == ("andromede/x/log", "p1", DIGESTS)
    for altered in (text + "x\n", text.replace("p1", "p 1"), text.replace("0", "g"), text[1:], ""):
        with pytest.raises(manifest.ManifestError):
            manifest.read(altered)


def test_a_manifest_is_no_checkpoint() -> None:
    text = manifest.text("andromede/x/log", "p1", DIGESTS)
    with pytest.raises(note.NoteError):
        note.read_checkpoint(text)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    vault = Vault(tmp_path, "andromede/x")
    uid = {os.getuid()}
    made = Server(tmp_path / "keys.sock", vault, {"sign_manifest": uid})
    made.server_close()
    return made


def ask(server: Server, project: object, files: object) -> dict[str, object]:
    import msgspec

    call = {"method": "sign_manifest", "project": project, "files": files}
    return server.answer(os.getuid(), msgspec.json.encode(call))


def test_the_keys_role_signs_manifests_that_verify(server: Server) -> None:
    signed = str(ask(server, "p1", DIGESTS)["result"])
    read = note.parse(signed)
    note.check(read, server.vault.log.verifier)
    assert manifest.read(read.text) == ("andromede/x/log", "p1", DIGESTS)


@pytest.mark.parametrize(
    ("project", "files"),
    [
        ("p1\nandromede/x/log", DIGESTS),
        ("p1", [("evidence.json", "0" * 64)]),
        ("p1", [(name, "zz") for name in manifest.FILES]),
        ("p1", [(name + "\n7\n" + base64.b64encode(bytes(32)).decode(), "0" * 64)
                for name in manifest.FILES]),
    ],
)  # fmt: skip
def test_the_keys_role_signs_nothing_a_caller_chose(
    server: Server, project: str, files: object
) -> None:
    answer = ask(server, project, files)
    assert "result" not in answer
    assert answer["error"]


def test_others_may_not_have_manifests_signed(server: Server) -> None:
    assert "may not" in str(server.answer(os.getuid() + 1, b'{"method": "sign_manifest"}')["error"])
