"""What formats are taken for, and that no bytes make the reader fail or refuse nothing it should."""

from __future__ import annotations

import os
import re
import struct
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andromede.inspect import formats, qcow2
from andromede.inspect.verdict import Verdict

CLUSTER = 65_536
FIELDS = {
    "magic": 0,
    "version": 1,
    "backing": 2,
    "backing_size": 3,
    "bits": 4,
    "size": 5,
    "crypt": 6,
    "l1_size": 7,
    "l1": 8,
    "refcounts": 9,
    "refcount_clusters": 10,
    "snapshots": 11,
    "snapshot_table": 12,
    "incompatible": 13,
    "compatible": 14,
    "autoclear": 15,
    "order": 16,
    "length": 17,
}
SOUND = [b"QFI\xfb", 3, 0, 0, 16, 1 << 30, 0, 2, 3 * CLUSTER, CLUSTER, 1, 0, 0, 0, 0, 0, 4, 112]
LAYOUT = struct.Struct(">4sIQIIQIIQQIIQQQQII")


def image(extensions: bytes = b"", total: int = 4 * CLUSTER, **changed: int | bytes) -> bytes:
    """A qcow2 file that is sound but for what is changed."""
    fields = list(SOUND)
    for name, value in changed.items():
        fields[FIELDS[name]] = value
    return (LAYOUT.pack(*fields) + bytes(8) + extensions).ljust(total, b"\0")[:total]


@contextmanager
def opened(content: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        yield file.fileno()


def verdict(content: bytes, declared: str = "qcow2") -> Verdict:
    with opened(content) as descriptor:
        return formats.examine(descriptor, declared)


def test_a_sound_image_is_accepted_with_its_size() -> None:
    found = verdict(image())
    assert found == Verdict(
        format_declared="qcow2", format_found="qcow2", virtual_size=1 << 30, ok=True
    )


def test_version_2_is_accepted() -> None:
    assert verdict(image(version=2)[:72].ljust(4 * CLUSTER, b"\0")).ok


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"version": 4}, "version 4"),
        ({"backing": 200}, "backing file"),
        ({"bits": 8}, "2\\^8"),
        ({"bits": 22}, "2\\^22"),
        ({"bits": 0xFFFF_FFFF}, "clusters of"),
        ({"crypt": 1}, "encrypted"),
        ({"crypt": 2}, "encrypted"),
        ({"size": 0}, "0 bytes"),
        ({"size": 1 << 62}, "covers"),
        ({"size": 1 << 47, "l1_size": 1 << 22}, "up to|outside"),
        ({"l1_size": 1}, "covers"),
        ({"l1_size": 0xFFFF_FFFF}, "up to"),
        ({"l1": 3 * CLUSTER + 8}, "boundary"),
        ({"l1": 4 * CLUSTER}, "outside the file"),
        ({"l1": 0}, "no L1 table"),
        ({"l1": (1 << 64) - CLUSTER}, "outside the file"),
        ({"refcounts": 0}, "no refcount table"),
        ({"refcounts": 1 << 40}, "outside the file"),
        ({"refcount_clusters": 0}, "no refcount table"),
        ({"refcount_clusters": 0xFFFF_FFFF}, "up to"),
        ({"incompatible": 2}, "corrupt"),
        ({"incompatible": 4}, "external file"),
        ({"incompatible": 1 << 40}, "0x10000000000"),
        ({"incompatible": 8}, "compression type 0"),
        ({"incompatible": 16, "bits": 13}, "extended|boundary"),
        ({"order": 7}, "2\\^7"),
        ({"length": 96}, "header of 96"),
        ({"length": 105}, "header of 105"),
        ({"length": 0xFFFF_FFF8}, "header of"),
        ({"snapshots": 0xFFFF_FFFF}, "internal snapshots"),
        ({"snapshots": 1, "snapshot_table": 0}, "no snapshot table"),
        ({"snapshots": 1, "snapshot_table": 4 * CLUSTER}, "outside the file"),
        ({"snapshots": 64, "snapshot_table": (1 << 64) - 1}, "boundary"),
    ],
)
def test_a_header_that_is_not_sound_is_refused(changed: dict[str, int], named: str) -> None:
    found = verdict(image(**changed))
    assert not found.ok
    assert found.format_found == "qcow2"
    assert found.reason is not None
    assert re.search(named, found.reason), found.reason


