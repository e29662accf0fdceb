"""The attributes of a port forwarding."""

from __future__ import annotations

from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import REQUIRED, STANDARD, Attribute, Schema

MOST_PORTS = 1000  # of one forwarding
_port = checks.integer(1, 65_535)


def port_range(value: Any) -> str | None:
    """`80:90`, or `80` alone, as `first:last`."""
    if value is None:
        return None
    first, colon, last = str(value).partition(":")
    low = _port(first)
    high = _port(last) if colon else low
    if low > high:
        raise ValueError(f"'{value}' is not an ordered range of ports")
    if high - low >= MOST_PORTS:
        raise ValueError(f"'{value}' has more ports than the {MOST_PORTS} that are accepted")
    return f"{low}:{high}"


def protocol(value: Any) -> str:
    word = value.lower() if isinstance(value, str) else value
    return str(checks.one_of("tcp", "udp")(word))


FORWARDING = Schema(
    "port_forwarding",
    "port_forwardings",
    [
        *(each for each in STANDARD if each.name in ("id", "description")),
        *(
            Attribute(name=each.name, reader=each.reader, put=False, stored=False)
            for each in STANDARD
            if each.name in ("project_id", "tenant_id")
        ),
        Attribute(name="protocol", reader=protocol, default=REQUIRED),
        Attribute(name="internal_port_id", reader=checks.identifier, default=REQUIRED),
        Attribute(name="internal_ip_address", reader=checks.ip, default=REQUIRED),
        Attribute(
            name="external_port", reader=checks.optional(_port), default=None,
            column="external_first",
        ),
        Attribute(
            name="internal_port", reader=checks.optional(_port), default=None,
            column="internal_first",
        ),
        Attribute(name="external_port_range", reader=port_range, default=None, stored=False),
        Attribute(name="internal_port_range", reader=port_range, default=None, stored=False),
    ],
)  # fmt: skip
