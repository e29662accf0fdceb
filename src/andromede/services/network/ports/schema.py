"""The attributes of a port."""

from __future__ import annotations

import ipaddress
from typing import Any

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import (
    REQUIRED,
    STANDARD,
    UNSET,
    Attribute,
    Schema,
)

MOST_ADDRESSES = 20
MOST_PAIRS = 10
COMPUTE = "compute:"
DHCP = "network:dhcp"
ROUTER_INTERFACE = "network:router_interface"
ROUTER_GATEWAY = "network:router_gateway"
FLOATING_IP = "network:floatingip"
SERVICE_OWNERS = (DHCP, ROUTER_INTERFACE, ROUTER_GATEWAY, FLOATING_IP)


def fixed_ips(value: Any) -> list[dict[str, str]]:
    """`[{"subnet_id": …, "ip_address": …}]`, one of the two at least in each."""
    document = checks.document({}, {"subnet_id": checks.identifier, "ip_address": checks.ip})
    found: list[dict[str, str]] = checks.listing(document, unique="fixed IP")(value)
    if len(found) > MOST_ADDRESSES:
        raise ValueError(f"{len(found)} fixed IPs; at most {MOST_ADDRESSES} are accepted")
    for each in found:
        if not each:
            raise ValueError("a fixed IP names a subnet_id, an ip_address or both")
    addresses = [each["ip_address"] for each in found if "ip_address" in each]
    if len(addresses) != len(set(addresses)):
        raise ValueError("duplicate IP address in fixed_ips")
    return found


def address_pairs(value: Any) -> list[dict[str, str]]:
    """`[{"ip_address": address or CIDR, "mac_address": …}]`; the MAC may be absent."""
    document = checks.document({"ip_address": _pair_ip}, {"mac_address": checks.mac})
    found: list[dict[str, str]] = checks.listing(document, unique="address pair")(value)
    if len(found) > MOST_PAIRS:
        raise ValueError(f"{len(found)} address pairs; at most {MOST_PAIRS} are accepted")
    return found


def _pair_ip(value: Any) -> str:
    if isinstance(value, str) and "/" in value:
        network = ipaddress.ip_network(checks.cidr(value))
        if network.prefixlen == 0:
            raise ValueError(f"'{value}' is every address: disable port security instead")
        return str(network)
    return checks.ip(value)


def dhcp_options(value: Any) -> list[dict[str, Any]]:
    """`[{"opt_name": …, "opt_value": text or null, "ip_version": 4 or 6}]`."""
    document = checks.document(
        {"opt_name": _option_text, "opt_value": checks.optional(_option_text)},
        {"ip_version": checks.integer(4, 6)},
    )
    return [{"ip_version": 4, **each} for each in checks.listing(document)(value)]


def _option_text(value: Any) -> str:
    word = checks.text(255)(value)
    if not word or not word.isprintable():
        raise ValueError(f"'{value}' is not a printable DHCP option")
    return str(word)


def profile(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"'{value}' is not a dictionary")
    return value


def device_owner(value: Any) -> str:
    """Who holds the port; the network service's own words are not given from outside."""
    word = checks.text(255)(value)
    if word in SERVICE_OWNERS:
        raise ValueError(f"'{word}' is set by the service that makes such ports")
    return str(word)


def group_ids(value: Any) -> list[str]:
    return sorted(set(checks.listing(checks.identifier)(value)))


PORT = Schema(
    "port",
    "ports",
    [
        *STANDARD,
        Attribute(name="network_id", reader=checks.identifier, put=False, default=REQUIRED),
        Attribute(name="admin_state_up", reader=checks.boolean, default=True),
        Attribute(name="status"),
        Attribute(name="mac_address", reader=checks.mac),
        Attribute(name="fixed_ips", reader=checks.filled(fixed_ips), stored=False),
        Attribute(name="device_id", reader=checks.text(255), default=""),
        Attribute(name="device_owner", reader=device_owner, default=""),
        Attribute(name="security_groups", reader=group_ids, stored=False),
        Attribute(name="port_security_enabled", reader=checks.boolean),
        Attribute(name="allowed_address_pairs", reader=address_pairs, default=[], stored=False),
        Attribute(name="extra_dhcp_opts", reader=dhcp_options, default=[], stored=False),
        Attribute(name="dns_name", reader=checks.host_name, default=""),
        Attribute(name="dns_assignment", stored=False),
        Attribute(
            name="qos_policy_id", reader=checks.optional(checks.identifier), default=None
        ),
        Attribute(name="qos_network_policy_id", stored=False),
        Attribute(name="binding:vnic_type", reader=checks.one_of("normal"), default="normal",
                  column="vnic_type", stored=False),
        Attribute(name="binding:host_id", reader=checks.text(255), admin=True, admin_sees=True,
                  column="host_id", default=""),
        Attribute(name="binding:profile", reader=profile, admin=True, admin_sees=True,
                  default=UNSET, stored=False),
        Attribute(name="binding:vif_type", admin_sees=True, stored=False),
        Attribute(name="binding:vif_details", admin_sees=True, stored=False),
    ],
)  # fmt: skip
