"""The in-memory tree, its cpio form, and the disk's boot record."""

import struct
from pathlib import Path

import pytest

from andromede.guest import disk
from andromede.guest.contents import merged
from andromede.guest.errors import GuestBuildError, run
from andromede.guest.tree import Tree, cpio


def sample() -> Tree:
    tree = Tree()
    tree.file("usr/bin/tool", b"#!/bin/sh\n", 0o755)
    tree.link("bin", "usr/bin")
    tree.device("dev/console", 5, 1)
    return tree


def test_parents_come_before_children() -> None:
    paths = [path for path, _ in sample().sorted()]
    assert paths == ["bin", "dev", "dev/console", "usr", "usr/bin", "usr/bin/tool"]


@pytest.mark.parametrize("path", ["/etc", "a/../b"])
def test_paths_that_could_escape_are_refused(path: str) -> None:
    with pytest.raises(GuestBuildError, match="relative and plain"):
        Tree().file(path, b"")


def test_cpio_has_newc_members_on_word_boundaries() -> None:
    archive = cpio(sample(), epoch=1000)
    assert len(archive) % 4 == 0
    names, offset = [], 0
    while offset < len(archive):
        assert archive[offset : offset + 6] == b"070701"
        fields = [int(archive[offset + 6 + 8 * n : offset + 14 + 8 * n], 16) for n in range(13)]
        names.append(archive[offset + 110 : offset + 110 + fields[11] - 1].decode())
        offset += -(-(110 + fields[11]) // 4) * 4
        offset += -(-fields[6] // 4) * 4
    assert names == [*[path for path, _ in sample().sorted()], "TRAILER!!!"]


def test_boot_record_names_two_partitions() -> None:
    record = disk.boot_record(b"\xfa" * 440, 20 * disk.MIB, 60 * disk.MIB)
    assert len(record) == 512
    assert record[510:] == b"\x55\xaa"
    assert record[446] == 0x80
    assert struct.unpack_from("<II", record, 462 + 8) == (21 * 2048, 60 * 2048)


def test_boot_code_must_fit() -> None:
    with pytest.raises(GuestBuildError, match="room for 440"):
        disk.boot_record(b"x" * 441, disk.MIB, disk.MIB)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("lib/a.so", "usr/lib/a.so"), ("sbin/ip", "usr/sbin/ip"), ("etc/passwd", "etc/passwd")],
)
def test_merged_usr(path: str, expected: str) -> None:
    assert merged(path) == expected


def test_a_missing_program_is_named_with_the_remedy() -> None:
    with pytest.raises(GuestBuildError, match="DEBIAN_PACKAGES"):
        run(["andromede-no-such-program"])


def test_a_failing_program_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(GuestBuildError, match="failed with status"):
        run(["ls", str(tmp_path / "none")])
