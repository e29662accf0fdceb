"""The attributes of a floating IP."""

from __future__ import annotations

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import REQUIRED, STANDARD, Attribute, Schema

FLOATING = Schema(
    "floatingip",
    "floatingips",
    [
        *(each for each in STANDARD if each.name != "name"),
        Attribute(
            name="floating_network_id", reader=checks.identifier, put=False, default=REQUIRED
        ),
        Attribute(
            name="floating_ip_address",
            reader=checks.optional(checks.ip),
            put=False,
            default=None,
            admin=True,
        ),
        Attribute(
            name="subnet_id",
            reader=checks.optional(checks.identifier),
            put=False,
            default=None,
            stored=False,
        ),
        Attribute(name="port_id", reader=checks.optional(checks.identifier), default=None),
        Attribute(name="fixed_ip_address", reader=checks.optional(checks.ip), default=None),
        Attribute(name="router_id"),
        Attribute(name="status"),
        Attribute(name="dns_name", reader=checks.host_name, put=False, default=""),
        Attribute(name="dns_domain", reader=checks.domain_name, put=False, default=""),
        Attribute(name="qos_policy_id", reader=checks.optional(checks.identifier), default=None),
        Attribute(name="port_details", stored=False),
        Attribute(name="port_forwardings", stored=False),
    ],
)
