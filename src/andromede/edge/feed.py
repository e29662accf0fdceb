"""Keeps the edge fed from the worker: every network's metadata socket and every server's console is
with the edge once, whichever of the two processes was started again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from andromede.edge.client import ControlClient, EdgeError
from andromede.edge.protocol import What
from andromede.engine.protocol import EngineError
from andromede.work import Reconciler

log = structlog.get_logger("edge-feed")

EVERY = 0.5  # a guest needs longer than this to boot
RECHECK = 30.0  # seconds after which a console's log is compared with the one handed over
ABSENT = 1.0  # seconds until the engine is asked again for what it had not

Identity = tuple[int, int]
Key = tuple[What, str]
Wanted = Callable[[], tuple[Iterable[str], Iterable[str]]]  # ids of networks and of servers


class Feed:
    """What the edge holds, and what it should: of the networks and servers that are `wanted`, all
    that the host's engine has."""

    def __init__(self, engine: Any, path: Path, wanted: Wanted) -> None:
        self._engine = engine
        self._path = path
        self._wanted = wanted
        self._control: ControlClient | None = None
        self._held: dict[Key, Identity | None] = {}
        self._not_before: dict[Key, float] = {}

    def run(self) -> None:
        """Hand over what is new and have forgotten what is gone.

        Errors: EdgeError when the edge is away.
        """
        control = self._connect()
        networks, servers = self._wanted()
        wanted: set[Key] = {("metadata", each) for each in networks}
        wanted |= {("console", each) for each in servers}
        try:
            self._settle(control, wanted)
        except EdgeError:
            self._drop()
            raise

    def _connect(self) -> ControlClient:
        if self._control is not None and self._control.alive:
            return self._control
        self._drop()
        control = ControlClient(self._path)
        kinds: tuple[What, What] = ("metadata", "console")
        self._held = {(what, each): None for what in kinds for each in control.held(what)}
        self._control = control
        return control

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control = None
        self._held = {}
        self._not_before = {}

    def _settle(self, control: ControlClient, wanted: set[Key]) -> None:
        for key in set(self._held) - wanted:
            control.forget(*key)
            del self._held[key]
        self._not_before = {k: v for k, v in self._not_before.items() if k in wanted}
        for key in sorted(wanted):
            if key[0] == "metadata" and key in self._held:
                continue
            if self._not_before.get(key, 0.0) <= time.monotonic():
                self._hand(control, key)

    def _hand(self, control: ControlClient, key: Key) -> None:
        what, held = key
        try:
            descriptor = self._descriptor(what, held)
        except (EngineError, OSError) as error:
            log.warning("not handed over", what=what, id=held, error=str(error))
            descriptor = None
        if descriptor is None:
            self._not_before[key] = time.monotonic() + ABSENT
            return
        try:
            status = os.fstat(descriptor)
            identity = (status.st_dev, status.st_ino)
            if self._held.get(key) != identity:
                control.hand_over(what, held, descriptor)
                self._held[key] = identity
        finally:
            os.close(descriptor)
        self._not_before[key] = time.monotonic() + RECHECK

    def _descriptor(self, what: What, held: str) -> int | None:
        found: int | None
        if what == "metadata":
            found = self._engine.metadata_socket(held)
        else:
            found = self._engine.console_output(held)
        return found


def reconciler(world: Any, wanted: Wanted) -> Reconciler:
    """The feed of a worker's world (its cloud and its engine)."""
    feed = Feed(world.engine, world.cloud.paths.run / "edge.sock", wanted)
    return Reconciler(name="edge-feed", every=EVERY, run=feed.run)
