"""The laws that reach an entity or a place, from the reviewed data file `laws.toml`. Pure."""

from __future__ import annotations

from msgspec import Struct


class Exposure(Struct, frozen=True, kw_only=True):
    """One law that reaches a place or an entity: by which country's, through whom, and why.

    `path` are entity ids from the one asked about to the one that the law takes hold of.
    """

    law: str  # the law's id in the data file
    country: str
    kind: str  # "domestic" or "extraterritorial"
    entity: str  # "" where the law reaches the place itself
    path: tuple[str, ...] = ()
    why: str = ""
