"""Pausing and suspending, and going on: the guest stands still in memory, or on disk.

Source: the compute API's reference, "Pause", "Unpause", "Suspend" and "Resume Server".
"""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.states import Doing, Vm

SUSPEND_SECONDS = 3600.0  # a machine's whole memory is written, or read


def pause(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "pause", vm={Vm.ACTIVE})
    begin(context, server, "pause", "compute_pause_instance", "pause", task_state=Doing.PAUSING)


def unpause(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "unpause", vm={Vm.PAUSED})
    effect = "compute_unpause_instance"
    begin(context, server, "unpause", effect, "go_on", task_state=Doing.UNPAUSING)


def suspend(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "suspend", vm={Vm.ACTIVE})
    begin(
        context, server, "suspend", "compute_suspend_instance", "suspend",
        seconds=SUSPEND_SECONDS, task_state=Doing.SUSPENDING,
    )  # fmt: skip


def resume(context: Context) -> None:
    server = guards.unlocked(context)
    guards.in_state(server, "resume", vm={Vm.SUSPENDED})
    begin(
        context, server, "resume", "compute_resume_instance", "go_on",
        seconds=SUSPEND_SECONDS, task_state=Doing.RESUMING,
    )  # fmt: skip
