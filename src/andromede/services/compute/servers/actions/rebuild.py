"""Rebuilding: a new disk from an image, under the same id, with the same ports and addresses.

Source: the compute API's reference, "Rebuild Server".
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from andromede.http.body import refuse_null
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Reply
from andromede.services.compute import values
from andromede.services.compute.servers import (
    checks,
    guards,
    images,
    keys,
    passwords,
    quota,
    store,
    views,
)
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Course, Server
from andromede.services.compute.servers.schema import Rebuild, RebuildBody
from andromede.services.compute.servers.states import Doing, Vm
from andromede.services.network.api import attachments_of
from andromede.sovereignty.policy.model import AT_REST

SECONDS = 900.0


def rebuild(context: Context) -> Reply:
    """A way into the server for whoever asks: the answer has its password and user data.

    Errors: BadRequest for what cannot be had; Conflict for the state; Forbidden for quota and
    admission; Refused for an operator without the project's consent.
    """
    body: RebuildBody = context.body
    asked = body.rebuild
    server = guards.unlocked(context)
    context.reveal(server.project_id, server.id)
    guards.in_state(server, "rebuild", vm={Vm.ACTIVE, Vm.STOPPED, Vm.ERROR})
    context.admit(server.project_id, server.site, keys=AT_REST)
    password = passwords.chosen(asked.adminPass)
    changes = _changes(context, server, asked)
    image, disk = images.bootable(
        context, asked.imageRef, server.flavor, missing="Cannot find image for rebuild"
    )
    was = Vm.STOPPED if server.vm_state == Vm.STOPPED else Vm.ACTIVE
    course = Course(was=was, password=passwords.kept(password, server.config_drive))
    begin(
        context, server, "rebuild", "compute_rebuild_instance", "rebuild", seconds=SECONDS,
        task_state=Doing.REBUILDING, progress=0, image_id=image.id, image=image, disk=disk,
        generation=server.generation + 1, course=course, **changes,
    )  # fmt: skip
    return _answer(context, server.id, password)


def _changes(context: Context, server: Server, asked: Rebuild) -> dict[str, Any]:
    """The columns that a request names."""
    refuse_null(context, "rebuild", "adminPass", "preserve_ephemeral")
    if asked.trusted_image_certificates is not None:
        raise BadRequest("trusted_image_certificates: signatures of images are not checked here.")
    if asked.preserve_ephemeral is not None:
        values.boolean(asked.preserve_ephemeral, "preserve_ephemeral")
    changes = checks.columns(asked)
    if asked.metadata is not UNSET:
        allowed = quota.of(context.conn, server.project_id)
        items = values.pairs(asked.metadata, "metadata")
        changes["metadata"] = quota.require_metadata(allowed, items)
    if asked.user_data is not UNSET:
        changes["user_data"] = checks.user_data(asked.user_data)
    if asked.key_name is not UNSET:
        key = keys.find(context, asked.key_name)
        changes["key_name"] = key.name if key else None
        changes["public_key"] = key.public_key if key else None
        changes["key_type"] = key.type if key else None
    return changes


def _answer(context: Context, server_id: str, password: str) -> Reply:
    changed = store.get(context.conn, server_id)
    assert changed is not None
    nets = attachments_of(context.conn, [server_id])
    shown = views.full(context, changed, nets[server_id])
    shown["adminPass"] = password
    shown["user_data"] = changed.user_data
    shown.pop("OS-EXT-SRV-ATTR:user_data", None)  # which operators are shown otherwise
    return Reply(202, {"server": shown}, {"Location": views.links(context, server_id)[0]["href"]})
