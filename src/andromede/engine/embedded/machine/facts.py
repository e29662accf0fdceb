"""What this host offers to servers, read from /proc, the file system and QEMU itself."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from pathlib import Path

from andromede import clock
from andromede.config import Config, Paths
from andromede.engine.embedded import accel
from andromede.engine.embedded.machine.command import QEMU
from andromede.engine.protocol import EngineError, HostFacts


def host(config: Config, paths: Paths) -> HostFacts:
    """Errors: EngineError when there is no QEMU."""
    version = qemu_version()
    if version is None:
        raise EngineError(
            f"asking {QEMU} for its version: it does not run; install qemu-system-x86"
        )
    return HostFacts(
        name=config.place.host,
        vcpus=os.cpu_count() or 1,
        memory=memory()[0],
        disk=disk(paths)[0],
        accelerator=accel.accelerator(paths).name,
        hypervisor="QEMU",
        hypervisor_version=version[0] * 1_000_000 + version[1] * 1_000 + version[2],
        booted_at=booted_at(),
    )


def booted_at() -> int:
    """When this host booted, in microseconds since the epoch."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) * clock.SECOND
    return 0


@cache
def qemu_version() -> tuple[int, int, int] | None:
    """(major, minor, micro); None when QEMU does not run."""
    try:
        done = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def memory() -> tuple[int, int]:
    """Bytes of memory in all, and available."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    table = {
        name: int(rest.split()[0]) << 10 for name, _, rest in (x.partition(":") for x in lines)
    }
    return table["MemTotal"], table["MemAvailable"]


def disk(paths: Paths) -> tuple[int, int]:
    """Bytes in all, and free to root, of the file system that holds the state."""
    folder = paths.state
    while not folder.exists():
        folder = folder.parent
    figures = os.statvfs(folder)
    return figures.f_blocks * figures.f_frsize, figures.f_bavail * figures.f_frsize
