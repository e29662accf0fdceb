"""The archive that a customer takes away: a ZIP whose bytes follow from its files alone. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final

EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say
READABLE: Final = 0o100644 << 16
LARGEST: Final = 1 << 30  # bytes of an archive that is read


class ArchiveError(ValueError):
    """An archive cannot be read, or has bytes that its files do not account for."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The files, stored without compression in the order of their names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = READABLE
            archive.writestr(entry, files[name])
    return made.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an archive. Every byte of it is accounted for.

    Errors: ArchiveError.
    """
    if len(data) > LARGEST:
        raise ArchiveError(f"it has {len(data)} bytes; at most {LARGEST} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if any(each.compress_type != zipfile.ZIP_STORED for each in entries):
                raise ArchiveError("a file in it is compressed; evidence is stored as it is")
            files = {each.filename: archive.read(each) for each in entries}
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ArchiveError(f"it is no ZIP archive that can be read: {error}") from error
    if pack(files) != data:
        raise ArchiveError("it has bytes besides its files': it was altered after it was made")
    return files
