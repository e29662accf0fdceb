"""Regular expressions in linear time, against Python's own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede.db import regular

ATOMS = st.sampled_from(["a", "b", "-", ".", "[ab]", "[^a]", "[a-c]", r"\.", r"[\]\-]", "%", "_"])
PARTS = st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?"])).map("".join)
ALTERNATIVES = st.tuples(
    st.sampled_from(["", "^"]), st.lists(PARTS, max_size=4).map("".join), st.sampled_from(["", "$"])
).map("".join)
PATTERNS = st.lists(ALTERNATIVES, min_size=1, max_size=3).map("|".join)


@given(PATTERNS, st.text("abc-.]%_", max_size=8))
def test_it_finds_what_others_find(pattern: str, text: str) -> None:
    assert regular.found(pattern, text) == bool(re.search(pattern, text))
    assert regular.found(regular.spelled(pattern), text) == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(a)", "x(a)y", True),
        ("a{2}", "aa", False),
        ("[a", "x[ab", True),
        ("a]", "a]", True),
        ("*", "*", True),
        ("a^b", "a^b", True),
        ("a$b", "a$b", True),
        ("^^a", "^ab", True),
        ("[c-a]", "b", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        ("a\\", "a\\", True),
        ("", "", True),
        ("a", None, False),
    ],
    ids=[
        "group", "count", "open", "closed", "star", "caret", "dollar", "two carets", "reversed",
        "bracket first", "hyphen last", "backslash last", "empty", "null",
    ],
)  # fmt: skip
def test_what_is_no_sign_stands_for_itself(pattern: str, text: str | None, expected: bool) -> None:
    assert regular.found(pattern, text) is expected


def test_what_others_never_end_ends() -> None:
    assert not regular.found(".*" * 60 + "x", "a" * 255)
