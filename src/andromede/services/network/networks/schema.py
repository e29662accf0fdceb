"""The attributes of a network."""

from __future__ import annotations

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import STANDARD, UNSET, Attribute, Schema

DEFAULT_MTU = 1500
LEAST_MTU = 68
LEAST_MTU_V6 = 1280
ZONE = "nova"
TYPE = "local"  # of every network: its segments are all of one host

zone_hints = checks.filled(checks.listing(checks.one_of(ZONE), unique="availability zone"))

NETWORK = Schema(
    "network",
    "networks",
    [
        *STANDARD,
        Attribute(name="admin_state_up", reader=checks.boolean, default=True),
        Attribute(name="status"),
        Attribute(name="subnets", stored=False),
        Attribute(name="shared", reader=checks.boolean, default=False, admin=True),
        Attribute(
            name="router:external",
            reader=checks.boolean,
            default=False,
            admin=True,
            column="external",
        ),
        Attribute(name="ipv4_address_scope", stored=False),
        Attribute(name="ipv6_address_scope", stored=False),
        Attribute(name="mtu", reader=checks.integer(0, 65_535), default=DEFAULT_MTU),
        Attribute(name="is_default", reader=checks.boolean, default=False, admin=True),
        Attribute(name="port_security_enabled", reader=checks.boolean, default=True),
        Attribute(name="dns_domain", reader=checks.domain_name, default=""),
        Attribute(
            name="availability_zone_hints",
            reader=zone_hints,
            put=False,
            default=[],
            stored=False,
        ),
        Attribute(name="availability_zones", stored=False),
        Attribute(name="qos_policy_id", reader=checks.optional(checks.identifier), default=None),
        Attribute(
            name="provider:network_type",
            reader=checks.text(32),
            put=False,
            default=UNSET,
            admin=True,
            admin_sees=True,
            stored=False,
        ),
        Attribute(
            name="provider:physical_network",
            reader=checks.text(64),
            put=False,
            default=UNSET,
            admin=True,
            admin_sees=True,
            stored=False,
        ),
        Attribute(
            name="provider:segmentation_id",
            reader=checks.integer(0, 2**31 - 1),
            put=False,
            default=UNSET,
            admin=True,
            admin_sees=True,
            stored=False,
        ),
    ],
)
