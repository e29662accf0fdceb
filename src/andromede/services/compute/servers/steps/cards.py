"""The cards of a machine that runs are made those of its server's row. A port is freed when the guest
has let go of its card; beside the server's own life, which goes on meanwhile."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.actions.interfaces import KIND, SECONDS
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Nic, Server
from andromede.services.compute.servers.states import runs
from andromede.services.compute.servers.steps import machine
from andromede.services.network import api as network
from andromede.work import Done, Lifecycle, Nap, Outcome, Step, intend
from andromede.work.lifecycle import Record

LOOK = 0.25  # seconds between looks at a guest that has a card to let go of


def plug(step: Step) -> Outcome:
    with step.database.read() as conn:
        server = store.get(conn, step.id)
    if server is None:
        return Done()
    network.realise(step, [nic.port for nic in server.nics if nic.moving != "leaving"])
    with step.database.read() as conn:
        document = machine.spec(conn, server)
    if step.world.engine.ensure_cards(document):
        return Nap(LOOK)
    done = {nic.port for nic in server.nics if nic.moving == "leaving"}
    return Done(lambda conn: _settled(conn, step, drop=done))


def _settled(conn: Connection, step: Step, *, drop: set[str], why: str | None = None) -> None:
    """Free the ports whose cards are gone, and note the others as those that the machine has."""
    server = store.get(conn, step.id)
    if server is None:
        return
    request = step.task.request_id
    there = {port.id for port in network.ports_of(conn, server.id)}
    for port_id in sorted(drop & there):
        network.release_port(conn, port_id, request)
    kept = [nic for nic in server.nics if nic.port in there - drop]
    store.change(conn, server.id, nics=[_still(nic) for nic in kept])
    if runs(server.vm_state, server.power_state):
        network.ports_active(conn, server.id, True)
    history.end(conn, server.id, request, server.host, why)


def _still(nic: Nic) -> Nic:
    return Nic(port=nic.port, owned=nic.owned, tag=nic.tag)


def fail(step: Step, message: str) -> Record:
    """What could not be plugged is taken back; what could not be pulled stays."""

    def record(conn: Connection) -> None:
        server: Server | None = store.get(conn, step.id)
        nics = server.nics if server is not None else []
        joining = {nic.port for nic in nics if nic.moving == "joining"}
        _settled(conn, step, drop=joining, why=message)
        if joining:  # the machine may have got a part of it
            intend(
                conn, KIND, step.id, "plug", project_id=step.task.project_id,
                request_id=step.task.request_id, seconds=SECONDS,
            )  # fmt: skip

    return record


LIFECYCLE = Lifecycle(
    kind=KIND,
    steps={"plug": plug},
    fail=fail,
    doc="a running machine's network cards: plugged, pulled when the guest has let them go",
)
