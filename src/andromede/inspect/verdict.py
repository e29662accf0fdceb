"""What is asked of an inspection, and what it answers. Touches nothing."""

from __future__ import annotations

from msgspec import Struct

PATIENCE = 120.0  # seconds an inspection may take
LONGEST = 65_536  # bytes of a message


class Verdict(Struct, frozen=True, kw_only=True):
    """What a file is. Only one that is `ok` may ever be booted or converted."""

    format_declared: str
    format_found: str  # "raw" when nothing else is recognised
    virtual_size: int  # bytes of the disk inside; 0 when it is not known
    ok: bool
    reason: str | None = None  # why not ok, for people


class InspectionError(Exception):
    """The inspection itself failed: nothing is known of the image."""


class Request(Struct):
    """What the api asks: the format that the image's owner declared."""

    declared: str


class Failure(Struct):
    """Nothing is known of the image, and why."""

    error: str
