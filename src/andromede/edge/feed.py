"""Keeps the edge fed from the worker: every network's metadata socket is with the edge once, whichever
of the two processes was started again. While no network changes it asks for nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from andromede.edge.client import ControlClient, EdgeError
from andromede.engine.protocol import EngineError
from andromede.work import Reconciler

log = structlog.get_logger("edge-feed")

EVERY = 0.5  # a guest needs longer than this to boot
AGAIN = 1.0  # seconds until the engine is asked again for a socket that could not be had

Wanted = Callable[[], Iterable[str]]  # the ids of all networks


class Feed:
    """What the edge holds, and what it should: of the `wanted` networks all that the engine has.

    All are looked at once, when the edge was reached; from then on those that the engine names.
    """

    def __init__(self, engine: Any, path: Path, wanted: Wanted) -> None:
        self._engine = engine
        self._path = path
        self._wanted = wanted
        self._control: ControlClient | None = None
        self._held: set[str] = set()
        self._seen = 0
        self._again: dict[str, float] = {}

    def run(self) -> None:
        """Hand over what is new and have forgotten what is gone.

        Errors: EdgeError when the edge is away.
        """
        control = self._connect()
        try:
            self._settle(control)
        except EdgeError:
            self._drop()
            raise

    def _connect(self) -> ControlClient:
        if self._control is not None and self._control.alive:
            return self._control
        self._drop()
        control = ControlClient(self._path)
        self._held = control.held()
        self._control = control
        return control

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control = None
        self._held = set()
        self._seen = 0
        self._again = {}

    def _settle(self, control: ControlClient) -> None:
        number, changed = self._engine.metadata_changes(self._seen)
        if changed is None:
            changed = self._compare(control)
        now = time.monotonic()
        due = changed | {each for each, moment in self._again.items() if moment <= now}
        for network_id in sorted(due):
            self._hand(control, network_id)
        self._seen = number

    def _compare(self, control: ControlClient) -> set[str]:
        """Have forgotten what is not wanted; what is wanted and not held."""
        wanted = set(self._wanted())
        for network_id in self._held - wanted:
            control.forget(network_id)
        self._held &= wanted
        return wanted - self._held

    def _hand(self, control: ControlClient, network_id: str) -> None:
        self._again.pop(network_id, None)
        try:
            descriptor: int | None = self._engine.metadata_socket(network_id)
        except (EngineError, OSError) as error:
            if network_id not in self._held:  # else it is the edge itself that listens there
                log.warning("not handed over", network=network_id, error=str(error))
                self._again[network_id] = time.monotonic() + AGAIN
            return
        if descriptor is None:
            if network_id in self._held:
                control.forget(network_id)
                self._held.discard(network_id)
            return
        try:
            control.hand_over(network_id, descriptor)
            self._held.add(network_id)
        finally:
            os.close(descriptor)


def reconciler(world: Any, wanted: Wanted) -> Reconciler:
    """The feed of a worker's world (its cloud and its engine)."""
    feed = Feed(world.engine, world.cloud.paths.run / "edge.sock", wanted)

    def run() -> None:
        try:
            feed.run()
        except EdgeError as error:  # it starts again, or the cloud ends
            log.warning("the edge is not fed", error=str(error))

    return Reconciler(name="edge-feed", every=EVERY, run=run)
