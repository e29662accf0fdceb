"""Who listens on a TCP port of this host, as /proc tells it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

LISTENING = "0A"
TABLES = ("tcp", "tcp6")


def holders(port: int, proc: Path = Path("/proc")) -> list[str]:
    """`name (pid)` of every process that listens on the port and that the caller may look into."""
    inodes = {f"socket:[{each}]" for each in _inodes(port, proc)}
    if not inodes:
        return []
    return sorted({who for pid, held in _open_sockets(proc) if held in inodes
                   for who in [_name(proc, pid)]})  # fmt: skip


def taken(port: int, proc: Path = Path("/proc")) -> bool:
    """Whether anybody listens on the port, seen by the caller or not."""
    return bool(_inodes(port, proc))


def _inodes(port: int, proc: Path) -> set[str]:
    found = set()
    for table in TABLES:
        with contextlib.suppress(OSError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    found.add(words[9])
    return found


def _open_sockets(proc: Path) -> Iterator[tuple[str, str]]:
    for pid in os.listdir(proc):
        if not pid.isdigit():
            continue
        with contextlib.suppress(OSError):
            for entry in os.scandir(proc / pid / "fd"):
                with contextlib.suppress(OSError):
                    yield pid, os.readlink(entry.path)


def _name(proc: Path, pid: str) -> str:
    try:
        return f"{(proc / pid / 'comm').read_text().strip()} ({pid})"
    except OSError:
        return f"process {pid}"
