"""What the Debian image is made of, as far as that can be told without installing anything."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from andromede.guest import bootstrap, debian, disk
from andromede.guest.errors import GuestBuildError
from andromede.guest.packages import Archive
from andromede.guest.provenance import KINDS, describe, properties
from andromede.guest.tree import Node, Tree

EPOCH = 1_700_000_000


def member(name: str, kind: bytes, **more: object) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type = kind
    for key, value in {"mtime": EPOCH - 5, "mode": 0o755, **more}.items():
        setattr(found, key, value)
    return found


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    """A little of a system, as mmdebstrap packs it."""
    path = tmp_path / "system.tar"
    capability = {bootstrap.CAPABILITY: b"\x01\x00\x00\x02\xff".decode("utf-8", "surrogateescape")}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as made:
        made.addfile(member("./", tarfile.DIRTYPE))
        made.addfile(member("./usr/bin", tarfile.DIRTYPE))
        ping = member("./usr/bin/ping", tarfile.REGTYPE, size=4, pax_headers=capability)
        made.addfile(ping, io.BytesIO(b"ping"))
        made.addfile(member("./usr/bin/ping4", tarfile.LNKTYPE, linkname="./usr/bin/ping"))
        made.addfile(member("./bin", tarfile.SYMTYPE, linkname="usr/bin"))
        made.addfile(member("./dev/null", tarfile.CHRTYPE))
        made.addfile(member("./run/initctl", tarfile.FIFOTYPE))
        made.addfile(member("./var/log/dpkg.log", tarfile.REGTYPE))
        made.addfile(member("./home/a b", tarfile.REGTYPE, uid=5, gid=6))
    return path


def test_a_system_is_read_with_owners_dates_and_capabilities(tarball: Path, tmp_path: Path) -> None:
    tree = bootstrap.read(tarball, tmp_path / "files")
    ping = tree.nodes["usr/bin/ping"]
    assert (ping.content(), ping.mtime) == (b"ping", EPOCH - 5)
    assert ping.mode == stat.S_IFREG | 0o755
    assert ping.capability == b"\x01\x00\x00\x02\xff"
    assert tree.nodes["usr/bin/ping4"] == ping
    assert tree.nodes["bin"].content() == b"usr/bin"
    assert (tree.nodes["home/a b"].uid, tree.nodes["home/a b"].gid) == (5, 6)
    assert {"dev/null", "run/initctl"}.isdisjoint(tree.nodes)


def test_what_the_build_left_behind_is_not_taken(tarball: Path, tmp_path: Path) -> None:
    tree = bootstrap.read(tarball, tmp_path / "files", debian.wanted)
    assert "var/log/dpkg.log" not in tree.nodes
    assert "usr/bin/ping" in tree.nodes
    for path in ("etc/ssh/ssh_host_ed25519_key", "var/lib/apt/lists/x_Packages", "dev/null"):
        assert not debian.wanted(path)
    for path in ("etc/ssh/sshd_config", "var/log/journal", "var/lib/apt/lists", "dev"):
        assert debian.wanted(path)


def test_a_link_to_what_is_left_out_is_refused(tarball: Path, tmp_path: Path) -> None:
    with pytest.raises(GuestBuildError, match="usr/bin/ping4 is a link to usr/bin/ping"):
        bootstrap.read(tarball, tmp_path / "files", lambda path: path != "usr/bin/ping")


def test_a_finished_system_has_nothing_of_its_own() -> None:
    tree = Tree()
    tree.file("etc/machine-id", b"0123")
    tree.file("etc/apt/sources.list", b"deb copy:/nowhere ./")
    debian.finish(tree)
    assert tree.nodes["etc/machine-id"].content() == b""
    assert tree.nodes["etc/apt/sources.list"].content() == b""
    assert tree.nodes["etc/kernel/postinst.d/zz-boot-loader"].mode == stat.S_IFREG | 0o755
    fstab = tree.nodes["etc/fstab"].content().decode()
    assert f"UUID={disk.DEBIAN.root} / ext4" in fstab
    assert f"UUID={disk.DEBIAN.number >> 16:04X}-{disk.DEBIAN.number & 0xFFFF:04X} /boot" in fstab


def test_names_with_spaces_quotes_and_backslashes_go_on_the_disk(tmp_path: Path) -> None:
    names = {'a b "c"': b"1", "d\\x2de": b"2"}
    tree = Tree()
    for name, data in names.items():
        tree.file(name, data)
    tree.add("cap", Node(stat.S_IFREG | 0o755, b"3", capability=b"\x00\x01\x02", mtime=EPOCH - 9))
    raw, again = tmp_path / "a.raw", tmp_path / "b.raw"
    for path in (raw, again):
        path.write_bytes(b"")
        disk.write_root(path, 0, 16 * disk.MIB, tree, EPOCH, disk.DEBIAN)
    assert raw.read_bytes() == again.read_bytes()
    checked = subprocess.run(
        ["e2fsck", "-fn", str(raw)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout

    def look(command: str) -> str:
        done = subprocess.run(["debugfs", "-R", command, str(raw)], capture_output=True, check=True)
        return done.stdout.decode()

    assert look('cat "a b ""c"""') == "1"
    assert look("cat d\\x2de") == "2"
    assert "00 01 02" in look("ea_list cap")
    assert f"0x{EPOCH - 9:08x}" in look("stat cap")


def test_a_repository_names_what_it_holds(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN" / "control").write_text(
        "Package: one\nVersion: 1:2\nArchitecture: all\nEssential: yes\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: nothing\n"
    )
    path = tmp_path / "one_1%3a2_all.deb"
    build = ["dpkg-deb", "--root-owner-group", "-b", str(package), str(path)]
    subprocess.run(build, check=True, capture_output=True)
    archive = Archive("one", "1:2", "all", "ab" * 32, EPOCH, path)
    bootstrap.publish([archive], tmp_path / "repository", EPOCH)
    index = (tmp_path / "repository" / "Packages").read_text()
    assert "Essential: yes" in index
    assert f"Filename: ./{'ab' * 32}.deb\nSize: {path.stat().st_size}\n" in index
    assert (tmp_path / "repository" / f"{'ab' * 32}.deb").exists()
    release = (tmp_path / "repository" / "Release").read_text()
    assert "Suite: stable" in release
    assert "Date: Tue, 14 Nov 2023 22:13:20 UTC" in release


@pytest.mark.parametrize("name", sorted(KINDS))
def test_provenance_tells_how_the_image_is_offered(tmp_path: Path, name: str) -> None:
    image = tmp_path / f"{name}.qcow2"
    image.write_bytes(b"disk")
    packages = [Archive("one", "1", "all", "ab" * 32, EPOCH, tmp_path)]
    built = describe(image, packages, EPOCH)
    record = json.loads(built.provenance.read_text())
    assert record["properties"] == properties(KINDS[name], EPOCH)
    assert record["properties"]["image_build_date"] == "2023-11-14"
    assert record["properties"]["hw_qemu_guest_agent"] == "yes"
    assert record["properties"]["os_admin_user"] == KINDS[name].user
    assert record["packages"] == [
        {"name": "one", "version": "1", "architecture": "all", "sha256": "ab" * 32}
    ]
    assert (record["size"], record["sha256"]) == (4, built.sha256)
