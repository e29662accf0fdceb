"""Moments: read and written without loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andromede import clock


@given(st.datetimes())
def test_what_is_written_is_read_again(moment: object) -> None:
    read = clock.parse(f"{moment}")
    assert clock.parse(clock.iso_micro(read).zfill(27)) == read


@pytest.mark.parametrize(
    "text", ["soon", "", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-13-01"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        clock.parse(text)
