"""Waiting for a disk as long as something moves.

Whoever waits holds a server's lock, and with it the server's deletion, and a disk may stall for ever.
Reads /proc and flushes the files that it is given.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

LOOK = 0.05  # seconds between looks
STALL = 30.0  # seconds without any movement after which nobody waits on
STEP = 1 << 20  # bytes that count as movement: who waits for work reads its wake-ups too
T = TypeVar("T")

_flushes: dict[tuple[int, int], Future[None]] = {}  # under way, by the file's device and number


@dataclass(frozen=True)
class Pace:
    """The time a wait goes by, and after how many seconds without movement it ends."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    stall: float = field(default_factory=lambda: STALL)


def wait(look: Callable[[], tuple[T | None, object]], doing: str, pace: Pace) -> T:
    """Look until there is an end; beside it, a look gives how far the matter is.

    Errors: TimeoutError when nothing moved for too long.
    """
    since, before = pace.now(), object()
    while True:
        end, moved = look()
        if end is not None:
            return end
        now = pace.now()
        if moved != before:
            since, before = now, moved
        elif now - since >= pace.stall:
            raise _stalled(doing, pace)
        pace.sleep(LOOK)


def moved_by(pid: int) -> int:
    """How much a process has read and written in its life, whatever files, in steps.

    Errors: OSError when it is gone.
    """
    fields = Path(f"/proc/{pid}/io").read_text().split()
    held = dict(zip(fields[::2], map(int, fields[1::2]), strict=True))
    return (held["rchar:"] + held["wchar:"]) // STEP


def flush(descriptor: int, doing: str, pace: Pace) -> None:
    """Have a file on the disk. A thread waits for the disk: nothing else could stop waiting for it.

    Errors: TimeoutError when the disk takes too long, which the next call for the file joins; OSError.
    """
    there = os.fstat(descriptor)
    key = there.st_dev, there.st_ino
    under_way = _flushes.get(key)
    if under_way is None:
        under_way = _flushes[key] = Future()
        own = os.dup(descriptor)
        threading.Thread(target=_fsync, args=(own, under_way), daemon=True).start()
    wait_for((under_way,), pace.stall)
    if not under_way.done():
        raise _stalled(doing, pace)
    del _flushes[key]
    under_way.result()


def _stalled(doing: str, pace: Pace) -> TimeoutError:
    return TimeoutError(f"{doing}: nothing moved for {pace.stall:g} s; the disk it is on stalls")


def _fsync(descriptor: int, ended: Future[None]) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        ended.set_exception(error)
    else:
        ended.set_result(None)
    finally:
        os.close(descriptor)
