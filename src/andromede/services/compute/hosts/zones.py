"""Availability zones over HTTP, and the list of what older clients call extensions."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, PROJECT
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation
from andromede.services.compute.hosts import placing, store
from andromede.services.compute.hosts.moments import spoken
from andromede.services.compute.hosts.services import BINARY
from andromede.services.compute.hosts.store import ZONE, Host

EXTENSIONS = {
    "os-aggregates": "Sets of hosts.",
    "os-availability-zone": "Availability zones.",
    "os-consoles": "Console logs.",
    "os-extended-quotas": "Quotas that an operator sets back.",
    "os-flavor-access": "Private flavors.",
    "os-flavor-extra-specs": "Extra specs of flavors.",
    "os-flavor-manage": "Making and removing flavors.",
    "os-floating-ips": "Floating IPs of servers.",
    "os-hosts": "Hosts.",
    "os-hypervisors": "Hosts and what they run.",
    "os-keypairs": "Key pairs.",
    "os-quota-class-sets": "Default quotas.",
    "os-quota-sets": "Quotas of projects.",
    "os-security-groups": "Security groups of servers.",
    "os-services": "Compute services.",
    "os-used-limits": "Limits with what is used of them.",
    "os-user-data": "User data of servers.",
}


def list_zones(context: Context) -> dict[str, Any]:
    zones = _zones(context)
    return {"availabilityZoneInfo": [_zone(name, hosts, None) for name, hosts in zones.items()]}


def _zones(context: Context) -> dict[str, list[Host]]:
    """The hosts of each zone, by its name."""
    hosts, zones = store.every(context.conn), placing.zones(context.conn)
    names = sorted(set(zones.values())) or [ZONE]
    return {name: [host for host in hosts if zones[host.name] == name] for name in names}


def _zone(name: str, hosts: list[Host], shown: Any) -> dict[str, Any]:
    available = any(host.up and host.disabled_at is None for host in hosts)
    return {"zoneName": name, "zoneState": {"available": available}, "hosts": shown}


def list_detail(context: Context) -> dict[str, Any]:
    zones = _zones(context)
    return {
        "availabilityZoneInfo": [
            _zone(name, hosts, {host.name: {BINARY: _state(host)} for host in hosts})
            for name, hosts in zones.items()
        ]
    }


def _state(host: Host) -> dict[str, Any]:
    active = host.disabled_at is None
    return {"available": host.up, "active": active, "updated_at": spoken(host.seen_at)}


def _extension(alias: str) -> dict[str, Any]:
    return {
        "alias": alias,
        "name": "".join(word.title() for word in alias.removeprefix("os-").split("-")),
        "description": EXTENSIONS[alias],
        "links": [],
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
    }


def list_extensions(_: Context) -> dict[str, Any]:
    return {"extensions": [_extension(alias) for alias in EXTENSIONS]}


def show_extension(context: Context) -> dict[str, Any]:
    if context.params["alias"] not in EXTENSIONS:
        raise NotFound("The resource could not be found.")
    return {"extension": _extension(context.params["alias"])}


def _row(path: str, handler: Any, action: str, allow: Any = PROJECT) -> Operation:
    return Operation(
        method="GET", path=f"/v2.1{path}", handler=handler, action=f"compute:{action}", allow=allow
    )


OPERATIONS = [
    _row("/os-availability-zone", list_zones, "availability_zone:list"),
    _row("/os-availability-zone/detail", list_detail, "availability_zone:detail", ADMIN),
    _row("/extensions", list_extensions, "extension:list"),
    _row("/extensions/{alias}", show_extension, "extension:show"),
]
