"""What a disk image is, from its own bytes: the format by magic, and the whole header of a qcow2.

Reads a few fixed-size pieces at checked offsets; no size that the file claims is ever allocated.
Touches only the descriptor it is given.
"""

from __future__ import annotations

import os
import stat

from andromede.inspect import qcow2
from andromede.inspect.verdict import Verdict

SECTOR = 512
LARGEST = 64 << 40  # bytes of the disk inside an image

MAGICS = (
    ("qcow2", 0, b"QFI\xfb"),
    ("vmdk", 0, b"KDMV"),
    ("vmdk", 0, b"COWD"),
    ("vmdk", 0, b"# Disk DescriptorFile"),
    ("vhdx", 0, b"vhdxfile"),
    ("vhd", 0, b"conectix"),
    ("vdi", 64, b"\x7f\x10\xda\xbe"),
    ("luks", 0, b"LUKS\xba\xbe"),
    ("qed", 0, b"QED\0"),
    ("parallels", 0, b"WithoutFreeSpace"),
    ("parallels", 0, b"WithouFreSpacExt"),
    ("iso", 0x8001, b"CD001"),
)
SAME = {"vpc": "vhd", "ami": "raw"}  # names of the image API for what is found under another


def detect(descriptor: int) -> str:
    """The format a file's magic shows; "raw" when there is none.

    Errors: OSError.
    """
    for name, offset, magic in MAGICS:
        if os.pread(descriptor, len(magic), offset) == magic:
            return name
    size = os.fstat(descriptor).st_size
    if size >= SECTOR and os.pread(descriptor, 8, size - SECTOR) == b"conectix":
        return "vhd"  # a fixed one has its mark in the last sector alone
    return "raw"


def examine(descriptor: int, declared: str) -> Verdict:
    """Judge a regular file that is said to be `declared` ("qcow2", "raw", "vmdk", …).

    Errors: OSError when it cannot be read, or is not a regular file.
    """
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise OSError("inspecting an image: it is not a regular file")
    found = detect(descriptor)
    wanted = SAME.get(declared, declared)

    def verdict(reason: str | None, size: int = 0) -> Verdict:
        return Verdict(
            format_declared=declared,
            format_found=found,
            virtual_size=size,
            ok=reason is None,
            reason=reason,
        )

    if facts.st_size == 0:
        return verdict("the file is empty")
    if found != wanted:
        return verdict(f"declared as {declared}, but the content is {found}")
    if found == "raw":
        size = -(-facts.st_size // SECTOR) * SECTOR
        return verdict(_too_large(size), size)
    if found == "qcow2":
        try:
            size = qcow2.virtual_size(descriptor, facts.st_size)
        except qcow2.Refused as refusal:
            return verdict(f"qcow2: {refusal}")
        return verdict(_too_large(size), size)
    return verdict(f"the content is {found}: it is kept as it is; only qcow2 and raw can be booted")


def _too_large(size: int) -> str | None:
    if 0 < size <= LARGEST:
        return None
    return f"the disk inside is {size} bytes; 1 to {LARGEST} are accepted"
