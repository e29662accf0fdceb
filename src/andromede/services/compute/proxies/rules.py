"""Rules of security groups through compute: what may come in, each by a CIDR or a group.

Source: the compute API's reference, "Rules for security group".
"""

from __future__ import annotations

import ipaddress
from typing import Any

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Reply
from andromede.services.compute import values
from andromede.services.compute.proxies import groups, rows
from andromede.services.compute.servers import memberships

PORTS = {"tcp": (1, 65_535), "udp": (1, 65_535), "icmp": (-1, 255)}
EVERYTHING = -1
ANYWHERE = "0.0.0.0/0"


class Rule(Struct, forbid_unknown_fields=True):
    parent_group_id: str
    ip_protocol: str | None = None
    from_port: int | str | None = None
    to_port: int | str | None = None
    cidr: str | None = None
    group_id: str | None = None


class RuleBody(Struct, forbid_unknown_fields=True):
    security_group_rule: Rule


def _ports(asked: Rule, protocol: str) -> dict[str, int | None]:
    """Errors: BadRequest for a port that the protocol does not have, and for an empty range."""
    if protocol not in PORTS:
        raise BadRequest(f"Invalid IP protocol {asked.ip_protocol}. Accepted: {', '.join(PORTS)}.")
    if asked.from_port is None or asked.to_port is None:
        raise BadRequest("Not enough parameters to build a valid rule: the ports are missing.")
    least, most = PORTS[protocol]
    low = values.whole(asked.from_port, "from_port", least, most)
    high = values.whole(asked.to_port, "to_port", least, most)
    if protocol != "icmp" and low > high:
        raise BadRequest(f"Invalid port range {low}:{high}. from_port is at most to_port.")
    return {
        "port_range_min": None if low == EVERYTHING else low,
        "port_range_max": None if high == EVERYTHING else high,
    }


def _remote(asked: Rule) -> dict[str, Any]:
    """From where the rule lets in.

    Errors: BadRequest for what is no CIDR, or no group's id.
    """
    if asked.group_id is not None:
        return {"remote_group_id": rows.identifier(asked.group_id, "group_id"), "ethertype": "IPv4"}
    cidr = asked.cidr or ANYWHERE
    try:
        version = ipaddress.ip_network(cidr, strict=False).version
    except ValueError as error:
        raise BadRequest(f"Invalid cidr {cidr}. An address with a prefix is accepted.") from error
    return {"remote_ip_prefix": cidr, "ethertype": f"IPv{version}"}


def create(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for a faulty rule, or one that is there; NotFound for a group."""
    body: RuleBody = context.body
    asked = body.security_group_rule
    remote = _remote(asked)
    wanted: dict[str, Any] = {"direction": "ingress", **remote}
    if asked.ip_protocol is not None:
        protocol = asked.ip_protocol.lower()
        wanted |= {"protocol": protocol, **_ports(asked, protocol)}
    elif asked.group_id is None:
        raise BadRequest("Not enough parameters to build a valid rule: ip_protocol is missing.")
    group = groups.find(context, asked.parent_group_id)
    wanted["security_group_id"] = group["id"]
    body_of = {"security_group_rule": wanted}
    made = rows.network(context, "POST", "security-group-rules", body_of)["security_group_rule"]
    names = {}
    if asked.group_id is not None:
        names = {asked.group_id: groups.find(context, asked.group_id)["name"]}
    shown = memberships.view({**group, "rules": [made]}, names)
    return {"security_group_rule": shown["rules"][0]}


def remove(context: Context) -> Reply:
    rule_id = rows.identifier(context.params["id"], "Rule")
    rows.network(context, "DELETE", f"security-group-rules/{rule_id}")
    return Reply(202)


OPERATIONS = [
    rows.row("POST", "/os-security-group-rules", create, "group-rule:create", body=RuleBody),
    rows.row("DELETE", "/os-security-group-rules/{id}", remove, "group-rule:delete", status=202),
]
