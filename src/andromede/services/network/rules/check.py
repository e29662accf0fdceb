"""Whether a security group rule says something that can be filtered. Touches nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from andromede.http.errors import BadRequest
from andromede.services.network.rules.store import protocol_number

WITH_PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
ICMP = (1, 58)
ONLY_IPV6 = frozenset({
    "41", "43", "44", "58", "59", "60", "icmpv6", "ipv6-encap", "ipv6-frag", "ipv6-icmp",
    "ipv6-nonxt", "ipv6-opts", "ipv6-route",
})  # fmt: skip


def _refuse(name: str, message: str) -> BadRequest:
    return BadRequest(message, type=name)


def check(rule: Mapping[str, Any]) -> None:
    """Errors: BadRequest in upstream's type, naming what does not fit."""
    remotes = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")
    if sum(bool(rule[name]) for name in remotes) > 1:
        raise _refuse(
            "SecurityGroupMultipleRemoteEntites",
            "Only one of remote_ip_prefix, remote_group_id or remote_address_group_id may be "
            "provided.",
        )
    if rule["protocol"] in ONLY_IPV6 and rule["ethertype"] == "IPv4":
        raise _refuse(
            "SecurityGroupEthertypeConflictWithProtocol",
            f"Invalid ethertype IPv4 for protocol {rule['protocol']}.",
        )
    remote = rule["remote_ip_prefix"]
    if remote and f"IPv{ipaddress.ip_network(remote, strict=False).version}" != rule["ethertype"]:
        raise _refuse(
            "SecurityGroupRuleParameterConflict",
            f"Conflicting value ethertype {rule['ethertype']} for CIDR {remote}",
        )
    _check_range(rule)


def _check_range(rule: Mapping[str, Any]) -> None:
    low, high = rule["port_range_min"], rule["port_range_max"]
    if low is None and high is None:
        return
    number = protocol_number(rule["protocol"], rule["ethertype"])
    if not number:
        raise _refuse(
            "SecurityGroupProtocolRequiredWithPorts",
            "Must also specify protocol if port range is given.",
        )
    if number in WITH_PORTS:
        _check_ports(low, high)
    elif number in ICMP:
        _check_icmp(low, high)
    else:
        known = ", ".join(sorted(each.upper() for each in WITH_PORTS.values()))
        raise _refuse(
            "SecurityGroupInvalidProtocolForPort",
            f"Ports cannot be specified for protocol {number}. Ports are only supported for "
            f"{known}.",
        )


def _check_ports(low: int | None, high: int | None) -> None:
    if low == 0 or high == 0:
        raise _refuse("SecurityGroupInvalidPortValue", "Invalid value for port 0")
    if low is None or high is None or low > high:
        raise _refuse(
            "SecurityGroupInvalidPortRange",
            "For TCP/UDP protocols, port_range_min must be <= port_range_max",
        )


def _check_icmp(kind: int | None, code: int | None) -> None:
    for attribute, field, value in (
        ("port_range_min", "type", kind),
        ("port_range_max", "code", code),
    ):
        if value is not None and value > 255:
            raise _refuse(
                "SecurityGroupInvalidIcmpValue",
                f"Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255.",
            )
    if kind is None:
        raise _refuse(
            "SecurityGroupMissingIcmpType",
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is "
            f"missing.",
        )
