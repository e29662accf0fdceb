"""The attributes of an address scope."""

from __future__ import annotations

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import REQUIRED, STANDARD, Attribute, Schema

PLAIN = tuple(
    each
    for each in STANDARD
    if each.name not in ("description", "tags", "revision_number", "created_at", "updated_at")
)


def ip_version(value: object) -> int:
    """4 or 6, as a number or its text."""
    number = checks.integer(0, 255)(value)
    return int(checks.one_of(4, 6)(number))


SCOPE = Schema(
    "address_scope",
    "address_scopes",
    [
        *PLAIN,
        Attribute(name="ip_version", reader=ip_version, put=False, default=REQUIRED),
        Attribute(name="shared", reader=checks.boolean, default=False, admin=True, stored=False),
    ],
)
