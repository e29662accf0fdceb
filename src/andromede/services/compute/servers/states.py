"""The states of a server as compute names them, and the status that people see. Pure values.

Source: the compute API's guide, "Server concepts": a status is derived from `vm_state` (what the
server is) and `task_state` (what is being done to it).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Vm(StrEnum):
    """What a server is."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    ERROR = "error"
    DELETED = "deleted"


class Doing(StrEnum):
    """What is being done to a server; a row without one is at rest."""

    SCHEDULING = "scheduling"
    NETWORKING = "networking"
    SPAWNING = "spawning"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    DELETING = "deleting"


class PowerState(IntEnum):
    """The machine's power in the numbers of the compute API."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6


DEFAULT = "default"
STATUSES: dict[str, dict[str, str]] = {
    Vm.BUILDING: {DEFAULT: "BUILD"},
    Vm.ACTIVE: {
        DEFAULT: "ACTIVE",
        Doing.REBOOTING: "REBOOT",
        Doing.REBOOTING_HARD: "HARD_REBOOT",
    },
    Vm.STOPPED: {DEFAULT: "SHUTOFF"},
    Vm.ERROR: {DEFAULT: "ERROR"},
    Vm.DELETED: {DEFAULT: "DELETED"},
}
# Statuses of states that no server of this cloud is ever in: valid to ask for, never found.
NEVER = frozenset({
    "MIGRATING", "PASSWORD", "PAUSED", "REBUILD", "RESCUE", "RESIZE", "REVERT_RESIZE", "SHELVED",
    "SHELVED_OFFLOADED", "SOFT_DELETED", "SUSPENDED", "VERIFY_RESIZE",
})  # fmt: skip
IN_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})


def status(vm_state: str, task_state: str | None) -> str:
    """The status of a server in these states."""
    tasks = STATUSES[vm_state]
    return tasks.get(task_state or DEFAULT, tasks[DEFAULT])


def states_of(statuses: Iterable[str]) -> tuple[set[str], set[str]] | None:
    """The vm and task states that show as any of these statuses; `default` stands for every task
    without a status of its own. None when none of them is a status at all."""
    wanted = {each.upper() for each in statuses}
    vm_states: set[str] = set()
    task_states: set[str] = set()
    for vm_state, tasks in STATUSES.items():
        for task_state, shown in tasks.items():
            if shown in wanted:
                vm_states.add(vm_state)
                task_states.add(task_state)
    if not vm_states and not wanted & NEVER:
        return None
    return vm_states, task_states
