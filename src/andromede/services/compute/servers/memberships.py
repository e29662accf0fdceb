"""Security groups as compute's own, older API shows them. Pure.

Source: the compute API's reference, "List Security Groups By Server".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ANY = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
WHOLE = {"port_range_min": 1, "port_range_max": 65_535}


def view(group: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A group with its incoming rules; `names` are those of groups that rules refer to."""
    return {
        "id": group["id"],
        "name": group["name"],
        "description": group["description"],
        "tenant_id": group["project_id"],
        "rules": list(_rules(group, names)),
    }


def _rules(group: dict[str, Any], names: dict[str, str]) -> Iterable[dict[str, Any]]:
    for rule in group["rules"]:
        if rule["direction"] != "ingress":
            continue
        remote = rule["remote_group_id"]
        cidr = rule["remote_ip_prefix"] or ANY[rule["ethertype"]]
        yield {
            "id": rule["id"],
            "parent_group_id": group["id"],
            "ip_protocol": rule["protocol"],
            "from_port": _port(rule, "port_range_min"),
            "to_port": _port(rule, "port_range_max"),
            "group": {"name": names.get(remote, remote), "tenant_id": group["project_id"]}
            if remote
            else {},
            "ip_range": {} if remote else {"cidr": cidr},
        }


def _port(rule: dict[str, Any], name: str) -> int | None:
    """A bound of the ports; for all of a protocol its own, or -1 where it has no ports; none when
    there is no protocol."""
    value: int | None = rule[name]
    if value is not None or not rule["protocol"]:
        return value
    return WHOLE[name] if rule["protocol"] in ("tcp", "udp") else -1
