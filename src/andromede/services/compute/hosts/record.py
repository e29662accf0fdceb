"""The worker's part: notes again and again that its host is there and what it offers."""

from __future__ import annotations

from typing import Any

from andromede.services.compute.hosts import store
from andromede.work import Reconciler

EVERY = 10.0


def recorder(world: Any) -> Reconciler:
    """Writes the host's facts, as the engine gives them, into its row."""

    def run() -> None:
        facts = world.engine.host()
        world.cloud.database.transact(lambda connection: store.record(connection, facts))

    return Reconciler(name="host-record", every=EVERY, run=run)
