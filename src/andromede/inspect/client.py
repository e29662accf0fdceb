"""Asking the inspect role for a verdict on an open file. Touches its socket and the file's mode."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import msgspec

from andromede.inspect.verdict import (
    LONGEST,
    PATIENCE,
    Failure,
    InspectionError,
    Request,
    Verdict,
)

WAIT = 4 * PATIENCE  # seconds: its own turn, after others'


class InspectClient:
    """The inspection jail behind a socket; call it with an open file and its declared format."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, descriptor: int, declared: str) -> Verdict:
        return inspect(self._path, descriptor, declared)


def inspect(path: Path, descriptor: int, declared: str) -> Verdict:
    """The verdict on an open file. Blocks; no event loop may call it.

    The file's content must be whole: the file becomes readable to all who can reach its folder, so
    that QEMU may open it under the jail's own user. Errors: InspectionError.
    """
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o444 != 0o444:
            os.fchmod(descriptor, mode | 0o444)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(WAIT)
            connection.connect(str(path))
            source = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)  # the jail may not write
            try:
                socket.send_fds(connection, [msgspec.json.encode(Request(declared))], [source])
            finally:
                os.close(source)
            answer = connection.recv(LONGEST)
    except OSError as error:
        raise InspectionError(f"asking {path} to inspect an image: {error}") from error
    try:
        return msgspec.json.decode(answer, type=Verdict)
    except msgspec.DecodeError:
        pass
    try:
        raise InspectionError(msgspec.json.decode(answer, type=Failure).error)
    except msgspec.DecodeError as error:
        raise InspectionError(f"{path} answered {answer[:100]!r}") from error
