"""The control groups that bound each server's QEMU, on cgroup v1 or v2, where the host lets us.

Touches only the groups named after this cloud.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "cpu", "pids")
PERIOD = 100_000  # microseconds
OVERHEAD = 768 << 20  # bytes beside the guest's memory: translated code, devices, buffers
THREADS = 256


def group_name(short: str) -> str:
    return f"andromede-{short}"


def roots() -> dict[str, Path]:
    """Where each controller that limits can be set lives: {"memory": folder, …}."""
    unified = ROOT / "cgroup.controllers"
    if unified.exists():
        present = unified.read_text().split()
        return {name: ROOT for name in CONTROLLERS if name in present}
    return {name: ROOT / name for name in CONTROLLERS if (ROOT / name / "cgroup.procs").exists()}


def ensure(short: str, server_id: str, vcpus: int, memory: int) -> list[str]:
    """Make a server's groups and return the files that a process joins them by.

    A controller that this host does not let us set is left out: `preflight` says so.
    """
    joined: dict[Path, str] = {}
    for name, root in roots().items():
        with contextlib.suppress(OSError):
            folder = _folder(root, short, name) / server_id
            folder.mkdir(exist_ok=True)
            for file, value in _values(name, vcpus, memory, unified=root == ROOT):
                (folder / file).write_text(value)
            joined[folder] = str(folder / "cgroup.procs")
    return list(joined.values())


def _folder(root: Path, short: str, controller: str) -> Path:
    parent = root / group_name(short)
    parent.mkdir(exist_ok=True)
    if root == ROOT:  # version 2: a controller is handed down explicitly
        for level in (root, parent):
            (level / "cgroup.subtree_control").write_text(f"+{controller}")
    return parent


def _values(name: str, vcpus: int, memory: int, *, unified: bool) -> list[tuple[str, str]]:
    quota = (vcpus + 1) * PERIOD  # one more than the guest's, for its devices
    if name == "memory":
        return [("memory.max" if unified else "memory.limit_in_bytes", str(memory + OVERHEAD))]
    if name == "pids":
        return [("pids.max", str(THREADS + vcpus))]
    if unified:
        return [("cpu.max", f"{quota} {PERIOD}")]
    return [("cpu.cfs_period_us", str(PERIOD)), ("cpu.cfs_quota_us", str(quota))]


def remove(short: str, server_id: str) -> None:
    """Remove a server's groups, once its process is gone."""
    for root in set(roots().values()):
        with contextlib.suppress(OSError):
            (root / group_name(short) / server_id).rmdir()


def remove_all(short: str) -> None:
    """Remove the groups that hold the servers', once no server has one."""
    for root in set(roots().values()):
        with contextlib.suppress(OSError):
            (root / group_name(short)).rmdir()


def left(short: str) -> set[str]:
    """Ids of the servers that have a group."""
    return {
        entry.name
        for root in set(roots().values())
        if (root / group_name(short)).is_dir()
        for entry in (root / group_name(short)).iterdir()
        if entry.is_dir()
    }
