"""A port as clients see it."""

from __future__ import annotations

from collections.abc import Sequence

from andromede.services.network import specs
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.store import Row, standard_view
from andromede.services.network.ports.store import bound, names


def view(
    row: Row,
    held: Sequence[Held],
    group_ids: Sequence[str],
    tags: Sequence[str],
    network: Row,
) -> Row:
    """The body of a port."""
    domain = specs.domain(network)
    mac = row["mac_address"]
    attached = bound(row)
    return {
        **standard_view(row, tags),
        "network_id": row["network_id"],
        "admin_state_up": row["admin_state_up"],
        "status": row["status"],
        "mac_address": mac,
        "fixed_ips": [each.view() for each in held],
        "device_id": row["device_id"],
        "device_owner": row["device_owner"],
        "security_groups": sorted(group_ids),
        "port_security_enabled": row["port_security_enabled"],
        "allowed_address_pairs": [{"mac_address": mac, **each} for each in row["pairs"]],
        "extra_dhcp_opts": row["dhcp_options"],
        "dns_name": row["dns_name"],
        "qos_policy_id": row["qos_policy_id"],
        "qos_network_policy_id": network["qos_policy_id"],
        "dns_assignment": names(row, held, domain),
        "binding:vnic_type": "normal",
        "binding:host_id": row["host_id"],
        "binding:profile": row["profile"],
        "binding:vif_type": "bridge" if attached else "unbound",
        "binding:vif_details": {"port_filter": True} if attached else {},
    }
