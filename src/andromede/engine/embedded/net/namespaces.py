"""Network namespaces: made, entered, listed and removed below /run/netns, as iproute2 keeps them.

Entering moves the calling thread only; whatever it opens there (sockets, taps) stays there.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from andromede.engine.protocol import EngineError

FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x4000_0000
MS_BIND, MS_REC, MS_SHARED, MNT_DETACH = 0x1000, 0x4000, 1 << 20, 2
NS_GET_NSTYPE = 0xB703
_libc = ctypes.CDLL(None, use_errno=True)
_folder_lock = threading.Lock()


def exists(name: str) -> bool:
    """Whether the name is a live namespace; a file left by a cut-off `create` is not one."""
    try:
        handle = os.open(FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return fcntl.ioctl(handle, NS_GET_NSTYPE) == CLONE_NEWNET
    except OSError:
        return False
    finally:
        os.close(handle)


def listed(prefix: str) -> list[str]:
    """Names that begin with `prefix`, live or half made."""
    if not FOLDER.is_dir():
        return []
    return sorted(entry for entry in os.listdir(FOLDER) if entry.startswith(prefix))


def create(name: str) -> bool:
    """Make the namespace unless it lives. True when it is new.

    Errors: EngineError when the kernel refuses.
    """
    if exists(name):
        return False
    path = FOLDER / name
    _prepare_folder()
    path.touch(mode=0o444, exist_ok=True)
    with _returning(name):
        _check(_libc.unshare(CLONE_NEWNET), "making network namespace", name)
        _mount(b"/proc/thread-self/ns/net", bytes(path), MS_BIND)
    return True


def remove(name: str) -> None:
    """Forget the namespace; it dies with the last process or socket in it."""
    path = FOLDER / name
    while _libc.umount2(bytes(path), MNT_DETACH) == 0:
        pass
    path.unlink(missing_ok=True)


def identity(name: str) -> tuple[int, int]:
    """Device and inode of the namespace, as `/proc/PID/ns/net` shows them too."""
    status = os.stat(FOLDER / name)
    return status.st_dev, status.st_ino


@contextmanager
def inside(name: str | None) -> Iterator[None]:
    """Run the body in the namespace; None: where the thread already is.

    Errors: EngineError when there is no such namespace.
    """
    if name is None:
        yield
        return
    try:
        handle = os.open(FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise EngineError(f"entering network namespace {name}: there is none") from error
    with _returning(name):
        try:
            _check(_libc.setns(handle, CLONE_NEWNET), "entering network namespace", name)
        finally:
            os.close(handle)
        yield


def _prepare_folder() -> None:
    with _folder_lock:
        FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Only a mount point can be shared: the kernel's refusal says that it is not one yet.
        if _libc.mount(b"", bytes(FOLDER), b"none", MS_SHARED | MS_REC, None) != 0:
            _mount(bytes(FOLDER), bytes(FOLDER), MS_BIND | MS_REC)
            _mount(b"", bytes(FOLDER), MS_SHARED | MS_REC)


def _mount(source: bytes, target: bytes, flags: int) -> None:
    result = _libc.mount(source, target, b"none", flags, None)
    _check(result, "mounting a namespace on", os.fsdecode(target))


@contextmanager
def _returning(name: str) -> Iterator[None]:
    """Bring the thread back, after the body, to the namespace it is in now."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        result = _libc.setns(home, CLONE_NEWNET)
        os.close(home)
        _check(result, "returning from network namespace", name)


def _check(result: int, act: str, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise EngineError(f"{act} {what}: {os.strerror(code)} (root is needed)")
