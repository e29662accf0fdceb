"""Starting one server's QEMU: opens what it may touch, and lets the jail start it with that alone.

Touches the server's folder and its control groups; the taps come from the network's half.
"""

from __future__ import annotations

import marshal
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from andromede import jail
from andromede.engine.embedded.call import call
from andromede.engine.embedded.machine import command, console, disks
from andromede.engine.protocol import EngineError, ServerSpec

COMMANDS, EVENTS, SERIAL = "commands.sock", "events.sock", "serial.sock"
AGENT = "agent.sock"
JAIL = Path(jail.__file__)
LIMITS = {"CORE": 0, "NOFILE": 4_096, "MSGQUEUE": 0, "NPROC": 1_024}


@dataclass(frozen=True, kw_only=True)
class Start:
    """All that one start of a server's QEMU needs. Without `spec` no guest runs in it: it is there to
    read the disk."""

    server_id: str
    spec: ServerSpec | None
    folder: Path
    mark: str
    uid: int
    accelerator: str
    base: Path | None
    cgroups: list[str]
    root: Path  # an existing folder that the jail mounts its root on
    drive: Path | None = None
    rescue_base: Path | None = None
    state: Path | None = None
    slots: tuple[int, ...] = ()
    ports: int = 0


def start(plan: Start, open_tap: Callable[[str], int]) -> tuple[int, int]:
    """Start QEMU and answer its pid and start time; it runs, or has written why not to its log.

    Errors: EngineError.
    """
    with ExitStack() as stack:
        fds = _open_all(plan, open_tap, stack)
        log = _keep(stack, console.open_log(plan.folder, console.QEMU_LOG))
        document = {
            "argv": _command(plan, fds),
            "uid": plan.uid,
            "root": str(plan.root),
            "devices": [*jail.DEVICES, *(["/dev/kvm"] if plan.accelerator == "kvm" else [])],
            "cgroups": plan.cgroups,
            "limits": LIMITS,
            "log": log,
        }
        passed = [fds.disk, fds.console, fds.commands, fds.events, fds.serial, log, *fds.taps]
        more = (fds.base, fds.drive, fds.rescue, fds.rescue_base, fds.state, fds.agent)
        passed += [fd for fd in more if fd is not None]
        return _run(plan, document, passed)


def _command(plan: Start, fds: command.Descriptors) -> list[str]:
    if plan.spec is None:
        return command.build_copier(plan.mark, fds, _format(plan.base))
    layout = command.Layout(
        base_format=_format(plan.base), rescue_format=_format(plan.rescue_base),
        slots=plan.slots, ports=plan.ports,
    )  # fmt: skip
    return command.build(plan.spec, plan.mark, plan.accelerator, fds, layout)


def _format(base: Path | None) -> str:
    return base.suffix.lstrip(".") if base else ""


def _run(plan: Start, document: dict[str, object], passed: list[int]) -> tuple[int, int]:
    doing = f"starting server {plan.server_id} in its jail"
    words = [sys.executable, "-I", "-S", str(JAIL), plan.mark]
    done = call(words, doing, input=marshal.dumps(document), capture_output=True, pass_fds=passed)
    identity, _, failure = done.stdout.decode(errors="replace").partition("\n")
    if failure:
        raise EngineError(f"{doing}: {failure}")
    try:
        pid, started = map(int, identity.split())
    except ValueError as error:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise EngineError(f"starting server {plan.server_id}: the jail failed: {said}") from error
    return pid, started


def _keep(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _open_all(plan: Start, open_tap: Callable[[str], int], stack: ExitStack) -> command.Descriptors:
    def read(path: Path | None) -> int | None:
        return _keep(stack, os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) if path else None

    def write(name: str) -> int:
        flags = os.O_RDONLY if plan.spec is None else os.O_RDWR
        return _keep(stack, os.open(plan.folder / name, flags | os.O_NOFOLLOW))

    agent = plan.spec is not None and plan.spec.agent
    rescued = plan.spec is not None and plan.spec.rescue is not None
    nics = plan.spec.nics if plan.spec is not None else ()
    try:
        return command.Descriptors(
            disk=write(disks.DISK),
            base=read(plan.base),
            drive=read(plan.drive),
            rescue=write(disks.RESCUE) if rescued else None,
            rescue_base=read(plan.rescue_base),
            state=read(plan.state),
            console=_keep(stack, console.open_log(plan.folder, console.LOG)),
            commands=_listen(plan.folder, COMMANDS, stack),
            events=_listen(plan.folder, EVENTS, stack),
            serial=_listen(plan.folder, SERIAL, stack),
            agent=_listen(plan.folder, AGENT, stack) if agent else None,
            taps=tuple(_keep(stack, open_tap(nic.port_id)) for nic in nics),
        )
    except OSError as error:
        raise EngineError(f"starting server {plan.server_id}: {error}") from error


def _listen(folder: Path, name: str, stack: ExitStack) -> int:
    """A listening socket in a folder whose path may be longer than a socket's may."""
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    (folder / name).unlink(missing_ok=True)
    at = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{at}/{name}")
    finally:
        os.close(at)
    listener.listen(8)
    return listener.fileno()
