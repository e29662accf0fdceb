"""What this host is and lacks, as `doctor` tells it. What is tried out is taken away again."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from pathlib import Path

from msgspec import Struct

from andromede import __file__ as program
from andromede.cli import sockets
from andromede.config import Config, Paths, address
from andromede.engine.embedded import accel
from andromede.engine.embedded.accel import Verdict
from andromede.engine.embedded.machine import facts
from andromede.engine.embedded.machine import preflight as machine
from andromede.engine.embedded.net import preflight as net
from andromede.engine.preflight import Lack
from andromede.roles import listen

LEAST_FILES = 4_096  # open files: the worker holds two for each server that runs
UNSYNCHRONISED = 5  # what adjtimex(2) answers: TIME_ERROR


class Port(Struct, frozen=True, kw_only=True):
    """An address of a listener: free, or in use, by whom when that can be told."""

    listener: str
    address: str
    in_use: bool
    by: list[str]


class Host(Struct, frozen=True, kw_only=True):
    """This host. Sizes are bytes."""

    kernel: str
    processors: int
    memory: int
    memory_available: int
    disk: int
    disk_free: int
    accelerator: Verdict
    qemu: str | None


def look(paths: Paths) -> Host:
    """Look at the host, with the accelerator probed by really booting."""
    memory, available = facts.memory()
    disk, free = facts.disk(paths)
    version = facts.qemu_version()
    return Host(
        kernel=os.uname().release,
        processors=os.cpu_count() or 1,
        memory=memory,
        memory_available=available,
        disk=disk,
        disk_free=free,
        accelerator=accel.probe(accel.unpacked_kernel(paths)),
        qemu=".".join(map(str, version)) if version else None,
    )


def lacks(paths: Paths, verdict: Verdict) -> list[Lack]:
    """All that the host lacks, for whoever may look; root alone can try most of it."""
    found = [*machine.check(paths, verdict), *net.check()] if os.geteuid() == 0 else []
    return [*found, *_clock(), *_files()]


def _clock() -> list[Lack]:
    if time.time() < Path(program).stat().st_mtime:
        remedy = "set the clock: date --set, or run chrony"
        cost = "tokens, certificates and the log bear wrong times: no cloud starts"
        return [Lack(name="right clock", cost=cost, remedy=remedy, needed=True)]
    libc = ctypes.CDLL(None)
    if libc.adjtimex(ctypes.create_string_buffer(512)) != UNSYNCHRONISED:
        return []
    cost = "nothing sets it: times in tokens and in the log may be off"
    return [Lack(name="synchronised clock", cost=cost, remedy="run chrony or systemd-timesyncd")]


def _files() -> list[Lack]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= LEAST_FILES or soft == resource.RLIM_INFINITY:
        return []
    name, cost = f"open files: {soft}", f"at most about {soft // 4} servers run at once"
    return [Lack(name=name, cost=cost, remedy=f"ulimit -n {LEAST_FILES} before andromede up")]


def ports(config: Config) -> list[Port]:
    """The addresses that the listeners want."""
    wanted = [("public", *each) for each in listen.public_addresses(config)]
    wanted.append(("private", *address(config.private)))
    return [
        Port(
            listener=listener,
            address=f"{host}:{port}",
            in_use=not free,
            by=[] if free else sockets.holders(port),
        )
        for listener, host, port in wanted
        for free in [listen.free(host, port)]
    ]
