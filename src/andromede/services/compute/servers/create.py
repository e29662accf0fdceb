"""Making servers: one request becomes rows, ports and work in one transaction, or is refused.

Source: the compute API's reference, "Create Server".
"""

from __future__ import annotations

import secrets
from typing import Any

from msgspec import UNSET

from andromede import clock, ids, quotas
from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.operation import Reply
from andromede.services.compute import values
from andromede.services.compute.flavors import store as flavors
from andromede.services.compute.servers import (
    checks,
    history,
    images,
    keys,
    naming,
    networking,
    passwords,
    placement,
    quota,
    store,
    views,
)
from andromede.services.compute.servers.groups import store as groups
from andromede.services.compute.servers.model import Course, Flavor, Server
from andromede.services.compute.servers.schema import CreateServer, NewServer
from andromede.services.compute.servers.states import Doing, Vm
from andromede.work import intend

BUILD_SECONDS = 900.0
NOT_NULL = (
    "adminPass", "accessIPv4", "accessIPv6", "availability_zone", "config_drive", "host", "hostname",
    "hypervisor_hostname", "key_name", "max_count", "security_groups", "user_data",
)  # fmt: skip


def create(context: Context) -> Reply:
    """Make one or more servers.

    Errors: BadRequest naming what is wrong; Forbidden for quota, policy and admission.
    """
    wanted: CreateServer = context.body
    asked = wanted.server
    refuse_null(context, "server", *NOT_NULL)
    refuse_null(context, None, "os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")
    asked.adminPass = passwords.chosen(asked.adminPass)
    project = _project(context)
    _refuse_absent_features(asked)
    servers = _drafts(context, asked, _hints(wanted))
    store.number(context.conn, servers)
    networking.attach(context, servers, asked)
    store.add(context.conn, servers)
    _join(context, servers)
    for server in servers:
        _start(context, server)
    context.concerns(servers[0].id, project)
    if len(servers) > 1:
        context.notes["servers"] = [server.id for server in servers]
    return _answer(context, asked, servers[0])


def _project(context: Context) -> str:
    if not context.project_id:
        raise Forbidden("Servers belong to a project: a token scoped to one is accepted.")
    return context.project_id


def _refuse_absent_features(asked: NewServer) -> None:
    if asked.trusted_image_certificates is not None:
        raise BadRequest("trusted_image_certificates: signatures of images are not checked here.")
    if asked.block_device_mapping:
        raise BadRequest("block_device_mapping: servers boot from an image; imageRef is accepted.")
    for device in asked.block_device_mapping_v2:
        boots = str(device.boot_index) == "0" and device.source_type == "image"
        local = device.destination_type in (None, "local")
        if not (boots and local and (device.uuid or device.image_id) == asked.imageRef):
            raise BadRequest(
                "Block Device Mapping is Invalid: one entry is accepted, with boot_index 0, "
                "source_type image, destination_type local and the uuid of imageRef."
            )
        if device.tag or device.volume_size or device.disk_bus or device.volume_type:
            raise BadRequest(
                "Block Device Mapping is Invalid: tag, volume_size, disk_bus and volume_type are "
                "not accepted for the image's own disk."
            )
    if len(asked.block_device_mapping_v2) > 1:
        raise BadRequest("Block Device Mapping is Invalid: one entry is accepted.")


def _hints(wanted: CreateServer) -> dict[str, Any]:
    hints = dict(wanted.hints if wanted.hints is not None else wanted.old_hints or {})
    for name in ("same_host", "different_host"):
        if name in hints:
            given = hints[name]
            hints[name] = given if isinstance(given, list) else [given]
            if not all(isinstance(each, str) for each in hints[name]):
                raise BadRequest(f"Scheduler hint {name}: server ids are accepted.")
    unknown = sorted(set(hints) - {"same_host", "different_host", "group"})
    if unknown:
        raise BadRequest(
            f"Scheduler hints {', '.join(unknown)} are not offered; same_host, different_host and "
            f"group are accepted."
        )
    return hints


def _join(context: Context, servers: list[Server]) -> None:
    """Put new servers into the group that their hints name.

    Errors: BadRequest when it is not the project's; Forbidden when it has as many as it may.
    """
    wanted = servers[0].hints.get("group")
    if wanted is None:
        return
    group = groups.get(context.conn, wanted) if isinstance(wanted, str) else None
    if group is None or group.project_id != context.project_id:
        raise BadRequest(f"Instance group {wanted} could not be found.")
    allowed = quota.of(context.conn, context.project_id)["server_group_members"]
    there = len(groups.members(context.conn, [group.id])[group.id])
    say = "Quota exceeded, too many servers in group"
    quotas.require(allowed, there, len(servers), say)
    groups.join(context.conn, group.id, [server.id for server in servers])


def _counts(asked: NewServer) -> int:
    least = values.whole(asked.min_count, "min_count", 1)
    most = least if asked.max_count is None else values.whole(asked.max_count, "max_count", 1)
    if least > most:
        raise BadRequest("min_count must be <= max_count")
    return most


