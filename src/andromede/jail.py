"""Starts one program with nothing of the host but /usr and the descriptors it was handed.

Run as a script with a plan on its input, it forks the program off (the program belongs to no
process of the cloud) and answers its pid; imported, it gives the same steps to a daemon that jails
itself. A few modules of the standard library only, so that it starts in milliseconds. Needs root.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import stat
import sys

TYPE_CHECKING = False  # not imported: the import of typing would double the time a start takes
if TYPE_CHECKING:
    from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 0x1, 0x2, 0x4, 0x8, 0x20
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
SIGKILL, SIGPIPE, SIG_DFL = 9, 13, 0
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
DEVICES = ("/dev/null", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _checked(result, f"mounting {source} on {target}")


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` (CLONE_NEW…) name for new ones.

    Errors: OSError.
    """
    _checked(_libc.unshare(flags), "leaving the host's namespaces")


def enter_root(
    root: str, uid: int, devices: tuple[str, ...] = DEVICES, *, proc: bool = False
) -> None:
    """Make the world an empty read-only root with /usr and the given devices, owned by `uid`.

    `root` is any existing folder; the mounts on it are seen by this process alone. `proc` adds
    /proc, for the first process of its own process namespace.
    Errors: OSError naming the mount or device that failed.
    """
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=256k,mode=0755")
    os.mkdir(f"{root}/usr")
    _mount("/usr", f"{root}/usr", "", MS_BIND)
    for name in ("bin", "lib", "lib32", "lib64"):
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
        elif os.path.isdir(f"/{name}"):
            os.mkdir(f"{root}/{name}")
            _mount(f"/{name}", f"{root}/{name}", "", MS_BIND)
            _read_only(f"{root}/{name}")
    _read_only(f"{root}/usr")
    os.mkdir(f"{root}/dev")
    for device in devices:
        os.mknod(root + device, stat.S_IFCHR | 0o600, os.stat(device).st_rdev)
        os.chown(root + device, uid, uid)
    if proc:
        os.mkdir(f"{root}/proc")
        _mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount("none", root, "", MS_REMOUNT | MS_NOSUID | MS_NOEXEC | MS_RDONLY)
    _pivot(root)


def _read_only(target: str) -> None:
    _mount("none", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _pivot(root: str) -> None:
    os.chdir(root)
    number = SYS_PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(number, b".", b"."), f"making {root} the root")
    _checked(_libc.umount2(b".", MNT_DETACH), "leaving the host's root")
    os.chdir("/")


def drop(uid: int) -> None:
    """Become `uid` (and gid) for good: no groups, no capabilities, none to be gained by exec."""
    _checked(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "giving up new privileges")
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def die_with_parent() -> None:
    """End when the parent does. To be called after `drop`, which undoes it."""
    _checked(_libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "tying this process's end")


def limit(limits: dict[str, int]) -> None:
    """Set both bounds of each resource, named as in `resource` without RLIMIT_."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        try:
            resource.setrlimit(kind, (value, value))
        except ValueError:  # above what a limited root may raise
            continue


def started(pid: int | str) -> int:
    """Clock ticks since boot at which a process started: with its pid, its identity.

    Errors: OSError when there is no such process.
    """
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def _become(plan: dict[str, Any]) -> None:
    """Turn this process into the plan's program; returns only by an exception."""
    for group in plan["cgroups"]:
        with open(group, "w", encoding="ascii") as file:
            file.write("0")
    empty = os.open("/dev/null", os.O_RDONLY)
    enter_root(plan["root"], plan["uid"], tuple(plan["devices"]))
    limit(plan["limits"])
    drop(plan["uid"])
    os.umask(0o077)
    _libc.signal(SIGPIPE, SIG_DFL)
    os.dup2(empty, 0)
    os.dup2(plan["log"], 1)
    os.dup2(plan["log"], 2)
    environment = {"PATH": "/usr/bin", "HOME": "/", "LC_ALL": "C.UTF-8"}
    os.execve(plan["argv"][0], plan["argv"], environment)  # noqa: S606  (a list, no shell)


def main() -> int:
    """Read a plan from standard input; answer `pid started`, then nothing more, or an error."""
    plan = marshal.load(sys.stdin.buffer)  # noqa: S302  (from the worker, which started this)
    answer = os.dup(1)  # closed by exec, so that its end tells the caller that the program runs
    if os.fork() != 0:
        return 0
    os.setsid()
    os.write(answer, f"{os.getpid()} {started('self')}\n".encode())
    try:
        _become(plan)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "")
        os.write(answer, f"{name} {error}".encode())
    return 1


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main())
