"""The attributes of a default security group rule: those of a rule, and for which groups it is."""

from __future__ import annotations

from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import Attribute, Schema
from andromede.services.network.groups.schema import RULE

PARENT = "PARENT"  # the remote group of a rule that means its own group
OF_RULES = (
    "id", "description", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
    "remote_ip_prefix", "remote_address_group_id", "tenant_id", "project_id",
)  # fmt: skip


def remote_group(value: Any) -> str:
    """A group's id, or PARENT for the group that the rule will be of."""
    return PARENT if value == PARENT else str(checks.identifier(value))


TEMPLATE = Schema(
    "default_security_group_rule",
    "default_security_group_rules",
    [
        *(each for each in RULE.attributes if each.name in OF_RULES),
        Attribute(name="remote_group_id", reader=checks.optional(remote_group), default=None),
        Attribute(name="used_in_default_sg", reader=checks.boolean, default=False),
        Attribute(name="used_in_non_default_sg", reader=checks.boolean, default=True),
    ],
)
