"""What a host lacks, as each half of an engine reports it. Touches nothing."""

from __future__ import annotations

from msgspec import Struct


class Lack(Struct, frozen=True, kw_only=True):
    """Something a host does not offer: its name, what its absence costs, and how to get it.

    `needed`: the embedded engine cannot work without it.
    """

    name: str
    cost: str
    remedy: str
    needed: bool = False
