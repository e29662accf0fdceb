"""Versions, extensions, agents, zones and the use of addresses over HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from andromede.http.access import ADMIN, PROJECT_READER, Rule
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation
from andromede.services.network.addresses import store as addresses
from andromede.services.network.common import handling, listing, store
from andromede.services.network.common.store import Row
from andromede.services.network.discovery.catalog import BY_ALIAS, EXTENSIONS
from andromede.services.network.networks.schema import ZONE
from andromede.services.network.networks.store import NETWORKS
from andromede.services.network.subnets import store as subnets

NOUNS = (
    ("network", "networks"), ("subnet", "subnets"), ("port", "ports"), ("router", "routers"),
    ("floatingip", "floatingips"), ("security-group", "security-groups"),
    ("security-group-rule", "security-group-rules"), ("extension", "extensions"),
    ("quota", "quotas"), ("agent", "agents"), ("availability_zone", "availability_zones"),
    ("network-ip-availability", "network-ip-availabilities"),
    ("service_provider", "service-providers"), ("subnetpool", "subnetpools"),
    ("address-scope", "address-scopes"), ("address-group", "address-groups"),
    ("rbac-policy", "rbac-policies"), ("qos", "qos/policies"),
    ("default-security-group-rule", "default-security-group-rules"),
)  # fmt: skip


def versions(context: Context) -> object:
    link = {"rel": "self", "href": context.url("/v2.0/")}
    return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]}


def resources(context: Context) -> object:
    return {
        "resources": [
            {
                "name": name,
                "collection": plural,
                "links": [{"rel": "self", "href": context.url(f"/v2.0/{plural}")}],
            }
            for name, plural in NOUNS
        ]
    }


def extensions(_: Context) -> object:
    return {"extensions": EXTENSIONS}


def extension(context: Context) -> object:
    found = BY_ALIAS.get(context.params["alias"])
    if found is None:
        raise NotFound(f"Extension with alias {context.params['alias']} does not exist")
    return {"extension": found}


PROVIDERS = [{"service_type": "L3_ROUTER_NAT", "name": "andromede", "default": True}]


def providers(context: Context) -> object:
    """Who realises routers: the one engine."""
    wanted = [(k, v) for k, v in context.query if k in PROVIDERS[0]]
    found = [
        each for each in PROVIDERS if all(str(each[k]).lower() == v.lower() for k, v in wanted)
    ]
    return {"service_providers": listing.few(context, found)}


def zones(context: Context) -> object:
    """One zone holds this cloud's networks and routers."""
    wanted = dict(context.query)
    every = [
        {"name": ZONE, "resource": resource, "state": "available"}
        for resource in ("network", "router")
    ]
    found = [each for each in every if all(each[k] == v for k, v in wanted.items() if k in each)]
    return {"availability_zones": listing.few(context, found)}


def _availability(context: Context, found: Sequence[Row]) -> list[dict[str, Any]]:
    return [_one_availability(context, row) for row in found]


def _one_availability(context: Context, row: Row) -> dict[str, Any]:
    blocks = subnets.of_network(context.conn, row["id"])
    used = addresses.used(context.conn, (block["id"] for block in blocks))
    per_subnet = [
        {
            "subnet_id": block["id"],
            "subnet_name": block["name"],
            "cidr": block["cidr"],
            "ip_version": block["ip_version"],
            "total_ips": _size(block),
            "used_ips": used.get(block["id"], 0),
        }
        for block in blocks
    ]
    return {
        "network_id": row["id"],
        "network_name": row["name"],
        "project_id": row["project_id"],
        "tenant_id": row["project_id"],
        "total_ips": sum(each["total_ips"] for each in per_subnet),
        "used_ips": sum(each["used_ips"] for each in per_subnet),
        "subnet_ip_availability": per_subnet,
    }


def _size(block: Row) -> int:
    if block["pools"]:
        return sum(last - first + 1 for first, last in addresses.pool_ranges(block["pools"]))
    return ipaddress.ip_network(block["cidr"]).num_addresses


def availabilities(context: Context) -> object:
    renamed = {"network_id": "id", "network_name": "name"}
    kept = [(renamed.get(k, k), v) for k, v in context.query if k != "ip_version"]
    context.query = kept
    query = listing.read_query(context, NETWORKS.schema, frozenset())
    rows, _ = store.page(context.conn, NETWORKS, context.caller, query)
    handling.touch(context, rows)
    return {"network_ip_availabilities": _availability(context, rows)}


def availability(context: Context) -> object:
    row = handling.find(context, NETWORKS)
    return {"network_ip_availability": _one_availability(context, row)}


def _row(path: str, handler: Any, action: str, allow: Rule | None) -> Operation:
    return Operation(
        method="GET", path=path, handler=handler, action=f"network:{action}", allow=allow
    )


OPERATIONS: list[Operation] = [
    _row("/", versions, "versions:list", None),
    _row("/v2.0", resources, "resources:list", None),
    _row("/v2.0/extensions", extensions, "extension:list", PROJECT_READER),
    _row("/v2.0/extensions/{alias}", extension, "extension:show", PROJECT_READER),
    _row("/v2.0/service-providers", providers, "service_provider:list", PROJECT_READER),
    _row("/v2.0/availability_zones", zones, "availability_zone:list", PROJECT_READER),
    _row("/v2.0/network-ip-availabilities", availabilities, "availability:list", ADMIN),
    _row("/v2.0/network-ip-availabilities/{id}", availability, "availability:show", ADMIN),
]
