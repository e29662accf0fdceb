"""Reconcilers: functions without input that make the world equal to the rows, again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger("reconcile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """A named function, run every so many seconds. It must be safe to run at any moment."""

    name: str
    every: float
    run: Callable[[], object]


def serve(reconcilers: Sequence[Reconciler], stop: threading.Event) -> list[threading.Thread]:
    """Run each in a thread of its own until `stop`; one that fails is logged and runs again."""
    threads = [
        threading.Thread(target=_loop, args=(each, stop), name=each.name, daemon=True)
        for each in reconcilers
    ]
    for thread in threads:
        thread.start()
    return threads


def _loop(reconciler: Reconciler, stop: threading.Event) -> None:
    while not stop.is_set():
        started = time.monotonic()
        try:
            reconciler.run()
        except Exception:
            log.exception("reconciler failed", name=reconciler.name)
        stop.wait(max(0.0, reconciler.every - (time.monotonic() - started)))
