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
    PAUSED = "paused"
    SUSPENDED = "suspended"
    RESCUED = "rescued"
    RESIZED = "resized"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"
    SOFT_DELETED = "soft-delete"
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
    SOFT_DELETING = "soft-deleting"
    RESTORING = "restoring"
    PAUSING = "pausing"
    UNPAUSING = "unpausing"
    SUSPENDING = "suspending"
    RESUMING = "resuming"
    REBUILDING = "rebuilding"
    REBUILD_SPAWNING = "rebuild_spawning"
    RESIZE_PREP = "resize_prep"
    RESIZE_MIGRATING = "resize_migrating"
    RESIZE_FINISH = "resize_finish"
    RESIZE_CONFIRMING = "resize_confirming"
    RESIZE_REVERTING = "resize_reverting"
    IMAGE_SNAPSHOT_PENDING = "image_snapshot_pending"
    IMAGE_SNAPSHOT = "image_snapshot"
    IMAGE_UPLOADING = "image_uploading"
    IMAGE_BACKUP = "image_backup"
    RESCUING = "rescuing"
    UNRESCUING = "unrescuing"
    SHELVING = "shelving"
    SHELVING_COPYING = "shelving_image_pending_upload"
    SHELVING_UPLOADING = "shelving_image_uploading"
    SHELVING_OFFLOADING = "shelving_offloading"
    UNSHELVING = "unshelving"
    UPDATING_PASSWORD = "updating_password"  # noqa: S105 (a state)


class PowerState(IntEnum):
    """The machine's power in the numbers of the compute API."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6


DEFAULT = "default"
_REBUILD: dict[str, str] = {Doing.REBUILDING: "REBUILD", Doing.REBUILD_SPAWNING: "REBUILD"}
_RESIZE: dict[str, str] = dict.fromkeys(
    (Doing.RESIZE_PREP, Doing.RESIZE_MIGRATING, Doing.RESIZE_FINISH), "RESIZE"
)
STATUSES: dict[str, dict[str, str]] = {
    Vm.BUILDING: {DEFAULT: "BUILD"},
    Vm.ACTIVE: {
        DEFAULT: "ACTIVE",
        Doing.REBOOTING: "REBOOT",
        Doing.REBOOTING_HARD: "HARD_REBOOT",
        Doing.UPDATING_PASSWORD: "PASSWORD",
        **_REBUILD,
        **_RESIZE,
    },
    Vm.STOPPED: {DEFAULT: "SHUTOFF", **_REBUILD, **_RESIZE},
    Vm.RESIZED: {DEFAULT: "VERIFY_RESIZE", Doing.RESIZE_REVERTING: "REVERT_RESIZE"},
    Vm.PAUSED: {DEFAULT: "PAUSED"},
    Vm.SUSPENDED: {DEFAULT: "SUSPENDED"},
    Vm.RESCUED: {DEFAULT: "RESCUE"},
    Vm.SHELVED: {DEFAULT: "SHELVED"},
    Vm.SHELVED_OFFLOADED: {DEFAULT: "SHELVED_OFFLOADED"},
    Vm.SOFT_DELETED: {DEFAULT: "SOFT_DELETED"},
    Vm.ERROR: {DEFAULT: "ERROR", **_REBUILD},
    Vm.DELETED: {DEFAULT: "DELETED"},
}
# Statuses of states that no server of this cloud is ever in: valid to ask for, never found.
NEVER = frozenset({"MIGRATING"})
# What failed in these leaves the server as it was; of a transition in any other an ERROR is left.
HARMLESS = frozenset({
    Doing.RESIZE_PREP, Doing.IMAGE_SNAPSHOT_PENDING, Doing.IMAGE_SNAPSHOT, Doing.IMAGE_UPLOADING,
    Doing.IMAGE_BACKUP, Doing.UPDATING_PASSWORD,
})  # fmt: skip
RESIZING = frozenset({
    Doing.RESIZE_PREP, Doing.RESIZE_MIGRATING, Doing.RESIZE_FINISH, Doing.RESIZE_CONFIRMING,
    Doing.RESIZE_REVERTING,
})  # fmt: skip
# The states in which a hard reboot may replace what is under way.
REBOOTABLE = frozenset({
    None, Doing.REBOOTING, Doing.REBOOTING_HARD, Doing.RESUMING, Doing.UNPAUSING, Doing.PAUSING,
    Doing.SUSPENDING,
})  # fmt: skip
IN_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})


def runs(vm_state: str, power_state: int) -> bool:
    """Whether the machine of a server in these states is to run."""
    if vm_state in (Vm.RESCUED, Vm.RESIZED):
        return power_state == PowerState.RUNNING
    return vm_state == Vm.ACTIVE


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
