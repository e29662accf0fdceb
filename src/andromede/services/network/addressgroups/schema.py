"""The attributes of an address group."""

from __future__ import annotations

from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import STANDARD, Attribute, Schema

MOST_ADDRESSES = 1000


def addresses(value: Any) -> list[str]:
    """CIDRs of both families, each once, in order."""
    found = sorted(set(checks.listing(checks.cidr)(value)))
    if len(found) > MOST_ADDRESSES:
        raise ValueError(f"{len(found)} addresses; at most {MOST_ADDRESSES} are accepted")
    return found


ADDRESS_GROUP = Schema(
    "address_group",
    "address_groups",
    [
        *(each for each in STANDARD if each.name != "tags"),
        Attribute(name="addresses", reader=addresses, put=False, default=[], stored=False),
        Attribute(name="shared", stored=False),
    ],
)
