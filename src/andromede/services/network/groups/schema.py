"""The attributes of security groups and of their rules."""

from __future__ import annotations

import ipaddress
from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import REQUIRED, STANDARD, Attribute, Schema

# Names of IP protocols and their numbers. Source: the network API's reference, "protocol" of a
# security group rule, and IANA's registry.
PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "icmpv6": 58,
    "igmp": 2, "ip": 0, "ipip": 4, "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58,
    "ipv6-nonxt": 59, "ipv6-opts": 60, "ipv6-route": 43, "ospf": 89, "pgm": 113, "rsvp": 46,
    "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136, "vrrp": 112,
}  # fmt: skip
ANY_PROTOCOL = (None, -1, "-1", "", "any")
ETHER_TYPES = ("IPv4", "IPv6")


def protocol(value: Any) -> str | None:
    """A protocol's name or number as text; None for any."""
    if value in ANY_PROTOCOL or (isinstance(value, str) and value.lower() == "any"):
        return None
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if word in PROTOCOLS or (word.isascii() and word.isdigit() and int(word) <= 255):
        return word
    raise ValueError(
        f"protocol '{value}' is not supported; accepted are {', '.join(sorted(PROTOCOLS))}, any, "
        f"and numbers from 0 to 255"
    )


def ether_type(value: Any) -> str:
    for known in ETHER_TYPES:
        if isinstance(value, str) and value.lower() == known.lower():
            return known
    raise ValueError(f"ethertype '{value}' is not supported; accepted are {', '.join(ETHER_TYPES)}")


def port_number(value: Any) -> int | None:
    """A port, or an ICMP type or code; None for any."""
    if value is None:
        return None
    try:
        return int(checks.integer(0, 65_535)(value))
    except ValueError:
        raise ValueError(f"Invalid value for port {value}") from None


def prefix(value: Any) -> str | None:
    """A CIDR as it was given, with its length; empty is none."""
    if value in (None, ""):
        return None
    checks.cidr(value)
    return str(ipaddress.ip_interface(value))


GROUP = Schema(
    "security_group",
    "security_groups",
    [
        *(each for each in STANDARD if each.name != "name"),
        Attribute(name="name", reader=checks.text(255), default=""),
        Attribute(name="stateful", reader=checks.boolean, default=True),
        Attribute(name="security_group_rules", stored=False),
        Attribute(name="shared", stored=False),
    ],
)

RULE = Schema(
    "security_group_rule",
    "security_group_rules",
    [
        *(each for each in STANDARD if each.name not in ("name", "tags")),
        Attribute(name="security_group_id", reader=checks.text(64), put=False, default=REQUIRED),
        Attribute(
            name="direction",
            reader=checks.one_of("ingress", "egress"),
            put=False,
            default=REQUIRED,
        ),
        Attribute(name="ethertype", reader=ether_type, put=False, default="IPv4"),
        Attribute(name="protocol", reader=protocol, put=False, default=None),
        Attribute(
            name="port_range_min",
            reader=port_number,
            put=False,
            default=None,
        ),
        Attribute(
            name="port_range_max",
            reader=port_number,
            put=False,
            default=None,
        ),
        Attribute(name="remote_ip_prefix", reader=prefix, put=False, default=None),
        Attribute(
            name="remote_group_id",
            reader=checks.optional(checks.text(64)),
            put=False,
            default=None,
        ),
        Attribute(
            name="remote_address_group_id",
            reader=checks.optional(checks.text(64)),
            put=False,
            default=None,
        ),
        Attribute(name="normalized_cidr", stored=False),
        Attribute(name="belongs_to_default_sg", stored=False),
    ],
)
