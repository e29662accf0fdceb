"""The attributes of a subnet."""

from __future__ import annotations

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

SUBNET = Schema(
    "subnet",
    "subnets",
    [
        *STANDARD,
        Attribute(name="network_id", reader=checks.identifier, put=False, default=REQUIRED),
        Attribute(name="ip_version", reader=checks.integer(4, 6), put=False, default=REQUIRED),
        Attribute(name="cidr", reader=checks.cidr, put=False, default=REQUIRED),
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
            reader=checks.one_of(None),
            put=False,
            default=UNSET,
            stored=False,
        ),
        Attribute(name="shared", stored=False),
    ],
)
