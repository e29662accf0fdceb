"""Becoming a role: the user id, the groups and the limits of a forked process."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

from andromede.config import Config, cloud_gid, role_uid

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
KEEP_ROOT = frozenset({"worker", "inspect"})  # inspect locks itself into a jail as it starts
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


def become(config: Config, role: str) -> None:
    """Run from here on as the role's own user, without a way back.

    The process ends with the supervisor, and writes no core file: its memory may hold secrets.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0 and role not in KEEP_ROOT:
        uid = role_uid(config, role)
        os.setgroups([cloud_gid(config)])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        os.umask(0o077)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
