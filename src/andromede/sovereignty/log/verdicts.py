"""What an examination says, and the tree heads that it found signed."""

from __future__ import annotations

from msgspec import Struct

from andromede.sovereignty.log.note import Checkpoint

TRUE, FALSE, NOT_SHOWN = "verified", "false", "not shown"


class Line(Struct, frozen=True):
    """One statement on one file, and whether it is verified, false or not shown."""

    file: str
    verdict: str
    text: str


class Head(Struct, frozen=True):
    """A tree head whose signature was verified, the key that did, and the file it is from."""

    file: str
    key: str
    checkpoint: Checkpoint
