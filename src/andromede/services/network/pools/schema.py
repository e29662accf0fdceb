"""The attributes of a subnet pool."""

from __future__ import annotations

from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import (
    REQUIRED,
    STANDARD,
    UNSET,
    Attribute,
    Schema,
)

MOST = 2**31 - 1


def prefixes(value: Any) -> list[str]:
    """A list of CIDRs, or one."""
    found: list[str] = checks.listing(checks.cidr)([value] if isinstance(value, str) else value)
    if not found:
        raise ValueError("Empty subnet pool prefix list")
    return found


def pool_name(value: Any) -> str:
    word: str = checks.name(value)
    if not word:
        raise ValueError(f"'{value}' is blank")
    return word


_length = checks.integer(0, MOST)
_scope = checks.optional(checks.identifier)

POOL = Schema(
    "subnetpool",
    "subnetpools",
    [
        *(each for each in STANDARD if each.name != "name"),
        Attribute(name="name", reader=pool_name, default=REQUIRED),
        Attribute(name="prefixes", reader=prefixes, default=REQUIRED, stored=False),
        Attribute(name="default_quota", reader=checks.optional(_length), default=None),
        Attribute(name="ip_version"),
        Attribute(name="default_prefixlen", reader=_length, default=UNSET),
        Attribute(name="min_prefixlen", reader=_length, default=UNSET),
        Attribute(name="max_prefixlen", reader=_length, default=UNSET),
        Attribute(name="is_default", reader=checks.boolean, default=False, admin=True),
        Attribute(
            name="shared",
            reader=checks.boolean,
            put=False,
            default=False,
            admin=True,
            stored=False,
        ),
        Attribute(name="address_scope_id", reader=_scope, default=None),
    ],
)
