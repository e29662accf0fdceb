"""Identifiers: UUIDs of version 4, in both spellings, never twice."""

from __future__ import annotations

import uuid

from andromede import ids


def test_both_spellings_are_uuids_of_version_4() -> None:
    for text in [*(ids.new() for _ in range(200)), *(ids.new_hex() for _ in range(200))]:
        read = uuid.UUID(text)
        assert (read.version, read.variant) == (4, uuid.RFC_4122)
        assert text in (str(read), read.hex)


def test_no_two_are_the_same() -> None:
    assert len({ids.new_hex() for _ in range(10_000)}) == 10_000
