"""The attributes of a subnet."""

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

MODES = ("dhcpv6-stateful", "dhcpv6-stateless", "slaac", None)
MOST_NAMESERVERS = 5
MOST_ROUTES = 20

MOST_SERVICE_TYPES = 20


def service_types(value: Any) -> list[str]:
    """The owners of ports that get addresses of the subnet: `compute:` and all that begin with it,
    `network:` ones, or a whole name; none for every port."""
    found: list[str] = checks.listing(checks.text(255), unique="service type")(value)
    for word in found:
        if not word.startswith(("compute:", "network:")):
            raise ValueError(f"service type '{word}' does not begin with compute: or network:")
    if len(found) > MOST_SERVICE_TYPES:
        raise ValueError(f"{len(found)} service types; at most {MOST_SERVICE_TYPES} are accepted")
    return found


SUBNET = Schema(
    "subnet",
    "subnets",
    [
        *STANDARD,
        Attribute(name="network_id", reader=checks.identifier, put=False, default=REQUIRED),
        Attribute(name="ip_version", reader=checks.integer(4, 6), put=False, default=REQUIRED),
        Attribute(name="cidr", reader=checks.cidr, put=False, default=UNSET),
        Attribute(
            name="prefixlen", reader=checks.integer(0, 128), put=False, default=UNSET, stored=False
        ),
        Attribute(
            name="use_default_subnetpool",
            reader=checks.boolean,
            put=False,
            default=False,
            stored=False,
        ),
        Attribute(name="service_types", reader=service_types, default=[], stored=False),
        Attribute(name="gateway_ip", reader=checks.optional(checks.ip)),
        Attribute(
            name="allocation_pools",
            reader=checks.listing(checks.ordered_pool),
            column="pools",
            stored=False,
        ),
        Attribute(
            name="dns_nameservers",
            reader=checks.listing(checks.ip, unique="nameserver"),
            default=[],
            stored=False,
        ),
        Attribute(name="host_routes", reader=checks.host_routes, default=[], stored=False),
        Attribute(name="enable_dhcp", reader=checks.boolean, default=True),
        Attribute(name="ipv6_ra_mode", reader=checks.one_of(*MODES), put=False, default=None),
        Attribute(name="ipv6_address_mode", reader=checks.one_of(*MODES), put=False, default=None),
        Attribute(
            name="subnetpool_id",
            reader=checks.optional(checks.identifier),
            put=False,
            default=None,
        ),
        Attribute(name="shared", stored=False),
    ],
)
