"""The header of a qcow2 file, checked before any other program opens it.

Source: QEMU, docs/interop/qcow2.txt, and the limits QEMU documents there. Touches only the
descriptor it is given.
"""

from __future__ import annotations

import os
import struct

HEAD = struct.Struct(">4sIQIIQIIQQIIQ")  # version 2's 72 bytes
MORE = struct.Struct(">QQQII")  # version 3's next 32
SNAPSHOT = struct.Struct(">QIHHIIQII")  # the fixed part of one entry of the snapshot table
EXTENSION = struct.Struct(">II")

DIRTY, CORRUPT, DATA_FILE, COMPRESSION, EXTENDED = 1, 2, 4, 8, 16
KNOWN = DIRTY | COMPRESSION | EXTENDED  # incompatible features that are accepted

CRYPTO_EXTENSION = 0x0537BE77
DATA_FILE_EXTENSION = 0x44415441
MOST_EXTENSIONS = 64
MOST_SNAPSHOTS = 64
LONGEST_HEADER = 4_096
L1_LIMIT = 32 << 20  # bytes
REFCOUNT_TABLE_LIMIT = 8 << 20  # bytes
TABLE_LIMIT = 1 << 20  # bytes of the snapshot table

Place = tuple[int, int]  # cluster size and file size, in bytes


class Refused(Exception):
    """The header says something that is not accepted; the text says what, and what is."""


def virtual_size(descriptor: int, file_size: int) -> int:
    """Check the header of a qcow2 file and answer the size in bytes of the disk inside.

    Errors: Refused; OSError when it cannot be read.
    """
    raw = os.pread(descriptor, HEAD.size, 0)
    if len(raw) < HEAD.size:
        raise Refused(f"the file is {file_size} bytes; a header alone is {HEAD.size}")
    (_, version, backing, _, bits, size, crypt, l1_size, l1, refcounts, clusters, count, table) = (
        HEAD.unpack(raw)
    )
    if version not in (2, 3):
        raise Refused(f"version {version}; 2 and 3 are accepted")
    if backing:
        raise Refused("it names a backing file; an image must stand alone")
    if not 9 <= bits <= 21:
        raise Refused(f"clusters of 2^{bits} bytes; 2^9 to 2^21 are accepted")
    if crypt:
        raise Refused("it is encrypted; an image must be readable without a key")
    cluster = 1 << bits
    header, extended = HEAD.size, False
    if version == 3:
        header, extended = _version_3(descriptor, cluster)
    if extended and bits < 14:
        raise Refused(f"extended entries in clusters of 2^{bits} bytes; at least 2^14 are needed")
    _extensions(descriptor, header, min(cluster, file_size))
    _l1(size, l1_size, bits, extended=extended)
    place = (cluster, file_size)
    _inside(place, "L1 table", l1, l1_size * 8, L1_LIMIT, needed=l1_size > 0)
    _inside(place, "refcount table", refcounts, clusters * cluster, REFCOUNT_TABLE_LIMIT)
    _snapshots(descriptor, table, count, place)
    return int(size)


def _version_3(descriptor: int, cluster: int) -> tuple[int, bool]:
    """Check what version 3 adds; answers the header's length and whether entries are extended."""
    raw = os.pread(descriptor, MORE.size + 1, HEAD.size)
    if len(raw) < MORE.size:
        raise Refused("the header of version 3 ends too early")
    incompatible, _, _, order, length = MORE.unpack(raw[: MORE.size])
    if incompatible & DATA_FILE:
        raise Refused("it keeps its data in an external file; an image must stand alone")
    if incompatible & CORRUPT:
        raise Refused("it is marked as corrupt")
    if incompatible & ~KNOWN:
        raise Refused(f"unknown incompatible features {incompatible & ~KNOWN:#x}")
    if order > 6:
        raise Refused(f"reference counts of 2^{order} bits; up to 2^6 are accepted")
    if length < HEAD.size + MORE.size or length % 8 or length > min(cluster, LONGEST_HEADER):
        raise Refused(
            f"a header of {length} bytes; 104 to {min(cluster, LONGEST_HEADER)} by eights "
            "are accepted"
        )
    kind = raw[MORE.size] if length > HEAD.size + MORE.size and len(raw) > MORE.size else 0
    if kind > 1 or bool(kind) != bool(incompatible & COMPRESSION):
        raise Refused(f"compression type {kind}, with or without the feature bit it needs")
    return length, bool(incompatible & EXTENDED)


def _extensions(descriptor: int, start: int, end: int) -> None:
    offset = start
    for _ in range(MOST_EXTENSIONS):
        raw = os.pread(descriptor, EXTENSION.size, offset) if offset + 8 <= end else b""
        if len(raw) < EXTENSION.size:
            return
        kind, length = EXTENSION.unpack(raw)
        if kind == 0:
            return
        if kind == DATA_FILE_EXTENSION:
            raise Refused("it names an external data file; an image must stand alone")
        if kind == CRYPTO_EXTENSION:
            raise Refused("it points to encryption keys; an image must be readable without a key")
        offset += EXTENSION.size + -(-length // 8) * 8
        if offset > end:
            raise Refused(f"header extension {kind:#x} of {length} bytes leaves the first cluster")
    raise Refused(f"more than {MOST_EXTENSIONS} header extensions")


def _l1(size: int, entries: int, bits: int, *, extended: bool) -> None:
    """Check that the L1 table is large enough for the disk."""
    per_table = (1 << bits) // (16 if extended else 8)
    covered = entries * per_table << bits
    if covered < size:
        raise Refused(f"its L1 table covers {covered} bytes of a disk of {size}")


def _inside(
    place: Place, what: str, offset: int, length: int, limit: int, *, needed: bool = True
) -> None:
    """Check that a table lies on a cluster's boundary and in the file, and is not too large."""
    cluster, file_size = place
    if length > limit:
        raise Refused(f"a {what} of {length} bytes; up to {limit} are accepted")
    if not needed:
        return
    if length == 0 or offset == 0:
        raise Refused(f"it has no {what}")
    if offset % cluster:
        raise Refused(f"its {what} at {offset} is not on a cluster's boundary")
    if offset + length > file_size:
        raise Refused(f"its {what} of {length} bytes at {offset} lies outside the file")


def _snapshots(descriptor: int, table: int, count: int, place: Place) -> None:
    """Walk the snapshot table: each entry and each entry's L1 table must lie in the file."""
    if count > MOST_SNAPSHOTS:
        raise Refused(f"{count} internal snapshots; up to {MOST_SNAPSHOTS} are accepted")
    offset = end = table
    for index in range(count):
        _inside(place, "snapshot table", table, offset - table + SNAPSHOT.size, TABLE_LIMIT)
        raw = os.pread(descriptor, SNAPSHOT.size, offset)
        if len(raw) < SNAPSHOT.size:
            raise Refused("its snapshot table ends too early")
        l1, l1_size, id_length, name_length, *_, extra = SNAPSHOT.unpack(raw)
        if extra > 1_024:
            raise Refused(
                f"snapshot {index} has {extra} bytes of extra data; up to 1024 are accepted"
            )
        what = f"L1 table of snapshot {index}"
        _inside(place, what, l1, l1_size * 8, L1_LIMIT, needed=l1_size > 0)
        end = offset + SNAPSHOT.size + extra + id_length + name_length
        offset = -(-end // 8) * 8
    if count:
        _inside(place, "snapshot table", table, end - table, TABLE_LIMIT)
