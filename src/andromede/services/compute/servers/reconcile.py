"""Reconcilers of servers: machines that changed by themselves, and the whole host against the rows.

Both only set the intent `sync`, and never over another intent; what no row names goes at once, its
disk into quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog

from andromede import clock, ids
from andromede.db import Connection
from andromede.engine.protocol import Engine, Observation, Power
from andromede.services.compute.servers import store
from andromede.services.compute.servers.states import Vm, runs
from andromede.work import Reconciler, intend
from andromede.work.store import busy

WAIT = 1.0  # seconds one call waits for events
EVERY = 10.0  # seconds between comparisons of the whole host
SYNC_SECONDS = 1800.0
REMEMBERED = 7 * 86_400 * clock.SECOND  # how long the rows of deleted servers are kept
BATCH = 200  # intents in one transaction

log = structlog.get_logger("servers")


def reconcilers(world: Any) -> list[Reconciler]:
    return [
        Reconciler(name="server events", every=0.0, run=lambda: follow_events(world)),
        Reconciler(name="servers", every=EVERY, run=lambda: compare(world)),
    ]


def follow_events(world: Any, seconds: float = WAIT) -> None:
    """Wait for machines that changed by themselves and have their rows follow."""
    engine: Engine = world.engine
    _sync(world, sorted(engine.wait_events(seconds)))


def compare(world: Any) -> None:
    """Make rows and host agree: who should run runs, what nobody owns goes, the old is forgotten."""
    engine: Engine = world.engine
    seen = engine.observe()  # before the rows: a row comes before anything on the host
    names = [host.name for host in engine.hosts()]
    with world.cloud.database.read() as conn:
        rows = [row for name in names for row in store.placed(conn, name)]
        there = sorted(seen.servers.keys() | seen.disks)
        orphans = sorted(set(there) - store.living(conn, there))
    _sync(world, [row[0] for row in rows if _differs(row, seen)])
    for server_id in orphans:
        log.warning("quarantined", server=server_id, why="no row names it")
        engine.quarantine_disk(server_id)
    engine.purge_quarantine()
    before = clock.now() - REMEMBERED
    world.cloud.database.transact(lambda conn: store.purge(conn, before))


def _differs(row: tuple[str, str, str | None, int], seen: Observation) -> bool:
    server_id, vm_state, task_state, power_state = row
    if task_state is not None:
        return False
    facts = seen.servers.get(server_id)
    power = facts.power if facts is not None else Power.ABSENT
    if runs(vm_state, power_state):
        return power is not Power.ON
    if vm_state == Vm.PAUSED:
        return power is not Power.PAUSED
    return vm_state == Vm.STOPPED and power in (Power.ON, Power.PAUSED)


def _sync(world: Any, server_ids: Iterable[str]) -> None:
    wanted = list(server_ids)
    for at in range(0, len(wanted), BATCH):
        part = wanted[at : at + BATCH]
        world.cloud.database.transact(lambda conn, part=part: _intend_all(conn, part))


def _intend_all(conn: Connection, server_ids: list[str]) -> None:
    projects = store.projects_of(conn, server_ids)
    for server_id, project_id in projects.items():
        if not busy(conn, "server", server_id):
            intend(
                conn, "server", server_id, "sync", project_id=project_id,
                request_id=f"req-{ids.new()}", seconds=SYNC_SECONDS,
            )  # fmt: skip
