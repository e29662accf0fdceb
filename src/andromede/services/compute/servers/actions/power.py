"""Starting, stopping and rebooting: each checks the state, notes the act, and sets the intent."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers import guards, history, store
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.schema import RebootBody
from andromede.services.compute.servers.states import Doing, Vm
from andromede.work import intend

SECONDS = 600.0


def _intend(context: Context, server: Server, task: str, label: str) -> None:
    store.change(context.conn, server.id, task_state=task)
    intend(
        context.conn, "server", server.id, label, project_id=server.project_id,
        request_id=context.request_id, seconds=SECONDS,
    )  # fmt: skip


def start(context: Context) -> None:
    server = guards.unlocked(context, guards.changeable(context))
    guards.in_state(server, "os-start", vm={Vm.STOPPED})
    history.begin(context, server, "start", "compute_start_instance")
    _intend(context, server, Doing.POWERING_ON, "power_on")


def stop(context: Context) -> None:
    server = guards.unlocked(context, guards.changeable(context))
    guards.in_state(server, "os-stop", vm={Vm.ACTIVE, Vm.ERROR})
    history.begin(context, server, "stop", "compute_stop_instance")
    _intend(context, server, Doing.POWERING_OFF, "ask_to_stop")


def reboot(context: Context) -> None:
    """SOFT asks the guest and falls back to the reset after a while; HARD takes the power."""
    body: RebootBody = context.body
    server = guards.unlocked(context, guards.changeable(context))
    if body.reboot.type.upper() == "SOFT":
        guards.in_state(server, "reboot", vm={Vm.ACTIVE})
        task, label = Doing.REBOOTING, "ask_to_reboot"
    else:
        allowed = {None, Doing.REBOOTING, Doing.REBOOTING_HARD}
        guards.in_state(server, "reboot", vm={Vm.ACTIVE, Vm.STOPPED, Vm.ERROR}, task=allowed)
        task, label = Doing.REBOOTING_HARD, "power_cycle"
    history.begin(context, server, "reboot", "compute_reboot_instance")
    _intend(context, server, task, label)
