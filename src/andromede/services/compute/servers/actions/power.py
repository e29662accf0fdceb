"""Starting, stopping and rebooting: each checks the state, notes the act, and sets the intent."""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.actions.intent import SECONDS, begin
from andromede.services.compute.servers.schema import RebootBody
from andromede.services.compute.servers.states import REBOOTABLE, Doing, Vm

__all__ = ["SECONDS", "reboot", "start", "stop"]
HARD = {Vm.ACTIVE, Vm.STOPPED, Vm.PAUSED, Vm.SUSPENDED, Vm.ERROR}


def start(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "os-start", vm={Vm.STOPPED})
    effect = "compute_start_instance"
    begin(context, server, "start", effect, "power_on", task_state=Doing.POWERING_ON)


def stop(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "os-stop", vm={Vm.ACTIVE, Vm.ERROR})
    effect = "compute_stop_instance"
    begin(context, server, "stop", effect, "ask_to_stop", task_state=Doing.POWERING_OFF)


def reboot(context: Context) -> None:
    """SOFT asks the guest and falls back to the reset after a while; HARD takes the power."""
    body: RebootBody = context.body
    server = guards.unlocked(context)
    if body.reboot.type.upper() == "SOFT":
        guards.in_state(server, "reboot", vm={Vm.ACTIVE})
        task, label = Doing.REBOOTING, "ask_to_reboot"
    else:
        guards.in_state(server, "reboot", vm=HARD, task=REBOOTABLE)
        task, label = Doing.REBOOTING_HARD, "power_cycle"
    begin(context, server, "reboot", "compute_reboot_instance", label, task_state=task)
