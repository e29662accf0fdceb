"""Resizing: another flavor, to be confirmed or taken back.

Source: the compute API's reference, "Resize Server", "Confirm Resized Server", "Revert Resized
Server". A disk only grows; what it held before is kept until the resize is confirmed.
"""

from __future__ import annotations

from msgspec import UNSET

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Reply
from andromede.services.compute.servers import create, guards, quota
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Course, Flavor, Server, Sizes
from andromede.services.compute.servers.moves import store as moves
from andromede.services.compute.servers.schema import ResizeBody
from andromede.services.compute.servers.states import Doing, Vm

SECONDS = 7200.0  # a disk may have to be copied


def resize(context: Context) -> None:
    """Errors: BadRequest for a flavor that cannot be had; Conflict; OverLimit."""
    body: ResizeBody = context.body
    server = guards.unlocked(context)
    guards.in_state(server, "resize", vm={Vm.ACTIVE, Vm.STOPPED})
    flavor = create.flavor_of(context, str(body.resize.flavorRef))
    new = _sizes(server, flavor)
    quota.grow(context.conn, server, flavor)
    changes = {}
    if body.resize.disk_config is not UNSET:
        changes["disk_config"] = body.resize.disk_config
    moves.begin(
        context.conn, server_id=server.id, project_id=server.project_id,
        user_id=context.caller.user_id, host=server.host or "", old_flavor=server.flavor.id,
        new_flavor=flavor.id,
    )  # fmt: skip
    old = Sizes(flavor=server.flavor, disk=server.disk)
    begin(
        context, server, "resize", "compute_prep_resize", "make_room", seconds=SECONDS,
        task_state=Doing.RESIZE_PREP, progress=0,
        course=Course(was=server.vm_state, old=old, new=new), **changes,
    )  # fmt: skip


def _sizes(server: Server, flavor: Flavor) -> Sizes:
    if flavor.id == server.flavor.id:
        raise BadRequest("When resizing, instances must change flavor!")
    if not flavor.disk and server.flavor.disk:
        raise BadRequest(
            "Server disk was unable to be resized because: Resize to zero disk flavor is not "
            "allowed."
        )
    if flavor.disk and flavor.disk < server.root_disk:
        raise BadRequest(
            f"Server disk was unable to be resized because: it has {server.root_disk} GiB and "
            f"flavor {flavor.id} has {flavor.disk}; a disk of at least the same size is accepted."
        )
    return Sizes(flavor=flavor, disk=flavor.disk or server.disk)


def confirm(context: Context) -> Reply:
    server = guards.unlocked(context)
    guards.in_state(server, "confirmResize", vm={Vm.RESIZED})
    begin(
        context, server, "confirmResize", "compute_confirm_resize", "confirm_resize",
        task_state=Doing.RESIZE_CONFIRMING,
    )  # fmt: skip
    return Reply(204)


def revert(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "revertResize", vm={Vm.RESIZED})
    begin(
        context, server, "revertResize", "compute_revert_resize", "revert_resize",
        seconds=SECONDS, task_state=Doing.RESIZE_REVERTING,
    )  # fmt: skip
