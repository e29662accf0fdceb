"""What clients see of servers, on the latest version. Pure: rows and addresses come from callers.

Source: the compute API's reference, "Show Server Details". `_flavor` is for versions before 2.47
only and is taken away at the edge.
"""

from __future__ import annotations

import hashlib
from typing import Any

from andromede import clock
from andromede.http.context import Context
from andromede.services.compute.servers.model import Flavor, Server
from andromede.services.compute.servers.states import IN_PROGRESS, status
from andromede.services.network.api import Attachment

ROOT_DEVICE = "/dev/vda"


def links(context: Context, server_id: str) -> list[dict[str, str]]:
    base = context.url()
    return [
        {"rel": "self", "href": f"{base}/v2.1/servers/{server_id}"},
        {"rel": "bookmark", "href": f"{base}/servers/{server_id}"},
    ]


def _reference(context: Context, noun: str, key: str) -> dict[str, Any]:
    return {"id": key, "links": [{"rel": "bookmark", "href": context.url(f"/{noun}/{key}")}]}


def _flavor(flavor: Flavor) -> dict[str, Any]:
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": flavor.ephemeral,
        "swap": flavor.swap,
        "original_name": flavor.original_name,
        "extra_specs": flavor.extra_specs,
    }


def host_id(server: Server) -> str:
    """The same for a project's servers on one host, and tells a customer nothing else."""
    if not server.host:
        return ""
    return hashlib.sha224(f"{server.project_id}{server.host}".encode()).hexdigest()


def addresses(net: Attachment) -> dict[str, list[dict[str, Any]]]:
    """Addresses by network name, floating ones after the fixed."""
    return {
        name: sorted(entries, key=lambda each: str(each["OS-EXT-IPS:type"]))
        for name, entries in net.addresses.items()
    }


def brief(context: Context, server: Server) -> dict[str, Any]:
    return {"id": server.id, "name": server.name, "links": links(context, server.id)}


def full(context: Context, server: Server, net: Attachment) -> dict[str, Any]:
    """A server in detail, with what only operators see when the caller is one."""
    body = _plain(context, server, net)
    if server.vm_state in ("error", "deleted") and server.fault is not None:
        body["fault"] = _fault(context, server)
    if body["status"] in IN_PROGRESS:
        body["progress"] = server.progress
    if net.groups:
        body["security_groups"] = [{"name": name} for name in sorted(net.groups)]
    body["OS-EXT-SRV-ATTR:hostname"] = server.hostname
    if context.caller.admin:
        body |= _operators(server)
    return body


def _plain(context: Context, server: Server, net: Attachment) -> dict[str, Any]:
    return {
        "id": server.id,
        "name": server.name,
        "status": status(server.vm_state, server.task_state),
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": server.metadata,
        "hostId": host_id(server),
        "image": _reference(context, "images", server.image_id),
        "flavor": _flavor(server.flavor),
        "_flavor": _reference(context, "flavors", server.flavor_id),
        "created": clock.iso(server.created_at),
        "updated": clock.iso(server.updated_at),
        "addresses": {} if server.vm_state == "building" else addresses(net),
        "accessIPv4": server.access_ip_v4 or "",
        "accessIPv6": server.access_ip_v6 or "",
        "links": links(context, server.id),
        "OS-DCF:diskConfig": server.disk_config,
        "OS-EXT-AZ:availability_zone": server.zone if server.host else "",
        "pinned_availability_zone": server.pinned_zone,
        "config_drive": "True" if server.config_drive else "",
        "key_name": server.key_name,
        "OS-SRV-USG:launched_at": _moment(server.launched_at),
        "OS-SRV-USG:terminated_at": _moment(server.terminated_at),
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:power_state": server.power_state,
        "os-extended-volumes:volumes_attached": [],
        "locked": server.locked_by is not None,
        "locked_reason": server.locked_reason,
        "description": server.description,
        "tags": server.tags,
        "trusted_image_certificates": None,
        "server_groups": [server.hints["group"]] if "group" in server.hints else [],
    }


def _operators(server: Server) -> dict[str, Any]:
    return {
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": server.instance_name,
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:launch_index": server.launch_index,
        "OS-EXT-SRV-ATTR:reservation_id": server.reservation_id,
        "OS-EXT-SRV-ATTR:root_device_name": ROOT_DEVICE,
        "OS-EXT-SRV-ATTR:user_data": server.user_data,
        "host_status": "UP" if server.host else "",
    }


def _moment(moment: int | None) -> str | None:
    return None if moment is None else clock.iso_micro(moment).removesuffix("Z")


def _fault(context: Context, server: Server) -> dict[str, Any]:
    fault = server.fault
    assert fault is not None
    shown = {"code": fault.code, "created": clock.iso(fault.created), "message": fault.message}
    if fault.details and (context.caller.admin or fault.code != 500):
        shown["details"] = fault.details
    return shown
