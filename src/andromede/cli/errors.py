"""How a command says that it cannot: one line, what is wrong and what to do, and its exit code."""

from __future__ import annotations

import errno

FAILED = 1
USAGE = 2
NOT_RUNNING = 3


class CliError(Exception):
    """A command cannot do what it was asked. Nothing was changed."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def of_system(error: OSError) -> CliError:
    """What the system refused, as one line with what to do."""
    where = f"{error.filename}: " if error.filename is not None else ""
    remedies = {
        errno.ENOSPC: "free some space there, then run the command again",
        errno.EDQUOT: "free some space there, then run the command again",
        errno.EACCES: "run this command as root, or as the user who owns it",
        errno.EPERM: "run this command as root, or as the user who owns it",
        errno.EROFS: "give a folder that can be written with --state",
        errno.ENOTDIR: "give a folder with --state",
        errno.EISDIR: "a file is needed there: move the folder away",
        errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
        errno.EIO: "the disk fails: look at the kernel's log",
    }
    remedy = remedies.get(error.errno or 0, "correct that, then run the command again")
    return CliError(f"{where}{error.strerror or error}; {remedy}")
