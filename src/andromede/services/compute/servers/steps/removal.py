"""Removing: the machine and its disk go, then the ports and the row, in one transaction."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.servers import networking, store
from andromede.services.compute.servers.consoles import store as consoles
from andromede.services.compute.servers.deaths import store as deaths
from andromede.services.compute.servers.groups import store as groups
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.moves import store as moves
from andromede.services.compute.servers.states import Doing, PowerState, Vm
from andromede.services.compute.servers.steps.failure import drop_copy
from andromede.services.network.api import release_ports
from andromede.work import Done, Hop, Nap, Outcome, Step


def put_aside(step: Step) -> Outcome:
    """Off, its disk kept for the time in which it can be restored; then it goes."""
    step.world.engine.stop_server(step.id)

    def record(conn: Connection) -> None:
        server = store.get(conn, step.id)
        assert server is not None
        networking.ended(conn, server)
        drop_copy(conn, server, step.task.request_id)
        store.change(
            conn, step.id, vm_state=Vm.SOFT_DELETED, task_state=None, course=None,
            power_state=int(PowerState.SHUTDOWN),
        )  # fmt: skip
        history.end(conn, step.id, step.task.request_id, server.host)

    return Nap(step.world.cloud.config.reclaim_seconds, "reclaim", record)


def reclaim(step: Step) -> Outcome:
    """Nobody restored it."""
    return Hop("remove", lambda conn: store.change(conn, step.id, task_state=Doing.DELETING))


def remove(step: Step) -> Outcome:
    step.world.engine.remove_server(step.id)
    return Done(lambda conn: _bury(conn, step))


def _bury(conn: Connection, step: Step) -> None:
    server = store.get(conn, step.id)
    if server is None:
        return
    drop_copy(conn, server, step.task.request_id)
    release_ports(conn, step.id, step.task.request_id)
    deaths.forget(conn, step.id)
    consoles.forget(conn, step.id)
    groups.leave(conn, step.id)
    history.end(conn, step.id, step.task.request_id, server.host)
    store.bury(conn, step.id)
    moves.note(conn, step.id, moves.CONFIRMED)


STEPS = {"put_aside": put_aside, "reclaim": reclaim, "remove": remove}
