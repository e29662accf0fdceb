"""Copies of a server's disk as images: snapshots, and backups of which only some are kept.

Source: the compute API's reference, "Create Image", "Create Server Back Up". A lock does not forbid
them: nothing of the server changes.
"""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.operation import Reply
from andromede.services.compute import values
from andromede.services.compute.servers import copies, guards, quota
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Course, Server
from andromede.services.compute.servers.schema import BackupBody, ImageBody
from andromede.services.compute.servers.states import Doing, Vm
from andromede.services.image.api import require_properties

FROM = {Vm.ACTIVE, Vm.STOPPED, Vm.PAUSED, Vm.SUSPENDED}


def create_image(context: Context) -> Reply:
    """Errors: BadRequest; Conflict; OverLimit for the project's images."""
    body: ImageBody = context.body
    server = guards.changeable(context)
    name = values.printable(body.createImage.name, "name")
    more = _metadata(context, server, body.createImage.metadata)
    guards.in_state(server, "createImage", vm=FROM)
    image_id = copies.reserve(context, server, name, "snapshot", more)
    begin(
        context, server, "createImage", "compute_snapshot_instance", "snapshot",
        seconds=copies.SECONDS, task_state=Doing.IMAGE_SNAPSHOT_PENDING,
        course=Course(copy=image_id),
    )  # fmt: skip
    return _answer(context, image_id)


def create_backup(context: Context) -> Reply:
    """Errors: BadRequest; Conflict; OverLimit for the project's images."""
    body: BackupBody = context.body
    asked = body.createBackup
    server = guards.changeable(context)
    name = values.printable(asked.name, "name")
    keep = values.whole(asked.rotation, "rotation", 0)
    more = {**_metadata(context, server, asked.metadata), "backup_type": asked.backup_type}
    guards.in_state(server, "createBackup", vm=FROM)
    image_id = copies.reserve(context, server, name, "backup", more)
    begin(
        context, server, "createBackup", "compute_backup_instance", "snapshot",
        seconds=copies.SECONDS, task_state=Doing.IMAGE_BACKUP,
        course=Course(copy=image_id, kind=asked.backup_type, keep=keep),
    )  # fmt: skip
    return _answer(context, image_id) if keep else Reply(202)


def _metadata(context: Context, server: Server, given: dict[str, object]) -> dict[str, str]:
    allowed = quota.of(context.conn, server.project_id)
    found = quota.require_metadata(allowed, values.pairs(given, "metadata"))
    require_properties(context, found)
    return found


def _answer(context: Context, image_id: str) -> Reply:
    """From 2.45 on the id is in the body; before, the image's address is in a header."""
    if context.version >= (2, 45):
        return Reply(202, {"image_id": image_id})
    location = f"{context.base_url}/image/v2/images/{image_id}"
    return Reply(202, None, {"Location": location})
