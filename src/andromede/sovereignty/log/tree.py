"""The Merkle tree of RFC 9162, section 2.1: its hashes, and its frontier as it grows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HASH = 32  # bytes
WIDTH = 256  # hashes in a full tile
TILE_HEIGHT = 8  # levels of the tree that one tile spans
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def parts(data: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def pairs(hashes: Sequence[bytes]) -> list[bytes]:
    """The nodes above these, as far as there are whole pairs."""
    return [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root above a power of two of hashes."""
    while len(hashes) > 1:
        hashes = pairs(hashes)
    return hashes[0]


def split(count: int) -> int:
    """The largest power of two that is smaller than `count`, which is 2 or more."""
    return 1 << ((count - 1).bit_length() - 1)


class Frontier:
    """A growing tree of `size` leaves. `peaks` are the roots of its full subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: list[bytes] | None = None) -> None:
        self.size = size
        self.peaks = list(peaks or [])
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} full subtrees")

    def add(self, hashed: bytes) -> None:
        """Append one leaf by its hash."""
        node, size = hashed, self.size
        while size & 1:
            node = node_hash(self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The tree head; of an empty tree the hash of nothing."""
        if not self.peaks:
            return EMPTY
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node
