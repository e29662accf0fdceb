"""Availability zones over HTTP, and the list of what older clients call extensions."""

from __future__ import annotations

from typing import Any

from andromede.http.access import ADMIN, PROJECT
from andromede.http.context import Context
from andromede.http.errors import NotFound
from andromede.http.operation import Operation
from andromede.services.compute.hosts import store
from andromede.services.compute.hosts.services import BINARY, spoken
from andromede.services.compute.hosts.store import Host
from andromede.services.compute.servers.placement import ZONE

EXTENSIONS = {
    "os-availability-zone": "Availability zones.",
    "os-consoles": "Console logs.",
    "os-extended-quotas": "Quotas that an operator sets back.",
    "os-flavor-access": "Private flavors.",
    "os-flavor-extra-specs": "Extra specs of flavors.",
    "os-flavor-manage": "Making and removing flavors.",
    "os-hypervisors": "Hosts and what they run.",
    "os-keypairs": "Key pairs.",
    "os-quota-class-sets": "Default quotas.",
    "os-quota-sets": "Quotas of projects.",
    "os-services": "Compute services.",
    "os-used-limits": "Limits with what is used of them.",
    "os-user-data": "User data of servers.",
}


def list_zones(context: Context) -> dict[str, Any]:
    zones = _zones(store.every(context.conn))
    return {"availabilityZoneInfo": [_zone(name, hosts, None) for name, hosts in zones.items()]}


def _zones(hosts: list[Host]) -> dict[str, list[Host]]:
    """The hosts of each zone: one zone for each site, where there is more than one."""
    sites = sorted({host.site for host in hosts})
    if len(sites) < 2:
        return {ZONE: hosts}
    return {site: [host for host in hosts if host.site == site] for site in sites}


def _zone(name: str, hosts: list[Host], shown: Any) -> dict[str, Any]:
    available = any(host.up for host in hosts)
    return {"zoneName": name, "zoneState": {"available": available}, "hosts": shown}


def list_detail(context: Context) -> dict[str, Any]:
    zones = _zones(store.every(context.conn))
    return {
        "availabilityZoneInfo": [
            _zone(name, hosts, {host.name: {BINARY: _state(host)} for host in hosts})
            for name, hosts in zones.items()
        ]
    }


def _state(host: Host) -> dict[str, Any]:
    return {"available": host.up, "active": True, "updated_at": spoken(host.seen_at)}


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
