"""Looks for what servers' machines need of this host. Changes nothing but its own control group."""

from __future__ import annotations

import os
from pathlib import Path

from andromede import jail
from andromede.config import Paths
from andromede.engine.embedded import accel
from andromede.engine.embedded.accel import Verdict
from andromede.engine.embedded.machine import command, disks, drive, facts, limits
from andromede.engine.preflight import Lack

OLDEST = (7, 2, 0)  # the first QEMU with the board that servers are given
LEAST_DISK = 2 << 30  # bytes free
LEAST_MEMORY = 512 << 20  # bytes available
TOOLS = {
    command.QEMU: ("qemu-system-x86", "no server can run"),
    disks.QEMU_IMG: ("qemu-utils", "no server's disk can be made, and images are checked less"),
    drive.GENISOIMAGE: ("genisoimage", "no server with a config drive can be made"),
}


def check(paths: Paths, verdict: Verdict | None = None) -> list[Lack]:
    """What is missing, each with its cost and remedy; empty: all is there.

    `verdict`: the accelerator, when it was probed just now; None: as remembered below `paths`.
    """
    if os.geteuid() != 0:
        return [Lack(name="root", cost="servers cannot be run", remedy="run as root", needed=True)]
    return [*needed(), *_acceleration(paths, verdict), *_groups(), *_room(paths)]


def needed() -> list[Lack]:
    """What is missing that no server can run without."""
    return [*_tools(), *_jail()]


def _tools() -> list[Lack]:
    found = [
        Lack(name=Path(tool).name, cost=cost, remedy=f"apt-get install {package}", needed=True)
        for tool, (package, cost) in TOOLS.items()
        if not os.access(tool, os.X_OK)
    ]
    version = facts.qemu_version()
    if version is not None and version < OLDEST:
        text = ".".join(map(str, version))
        remedy = "install QEMU 7.2 or later, as Debian 12 has it"
        cost = "no server can run"
        found.append(Lack(name=f"QEMU {text}", cost=cost, remedy=remedy, needed=True))
    return found


def _acceleration(paths: Paths, verdict: Verdict | None) -> list[Lack]:
    if not os.access(command.QEMU, os.X_OK):
        return []
    verdict = verdict or accel.accelerator(paths)
    if verdict.name == "kvm":
        return []
    return [
        Lack(
            name="KVM",
            cost=f"servers are emulated, about ten times slower: {verdict.reason}",
            remedy="run on a machine, or in a virtual machine, with working virtualisation",
        )
    ]


def _groups() -> list[Lack]:
    """Try each controller with a group of our own."""
    roots = limits.roots()
    missing = [name for name in limits.CONTROLLERS if name not in roots]
    probe = f"check{os.getpid()}"
    try:
        joined = limits.ensure(probe, "none", 1, 64 << 20)
        if not joined:
            missing = list(limits.CONTROLLERS)
    finally:
        limits.remove(probe, "none")
        limits.remove_all(probe)
    if not missing:
        return []
    return [
        Lack(
            name=f"control groups ({', '.join(missing)})",
            cost="a server's QEMU is not bounded in them, beyond what the guest was given",
            remedy="mount /sys/fs/cgroup writable, with these controllers",
        )
    ]


def _jail() -> list[Lack]:
    """Try to leave the namespaces that a jail leaves, in a process of our own."""
    pid = os.fork()
    if pid == 0:
        try:
            jail.unshare(jail.CLONE_NEWNS | jail.CLONE_NEWNET | jail.CLONE_NEWIPC)
            os._exit(0)
        except OSError:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if status == 0:
        return []
    return [
        Lack(
            name="namespaces",
            cost="no server can run: each QEMU lives in namespaces of its own",
            remedy="run with CAP_SYS_ADMIN, or outside of a container",
            needed=True,
        )
    ]


def _room(paths: Paths) -> list[Lack]:
    found = []
    free, available = facts.disk(paths)[1], facts.memory()[1]
    if free < LEAST_DISK:
        cost = "images and servers' disks may not fit: guests pause when they cannot write"
        remedy = f"free {LEAST_DISK - free >> 20} MiB below {paths.state}"
        found.append(Lack(name=f"disk: {free >> 20} MiB are free", cost=cost, remedy=remedy))
    if available < LEAST_MEMORY:
        name = f"memory: {available >> 20} MiB are available"
        cost = "servers may not start, or be killed"
        found.append(Lack(name=name, cost=cost, remedy="end other programs, or add memory"))
    return found
