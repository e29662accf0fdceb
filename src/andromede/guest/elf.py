"""Reads what programs, libraries and kernel modules of ELF64 need, from their own headers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DYNAMIC = 6
_DT_NEEDED = 1


@dataclass(frozen=True)
class Section:
    name: str
    kind: int
    offset: int
    size: int
    link: int


def is_elf(data: bytes) -> bool:
    """Whether `data` begins as a little-endian ELF64 file."""
    return data[:6] == b"\x7fELF\x02\x01"


def sections(data: bytes) -> list[Section]:
    """The section table of an ELF64 file; empty when there is none."""
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names_index = struct.unpack_from("<HHH", data, 0x3A)
    if not table or not count:
        return []
    rows = []
    for index in range(count):
        name, kind = struct.unpack_from("<II", data, table + index * size)
        offset, length, link = struct.unpack_from("<QQI", data, table + index * size + 0x18)
        rows.append((name, kind, offset, length, link))
    base = rows[names_index][2]
    return [Section(_text(data, base + row[0]), *row[1:]) for row in rows]


def needed_libraries(data: bytes) -> list[str]:
    """The sonames in DT_NEEDED of a dynamic program or library."""
    if not is_elf(data):
        return []
    table = sections(data)
    found = []
    for section in table:
        if section.kind != _DYNAMIC:
            continue
        strings = table[section.link].offset
        for tag, value in struct.iter_unpack(
            "<QQ", data[section.offset : section.offset + section.size]
        ):
            if tag == _DT_NEEDED:
                found.append(_text(data, strings + value))
    return found


def module_info(path: Path) -> Iterator[tuple[str, str]]:
    """The key=value pairs of a kernel module's .modinfo section, in order."""
    data = path.read_bytes()
    for section in sections(data):
        if section.name != ".modinfo":
            continue
        for item in data[section.offset : section.offset + section.size].split(b"\0"):
            key, _, value = item.decode("utf-8", "replace").partition("=")
            if key:
                yield key, value


def _text(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode()
