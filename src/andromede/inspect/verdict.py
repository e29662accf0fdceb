"""What inspection answers. Touches nothing."""

from __future__ import annotations

from msgspec import Struct


class Verdict(Struct, frozen=True, kw_only=True):
    """What a file is. Only one that is `ok` may ever be booted or converted."""

    format_declared: str
    format_found: str  # "raw" when nothing else is recognised
    virtual_size: int  # bytes of the disk inside; 0 when it is not known
    ok: bool
    reason: str | None = None  # why not ok, for people
