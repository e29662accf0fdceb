"""The Merkle tree against RFC 9162's own recursive definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.sovereignty.log.tree import EMPTY, Frontier, leaf_hash

# Roots of trees over the first inputs, as implementations of Certificate Transparency publish them.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def head(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + head(leaves[:split]) + head(leaves[split:])).digest()


def grown(leaves: list[bytes]) -> Frontier:
    tree = Frontier()
    for data in leaves:
        tree.add(leaf_hash(data))
    return tree


@given(st.lists(st.binary(max_size=8), max_size=130))
def test_the_root_is_the_standards(leaves: list[bytes]) -> None:
    assert grown(leaves).root() == head(leaves)


@given(st.lists(st.binary(max_size=8), max_size=70), st.lists(st.binary(max_size=8), max_size=70))
def test_a_stored_frontier_grows_as_the_whole_tree(old: list[bytes], new: list[bytes]) -> None:
    before = grown(old)
    after = Frontier(before.size, before.peaks)
    for data in new:
        after.add(leaf_hash(data))
    assert after.root() == head(old + new)
    assert after.size == len(old) + len(new)
    assert before.root() == head(old), "the copy does not change what it was made of"


@pytest.mark.parametrize("size", ROOTS)
def test_known_roots(size: int) -> None:
    assert grown(INPUTS[:size]).root().hex() == ROOTS[size]


def test_an_empty_tree() -> None:
    assert Frontier().root() == EMPTY


def test_peaks_fit_the_size() -> None:
    with pytest.raises(ValueError, match="2 full subtrees"):
        Frontier(3, [EMPTY])
