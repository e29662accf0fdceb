"""Proofs from tiles, beside the standard's own recursive definition and an independent library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from andromede.sovereignty.log.proof import (
    ProofError,
    Tree,
    verify_consistency,
    verify_inclusion,
)
from andromede.sovereignty.log.tree import EMPTY, WIDTH, leaf_hash, root_of
from tests.unit.sovereignty.test_tree import INPUTS, head

MOST = 600
ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(MOST)]


def reader(entries: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """The tiles of a whole log, in memory."""
    levels = [[leaf_hash(each) for each in entries]]
    while len(levels[-1]) >= WIDTH:
        low = levels[-1]
        full = len(low) // WIDTH
        levels.append([root_of(low[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)])

    def read(level: int, number: int) -> bytes:
        row = levels[level] if level < len(levels) else []
        return b"".join(row[number * WIDTH : (number + 1) * WIDTH])

    return read


READ = reader(ENTRIES)


def oracle() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for each in ENTRIES:
        tree.append_entry(each)
    return tree


ORACLE = oracle()


def subproof(first: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162, section 2.1.4.1."""
    if first == len(leaves):
        return [] if whole else [head(leaves)]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    if first <= middle:
        return [*subproof(first, leaves[:middle], whole), head(leaves[middle:])]
    return [*subproof(first - middle, leaves[middle:], False), head(leaves[:middle])]


sizes = st.integers(1, MOST)


@given(sizes, st.data())
def test_inclusion_proofs_are_those_of_an_independent_library(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(size, READ)
    assert tree.root() == ORACLE.get_root(size)
    proof = tree.inclusion(index)
    theirs = ORACLE.prove_inclusion(index + 1, size)
    assert theirs.path == [leaf_hash(ENTRIES[index]), *proof]
    verify_inclusion(leaf_hash(ENTRIES[index]), index, size, proof, ORACLE.get_root(size))


@settings(max_examples=60)
@given(sizes, st.data())
def test_consistency_proofs_are_the_standards(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    proof = Tree(size, READ).consistency(first)
    assert proof == subproof(first, ENTRIES[:size], True)
    verify_consistency(first, ORACLE.get_root(first), size, ORACLE.get_root(size), proof)


@given(sizes, st.data())
def test_no_inclusion_proof_holds_for_anything_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(size, READ)
    proof, root = tree.inclusion(index), tree.root()
    hashed = leaf_hash(ENTRIES[index])
    other = data.draw(st.integers(0, size).filter(lambda each: each != index))
    tried: list[tuple[bytes, int, list[bytes]]] = [
        (hashed, other, proof), (leaf_hash(b"x"), index, proof), (hashed, index, [*proof, root]),
    ]  # fmt: skip
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        tried += [
            (hashed, index, proof[:-1]),
            (hashed, index, [*proof[:at], bytes(32), *proof[at + 1 :]]),
        ]
    for leaf, place, path in tried:
        with pytest.raises(ProofError):
            verify_inclusion(leaf, place, size, path, root)


@given(sizes, st.data())
def test_no_consistency_proof_holds_for_anything_else(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size))
    tree = Tree(size, READ)
    proof, old, new = tree.consistency(first), tree.at(first).root(), tree.root()
    tried = [(bytes(32), new, proof), (old, bytes(32), proof), (old, new, [*proof, new])]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        tried += [(old, new, proof[:-1]), (old, new, [])]
        tried.append((old, new, [*proof[:at], bytes(32), *proof[at + 1 :]]))
    for before, after, path in tried:
        with pytest.raises(ProofError):
            verify_consistency(first, before, size, after, path)


def test_a_fork_has_no_consistency_proof() -> None:
    forked = Tree(MOST, reader([*ENTRIES[:300], bytes(32), *ENTRIES[301:]]))
    honest = Tree(MOST, READ)
    for first in (301, 400, 512):
        with pytest.raises(ProofError, match="forked or edited"):
            verify_consistency(
                first, honest.at(first).root(), MOST, forked.root(), forked.consistency(first)
            )
    with pytest.raises(ProofError, match="split view"):
        verify_consistency(MOST, honest.root(), MOST, forked.root(), [])


def test_known_consistency_proofs() -> None:
    proof = Tree(8, reader(INPUTS)).consistency(6)
    assert [each.hex()[:16] for each in proof] == [
        "0ebc5d3437fbe2db", "ca854ea128ed050b", "d37ee418976dd957",
    ]  # fmt: skip


def test_beginnings_need_no_proof() -> None:
    tree = Tree(5, READ)
    assert tree.consistency(0) == tree.consistency(5) == []
    verify_consistency(0, EMPTY, 5, tree.root(), [])
    assert Tree(0, READ).root() == EMPTY
    for first, root, proof, said in (
        (0, bytes(32), [], "hash of nothing"), (0, EMPTY, [bytes(32)], "must be empty"),
        (6, tree.root(), [], "cannot begin"),
    ):  # fmt: skip
        with pytest.raises(ProofError, match=said):
            verify_consistency(first, root, 5, tree.root(), proof)


def test_truncated_tiles_are_refused_with_the_reason() -> None:
    for cut in (1, 32, 33):

        def cut_off(level: int, number: int, cut: int = cut) -> bytes:
            return READ(level, number)[:-cut]

        with pytest.raises(ProofError, match="truncated or missing"):
            Tree(MOST, cut_off).root()
    with pytest.raises(ProofError, match="tile 0/1 has 0 bytes"):
        Tree(MOST, lambda level, n: b"" if (level, n) == (0, 1) else READ(level, n)).inclusion(300)


def test_what_is_not_in_the_tree_cannot_be_proven() -> None:
    tree = Tree(5, READ)
    for ask in (lambda: tree.inclusion(5), lambda: tree.consistency(6), lambda: tree.at(6)):
        with pytest.raises(ProofError):
            ask()
    with pytest.raises(ProofError, match="cannot be in"):
        verify_inclusion(bytes(32), 5, 5, [], bytes(32))
