"""Moves dnsmasq out of the worker's control group, so that stopping the worker's ends no network.

Touches only the one group named after this cloud, in the hierarchies that the host lets us use.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids", "systemd")


def folders(short: str) -> list[Path]:
    """Where the group lies: one place on cgroup v2, one for each hierarchy on v1."""
    unified = (ROOT / "cgroup.controllers").exists()
    places = [ROOT] if unified else [ROOT / name for name in CONTROLLERS]
    return [
        place / f"andromede-{short}-networks"
        for place in places
        if (place / "cgroup.procs").exists()
    ]


def join(short: str, pid: int) -> None:
    """Move the process into the group, wherever the host lets us."""
    for folder in folders(short):
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)
            (folder / "cgroup.procs").write_text(str(pid))


def remove(short: str) -> None:
    """Remove the group once nothing runs in it."""
    for folder in folders(short):
        with contextlib.suppress(OSError):
            folder.rmdir()