def extension(kind: int, data: bytes, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return struct.pack(">II", kind, size) + data.ljust(-(-len(data) // 8) * 8, b"\0")


@pytest.mark.parametrize(
    ("extensions", "named"),
    [
        (extension(qcow2.DATA_FILE_EXTENSION, b"/etc/shadow"), "external data file"),
        (extension(0x6803F857, bytes(48)) + extension(0x44415441, b"x"), "external data file"),
        (extension(qcow2.CRYPTO_EXTENSION, bytes(16)), "encryption keys"),
        (extension(0x1234, b"", 0xFFFF_FFFF), "leaves the first cluster"),
        (extension(0x1234, b"") * 65, "more than 64"),
    ],
)
def test_header_extensions_that_reach_out_are_refused(extensions: bytes, named: str) -> None:
    found = verdict(image(extensions))
    assert not found.ok
    assert named in str(found.reason)


def test_harmless_extensions_are_accepted() -> None:
    assert verdict(image(extension(0x6803F857, bytes(96)) + extension(0x99, b"?"))).ok


def snapshot(l1: int = 2 * CLUSTER, l1_size: int = 2, extra: int = 16) -> bytes:
    head = qcow2.SNAPSHOT.pack(l1, l1_size, 1, 3, 0, 0, 0, 0, extra)
    return head + bytes(min(extra, 16)) + b"1one"


@pytest.mark.parametrize(
    ("entry", "ok"),
    [
        (snapshot(), True),
        (snapshot(l1=1 << 50), False),
        (snapshot(l1=5), False),
        (snapshot(l1_size=1 << 30), False),
        (snapshot(extra=1 << 30), False),
    ],
)
def test_snapshots_must_lie_in_the_file(entry: bytes, ok: bool) -> None:
    content = image(snapshots=1, snapshot_table=4 * CLUSTER) + entry
    assert verdict(content).ok is ok


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"KDMV" + bytes(508), "vmdk"),
        (b"# Disk DescriptorFile\nversion=1\n", "vmdk"),
        (b"conectix" + bytes(504), "vhd"),
        (bytes(1024) + b"conectix" + bytes(504), "vhd"),
        (b"vhdxfile" + bytes(504), "vhdx"),
        (bytes(64) + b"\x7f\x10\xda\xbe" + bytes(508), "vdi"),
        (b"LUKS\xba\xbe" + bytes(506), "luks"),
        (bytes(0x8001) + b"CD001" + bytes(2048), "iso"),
        (b"QED\0" + bytes(508), "qed"),
        (b"\x7fELF" + bytes(508), "raw"),
    ],
)
def test_other_formats_are_known_by_their_magic_and_never_ok_as_raw(
    content: bytes, found: str
) -> None:
    as_raw, as_itself = verdict(content, "raw"), verdict(content, found)
    assert as_raw.format_found == found
    assert as_raw.ok is (found == "raw")
    assert as_itself.ok is (found == "raw")


def test_raw_is_raw_and_rounds_up_to_a_sector() -> None:
    found = verdict(b"\x01" * 513, "raw")
    assert (found.ok, found.virtual_size) == (True, 1024)


@pytest.mark.parametrize("declared", ["raw", "qcow2", "nonsense", ""])
def test_an_empty_file_is_never_ok(declared: str) -> None:
    assert not verdict(b"", declared).ok


def test_what_is_no_regular_file_is_not_read() -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(OSError, match="not a regular file"):
            formats.examine(reader, "raw")
    finally:
        os.close(reader)
        os.close(writer)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=4_096), st.sampled_from(["qcow2", "raw", "vmdk", "iso"]))
def test_no_bytes_make_it_fail(content: bytes, declared: str) -> None:
    found = verdict(content, declared)
    assert found.ok == (found.reason is None)


@settings(max_examples=600, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([name for name in FIELDS if name != "magic"]),
        st.one_of(
            st.integers(0, 64), st.integers(0, 2**32 - 1), st.sampled_from([CLUSTER, 3 * CLUSTER])
        ),
        max_size=6,
    ),
    st.binary(max_size=256),
    st.integers(0, 5 * CLUSTER),
)
def test_no_header_makes_it_fail_or_reach_out(
    changed: dict[str, int], extensions: bytes, length: int
) -> None:
    content = image(extensions, length, **changed)
    found = verdict(content)
    if found.ok:
        fields = LAYOUT.unpack(content[: LAYOUT.size])
        assert fields[FIELDS["backing"]] == 0
        assert fields[FIELDS["crypt"]] == 0
        version_3 = fields[FIELDS["version"]] == 3
        assert not (version_3 and fields[FIELDS["incompatible"]] & 6)
        assert fields[FIELDS["l1"]] + 8 * fields[FIELDS["l1_size"]] <= length
        assert 0 < found.virtual_size <= formats.LARGEST


@pytest.mark.parametrize(
    "changed",
    [
        {"l1_size": 0xFFFF_FFFF},
        {"refcount_clusters": 0xFFFF_FFFF},
        {"snapshots": 0xFFFF_FFFF, "snapshot_table": CLUSTER},
        {"size": (1 << 64) - 1},
        {"bits": 21, "length": 0xFFFF_FFF8},
    ],
)
def test_no_claimed_size_is_allocated(changed: dict[str, int]) -> None:
    with opened(image(extension(1, b"", 0xFFFF_FFF0), **changed)) as descriptor:
        tracemalloc.start()
        try:
            formats.examine(descriptor, "qcow2")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 256 << 10
