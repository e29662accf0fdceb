"""Removing: the machine and its disk go, then the ports and the row, in one transaction."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.deaths import store as deaths
from andromede.services.compute.servers.groups import store as groups
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.steps.failure import drop_copy
from andromede.services.network.api import release_ports
from andromede.work import Done, Outcome, Step


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
    groups.leave(conn, step.id)
    history.end(conn, step.id, step.task.request_id, server.host)
    store.bury(conn, step.id)


STEPS = {"remove": remove}
