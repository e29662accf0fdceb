"""The paths of tiles, as C2SP tlog-tiles spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.sovereignty.log.paths import TilePath, needed, read_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (TilePath(0, 0), "tile/0/000"),
        (TilePath(0, 1234067), "tile/0/x001/x234/067"),
        (TilePath(1, 1000, 17), "tile/1/x001/000.p/17"),
        (TilePath(None, 273, 112), "tile/entries/273.p/112"),
        (TilePath(63, 999), "tile/63/999"),
    ],
)
def test_known_paths(path: TilePath, text: str) -> None:
    assert str(path) == text
    assert read_path(text.split("/")[1:]) == path


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 10**12), st.integers(1, 256))
def test_paths_are_read_as_they_are_written(level: int | None, number: int, width: int) -> None:
    path = TilePath(level, number, width)
    assert read_path(str(path).split("/")[1:]) == path


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "0/0", "0/00", "0/0000", "00/000", "64/000", "x/000", "-1/000", "0/x000/000",
        "0/001/002", "0/x001/x002", "0/x01/002", "0/000.p", "0/000.p/0", "0/000.p/256",
        "0/000.p/01", "0/000.p/x", "0/000/1", "entries", "entries/x", "0/000.p/1/2", "0/٣٣٣",
    ],
)  # fmt: skip
def test_other_paths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no tile"):
        read_path(text.split("/"))


def test_what_a_tree_of_the_standards_example_needs() -> None:
    paths = needed(70_000)
    count = {
        level: len([each for each in paths if each.level == level]) for level in (None, 0, 1, 2)
    }
    assert count == {None: 274, 0: 274, 1: 2, 2: 1}
    assert TilePath(0, 273, 112) in paths
    assert TilePath(1, 1, 17) in paths
    assert TilePath(2, 0, 1) in paths
    assert [str(each) for each in needed(256)] == [
        "tile/entries/000", "tile/0/000", "tile/1/000.p/1",
    ]  # fmt: skip
    assert needed(0) == []
