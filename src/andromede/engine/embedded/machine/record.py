"""What is written down of a server's machine, so that any later process finds it again.

One small JSON file per server, replaced whole; it says what was asked for, what disk it stands on
and which process it became. Touches only the server's own folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

NAME = "machine.json"


class Record(Struct, kw_only=True, omit_defaults=True):
    """A server's machine. `pid` and `started` identify a process while `boot` is the host's boot."""

    number: int
    uid: int
    base: str | None = None  # file name in the bases folder that the disk stands on
    wanted: bool = False  # True: the machine should be running
    accelerator: str | None = None
    since: int | None = None  # microseconds since the epoch of the last start or stop
    pid: int | None = None
    started: int | None = None
    boot: str | None = None
    reason: str | None = None  # why it is off, when that was not asked for
    generation: int = 0  # of the disk that is there
    rescue_base: str | None = None  # as `base`, of the disk that it is rescued with
    paused: bool = False  # True: it was asked to halt
    copying: str | None = None  # the copy that the process is there for: no guest runs in it
    cards: dict[str, int] = {}  # the root port that each port's card is on
    ports: int = 0  # root ports the machine was started with


def load(folder: Path) -> Record | None:
    """The record in a server's folder; None when there is none, or it is unreadable."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Record)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def save(folder: Path, record: Record) -> None:
    """Write the record whole or not at all.

    Errors: OSError.
    """
    replace(folder / NAME, msgspec.json.encode(record))


def replace(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it has its old content or its new.

    Errors: OSError.
    """
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)
