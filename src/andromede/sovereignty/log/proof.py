"""Merkle proofs of RFC 9162, sections 2.1.3 and 2.1.4: made from tiles, verified from nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from andromede.sovereignty.log.tree import (
    EMPTY,
    HASH,
    TILE_HEIGHT,
    WIDTH,
    node_hash,
    pairs,
    split,
)

Read = Callable[[int, int], bytes]  # level, number -> the hashes of a tile that are there


class ProofError(ValueError):
    """A proof, or what it would be made from, does not hold; the text says why."""


class Tree:
    """The tree of the first `size` leaves, whose nodes are computed from hash tiles.

    `read(level, number)` gives a tile's bytes, which may be wider than this tree needs.
    """

    def __init__(self, size: int, read: Read) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def root(self) -> bytes:
        """The tree head.

        Errors: ProofError for a tile that is too short.
        """
        return self._range(0, self.size) if self.size else EMPTY

    def at(self, size: int) -> Tree:
        """An earlier tree over the same tiles.

        Errors: ProofError when it is larger than this one.
        """
        if not 0 <= size <= self.size:
            raise ProofError(f"a tree of {self.size} leaves has no earlier one of {size}")
        return Tree(size, self._read)

    def inclusion(self, index: int) -> list[bytes]:
        """The inclusion proof of a leaf, from the leaf up (RFC 9162, 2.1.3.1).

        Errors: ProofError when there is no such leaf.
        """
        if not 0 <= index < self.size:
            raise ProofError(f"leaf {index} is not in a tree of {self.size} leaves")
        path: list[bytes] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, first: int) -> list[bytes]:
        """The proof that the tree of the first leaves is the beginning of this one (2.1.4.1).

        Empty for the sizes 0 and its own. Errors: ProofError for a larger one.
        """
        if not 0 <= first <= self.size:
            raise ProofError(f"a tree of {self.size} leaves does not begin with {first}")
        if first in (0, self.size):
            return []
        path: list[bytes] = []
        start, end, whole = 0, self.size, True
        while first != end:
            middle = start + split(end - start)
            if first <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, end))
        return path[::-1]

    def _range(self, start: int, end: int) -> bytes:
        """The hash over consecutive leaves; `start` is a multiple of their full subtree's size."""
        count = end - start
        if count & (count - 1) == 0:
            height = count.bit_length() - 1
            return self._node(height, start >> height)
        middle = start + split(count)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _node(self, height: int, index: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        first = index << above
        return self._pyramid(level, first // WIDTH)[above][first % WIDTH >> above]

    def _pyramid(self, level: int, number: int) -> list[list[bytes]]:
        """A tile's hashes and the nodes above them, lowest first."""
        found = self._tiles.get((level, number))
        if found is None:
            width = min(WIDTH, (self.size >> TILE_HEIGHT * level) - number * WIDTH)
            data = self._read(level, number)
            if len(data) < width * HASH:
                raise ProofError(
                    f"tile {level}/{number} has {len(data)} bytes; a tree of {self.size} leaves "
                    f"needs {width * HASH}: it is truncated or missing"
                )
            rows = [[data[at : at + HASH] for at in range(0, width * HASH, HASH)]]
            while len(rows[-1]) > 1:
                rows.append(pairs(rows[-1]))
            found = self._tiles[level, number] = rows
        return found


def verify_inclusion(
    hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf with this hash is at the index of the tree (RFC 9162, 2.1.3.2).

    Errors: ProofError.
    """
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} cannot be in a tree of {size} leaves")
    node, at, last = hashed, index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofError(f"the inclusion proof of leaf {index} is too long")
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofError(f"the inclusion proof of leaf {index} is too short")
    if node != root:
        raise ProofError(f"leaf {index} is not in the tree of {size} leaves with the stated root")


def verify_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree is the beginning of another (RFC 9162, 2.1.4.2).

    Errors: ProofError.
    """
    if not 0 <= first <= second:
        raise ProofError(f"a tree of {second} leaves cannot begin with one of {first}")
    if first in (0, second):
        _verify_without(first, first_root, second, second_root, proof)
        return
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        raise ProofError(f"the consistency proof from {first} to {second} is empty")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            raise ProofError(f"the consistency proof from {first} to {second} is too long")
        if at & 1 or at == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, node)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofError(f"the consistency proof from {first} to {second} is too short")
    if old != first_root or new != second_root:
        raise ProofError(
            f"the tree of {second} leaves does not contain the one of {first}: "
            f"the log was forked or edited"
        )


def _verify_without(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Of an empty beginning, or of the same size: there is nothing to prove."""
    if proof:
        raise ProofError(f"the consistency proof from {first} to {second} must be empty")
    if first == 0 and first_root != EMPTY:
        raise ProofError("the root of an empty tree is not the hash of nothing")
    if first == second and first_root != second_root:
        raise ProofError(f"two trees of {first} leaves have different roots: a split view")
