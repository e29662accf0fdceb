"""Request bodies of the sovereignty API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Site = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Policy(Struct, forbid_unknown_fields=True):
    """Where a project's data may lie. An empty list allows no site at all."""

    allowed_sites: Annotated[list[Site], Meta(max_length=256)]


class PolicyBody(Struct, forbid_unknown_fields=True):
    policy: Policy