def _drafts(context: Context, asked: NewServer, hints: dict[str, Any]) -> list[Server]:
    """The servers of a request, at most `max_count` of them and as many as the quota lets."""
    name = values.printable(asked.name, "name")
    flavor = flavor_of(context, str(asked.flavorRef))
    least, most = values.whole(asked.min_count, "min_count", 1), _counts(asked)
    project_id, user_id = context.project_id, context.caller.user_id
    count = quota.within(context.conn, project_id, user_id, flavor, least, most)
    if asked.hostname is not None:
        naming.check_hostname(asked.hostname)
        if most > 1:
            raise BadRequest("Unable to allocate a single hostname to multiple instances")
    allowed = quota.of(context.conn, project_id)
    items = quota.require_metadata(allowed, values.pairs(asked.metadata, "metadata"))
    draft = _draft(context, asked, flavor, items)
    draft.hints = hints
    servers: list[Server] = []
    for at in range(count):
        own = naming.numbered(name, at + 1) if most > 1 else name
        server_id = ids.new()
        hostname = asked.hostname or naming.hostname_of(own, server_id)
        servers.append(_copy(draft, id=server_id, name=own, hostname=hostname, launch_index=at))
    return servers


def _copy(draft: Server, **changes: Any) -> Server:
    fields = {name: getattr(draft, name) for name in Server.__struct_fields__}
    return Server(**{**fields, **changes})


def _draft(context: Context, asked: NewServer, flavor: Flavor, metadata: dict[str, str]) -> Server:
    """All that the servers of one request share."""
    image, disk = images.bootable(context, asked.imageRef, flavor)
    key = keys.find(context, asked.key_name)
    zone = placement.zone(context, asked)
    now = clock.now()
    drive = asked.config_drive is not None and values.boolean(asked.config_drive, "config_drive")
    password = passwords.kept(asked.adminPass or "", drive)
    return Server(
        id="", number=0, name="", hostname="", launch_index=0,
        project_id=context.project_id, user_id=context.caller.user_id,
        description=values.description(asked.description, 255),
        created_at=now, updated_at=now, launched_at=None, terminated_at=None, deleted=False,
        vm_state=Vm.BUILDING, task_state=Doing.SCHEDULING, power_state=0, progress=0,
        image_id=image.id, flavor_id=flavor.id,
        vcpus=flavor.vcpus, memory=flavor.ram, disk=disk, flavor=flavor, image=image, nics=[],
        metadata=metadata,
        tags=list(dict.fromkeys(asked.tags)), fault=None, hints={},
        key_name=key.name if key else None, public_key=key.public_key if key else None,
        key_type=key.type if key else None,
        config_drive=drive, course=Course(password=password) if password else None,
        zone=zone.name, pinned_zone=zone.pinned, region=zone.region, site=zone.site,
        host=None, wanted_host=zone.host, locked_by=None, locked_reason=None,
        reservation_id=f"r-{secrets.token_hex(4)}",
        access_ip_v4=checks.address(asked.accessIPv4, "accessIPv4", 4),
        access_ip_v6=checks.address(asked.accessIPv6, "accessIPv6", 6),
        disk_config="MANUAL" if asked.disk_config is UNSET else asked.disk_config,
        user_data=checks.user_data(asked.user_data),
    )  # fmt: skip


def flavor_of(context: Context, reference: str) -> Flavor:
    """The flavor a request names.

    Errors: BadRequest when there is none, or servers here cannot have what it has.
    """
    flavor_id = reference.rstrip("/").rpartition("/")[2]
    try:
        found = flavors.get(context.conn, flavor_id, context.caller)
    except NotFound as error:
        raise BadRequest(error.message) from error
    if found.ephemeral or found.swap:
        raise BadRequest(
            f"Flavor {flavor_id} has an ephemeral or swap disk, which servers of this cloud do "
            f"not get; a flavor with a root disk only is accepted."
        )
    return Flavor(
        id=found.id,
        original_name=found.name,
        vcpus=found.vcpus,
        ram=found.ram,
        disk=found.disk,
        extra_specs=found.extra_specs,
    )


def _start(context: Context, server: Server) -> None:
    history.begin(context, server, "create", "compute__do_build_and_run_instance")
    intend(
        context.conn, "server", server.id, "schedule", project_id=server.project_id,
        request_id=context.request_id, seconds=BUILD_SECONDS,
    )  # fmt: skip


def _answer(context: Context, asked: NewServer, first: Server) -> Reply:
    if values.boolean(asked.return_reservation_id, "return_reservation_id"):
        return Reply(202, {"reservation_id": first.reservation_id})
    links = views.links(context, first.id)
    groups = asked.security_groups
    shown = [{"name": "default"}] if groups is None else [{"name": each.name} for each in groups]
    body = {
        "id": first.id,
        "links": links,
        "OS-DCF:diskConfig": first.disk_config,
        "security_groups": shown,
        "adminPass": asked.adminPass,
    }
    return Reply(202, {"server": body}, {"Location": links[0]["href"]})
