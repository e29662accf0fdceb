"""The inspect role: judges image files whose descriptors the api hands it over a socket.

As root it first locks itself up: no network, no file of the host but /usr, no other process in
sight, its own user. Without root it serves as the caller, and says so. One message each way on a
SOCK_SEQPACKET connection: `{"declared"}` with a descriptor, and a verdict or `{"error"}`.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import structlog

from andromede import jail
from andromede.config import Config, Paths, cloud_gid, role_uid
from andromede.inspect import formats, qemu
from andromede.inspect.verdict import LONGEST, Failure, InspectionError, Request, Verdict

SOCKET = "inspect.sock"
AT_ONCE = 4  # inspections; further callers wait their turn
WAITING = 64
REQUEST_PATIENCE = 5.0  # seconds a caller has to say what it wants

log = structlog.get_logger("inspect")


def serve(paths: Paths, config: Config) -> None:
    """Serve until killed. Errors: OSError when this host does not let the jail be made."""
    listener = bind(paths.run / SOCKET, config)
    callers = {role_uid(config, "api"), os.geteuid()}  # the worker is who this role is at first
    if os.geteuid() == 0:
        _lock_up(paths, role_uid(config, "inspect"))
        log.info("inspecting in a jail", uid=os.getuid(), namespaces="net mount pid ipc uts")
    else:
        log.warning("inspecting without a jail: this cloud runs without root", uid=os.getuid())
    answer_all(listener, callers)


def bind(path: Path, config: Config) -> socket.socket:
    """The listening socket, which the cloud's roles may reach. Errors: OSError."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    if os.geteuid() == 0:
        os.chown(path, 0, cloud_gid(config))
    path.chmod(0o660)
    listener.listen(WAITING)
    return listener


def _lock_up(paths: Paths, uid: int) -> None:
    """Go on in a child that is the first process of its own world; this one waits for its end."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    jail.die_with_parent()
    jail.unshare(jail.CLONE_NEWPID)
    child = os.fork()
    if child != 0:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    jail.enter_root(str(paths.run), uid, proc=True)
    jail.limit({"CORE": 0, "NOFILE": 256})
    jail.drop(uid)
    jail.die_with_parent()
    os.umask(0o077)


def answer_all(listener: socket.socket, callers: set[int]) -> None:
    """Answer every connection of these users, a few at once; the others are closed unheard."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="inspect") as pool:
        while True:
            connection, _ = listener.accept()
            if _peer(connection) not in callers:
                log.warning("refused a caller", uid=_peer(connection), accepted=sorted(callers))
                connection.close()
            else:
                pool.submit(_answer, connection)


def _peer(connection: socket.socket) -> int:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", raw)
    return int(uid)


def _answer(connection: socket.socket) -> None:
    descriptors: list[int] = []
    with connection:
        try:
            connection.settimeout(REQUEST_PATIENCE)
            data, descriptors, _, _ = socket.recv_fds(connection, LONGEST, 1)
            if not data:
                return
            connection.sendall(msgspec.json.encode(_judged(data, descriptors)))
        except OSError as error:
            log.warning("a caller went away", error=str(error))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _judged(data: bytes, descriptors: list[int]) -> Verdict | Failure:
    try:
        declared = msgspec.json.decode(data, type=Request).declared
        if len(descriptors) != 1:
            return Failure("a request carries one descriptor")
        verdict = judge(descriptors[0], declared)
    except (OSError, msgspec.DecodeError, InspectionError) as error:
        log.warning("an inspection failed", error=str(error))
        return Failure(str(error))
    log.info("inspected", **msgspec.to_builtins(verdict))
    return verdict


def judge(descriptor: int, declared: str) -> Verdict:
    """The whole inspection: the header by our own reading, then a qcow2's tables by QEMU's.

    Errors: OSError, InspectionError.
    """
    verdict = formats.examine(descriptor, declared)
    if verdict.ok and verdict.format_found == "qcow2":
        wrong = qemu.judge(descriptor, verdict.virtual_size)
        if wrong:
            return msgspec.structs.replace(verdict, ok=False, reason=wrong)
    return verdict
