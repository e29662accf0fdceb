"""A server's console log: kept to its last part, whatever the guest writes. Touches that file."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

LOG = "console.log"
QEMU_LOG = "qemu.log"
KEPT = 1 << 20  # bytes that stay after a trim
LIMIT = 2 << 20  # bytes at which a log is trimmed
FALLOC_FL_COLLAPSE_RANGE = 0x08

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def open_log(folder: Path, name: str) -> int:
    """A descriptor that appends to a log in a server's folder. Errors: OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.open(folder / name, flags, 0o600)


def trim(log: Path, kept: int = KEPT, limit: int = LIMIT) -> bool:
    """Cut the head off a log that has grown past `limit` bytes, while its writer goes on appending.

    Where the file system cannot cut a head off, the tail is written anew, and what the guest writes
    in that instant may come before it. True when something was cut. Errors: OSError.
    """
    try:
        descriptor = os.open(log, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        facts = os.fstat(descriptor)
        if facts.st_size <= limit:
            return False
        cut = (facts.st_size - kept) // facts.st_blksize * facts.st_blksize
        if cut <= 0:
            return False
        if _libc.fallocate(descriptor, FALLOC_FL_COLLAPSE_RANGE, 0, cut) != 0:
            tail = os.pread(descriptor, kept, facts.st_size - kept)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, tail)
        return True
    finally:
        os.close(descriptor)
