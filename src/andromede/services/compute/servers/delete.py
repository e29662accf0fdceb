"""Deleting a server: the intent replaces whatever was under way.

Where the cloud keeps deleted servers for a while, one that has run is first stopped and put aside;
asked again, or by force, it goes. Source: the compute API's reference, "Delete Server", "Force-Delete
Server" and "Restore Soft-Deleted Instance".
"""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Doing, Vm

DELETE_SECONDS = 86_400.0


def accept(context: Context, server: Server, *, force: bool = False) -> None:
    """Have a server deleted, in whatever state; asked again while it goes, it still goes.

    Errors: Conflict when it is locked.
    """
    guards.require_unlocked(context, server)
    kept = context.cloud.config.reclaim_seconds
    aside = server.task_state == Doing.SOFT_DELETING or server.vm_state == Vm.SOFT_DELETED
    if kept and server.launched_at is not None and server.host is not None and not (force or aside):
        begin(
            context, server, "delete", "compute_soft_delete_instance", "put_aside",
            seconds=kept + DELETE_SECONDS, task_state=Doing.SOFT_DELETING, progress=0,
        )  # fmt: skip
        return
    begin(
        context, server, "delete", "compute_terminate_instance", "remove",
        seconds=DELETE_SECONDS, task_state=Doing.DELETING, progress=0,
    )  # fmt: skip


def restore(context: Context) -> None:
    """Errors: Conflict when the server was not put aside."""
    server = guards.changeable(context)
    guards.in_state(server, "restore", vm={Vm.SOFT_DELETED})
    effect = "compute_restore_instance"
    begin(context, server, "restore", effect, "power_on", task_state=Doing.RESTORING)
