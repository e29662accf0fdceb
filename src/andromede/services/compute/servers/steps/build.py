"""Building: choose the host, claim what the server needs there, make the machine run."""

from __future__ import annotations

from collections.abc import Sequence

from andromede import clock
from andromede.config import Place
from andromede.db import Connection
from andromede.engine.protocol import HostFacts
from andromede.services.compute.servers import networking, scheduling, store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.scheduling import Candidate
from andromede.services.compute.servers.states import Doing, PowerState, Vm
from andromede.services.compute.servers.steps import machine
from andromede.work import Done, Hop, Outcome, Step
from andromede.work.lifecycle import PermanentError


def schedule(step: Step) -> Outcome:
    """Place the server on the emptiest host that it may be on and that has room."""
    hosts: tuple[HostFacts, ...] = step.world.engine.hosts()
    home = step.world.cloud.config.place
    return Hop("spawn", lambda conn: place(conn, step.id, hosts, home, Doing.SCHEDULING))


def place(
    conn: Connection, server_id: str, hosts: Sequence[HostFacts], home: Place, task: Doing
) -> None:
    """Check and claim in one transaction, so that servers scheduled at once cannot share a room.

    Errors: PermanentError saying why no host takes it.
    """
    server = store.get(conn, server_id)
    if server is None or server.task_state != task:
        return  # an operator set its state
    chosen, why = scheduling.choose(conn, server, hosts, home)
    if chosen is None:
        raise PermanentError(f"No valid host was found. {why}")
    _claim(conn, server, chosen)


def _claim(conn: Connection, server: Server, chosen: Candidate) -> None:
    """Note where a server is, and let its ports follow."""
    changes: dict[str, str] = {"zone": chosen.zone} if chosen.zone != server.zone else {}
    if chosen.several:
        changes |= {"region": chosen.region, "site": chosen.site}
        networking.move(conn, server, chosen.host.name, chosen.site)
    store.change(conn, server.id, host=chosen.host.name, task_state=Doing.SPAWNING, **changes)


def spawn(step: Step) -> Outcome:
    server = machine.read(step)
    machine.run(step, server)
    return Done(lambda conn: running(conn, step, server.host))


def running(conn: Connection, step: Step, host: str | None) -> None:
    """Record that a machine runs, whatever made it."""
    server = store.get(conn, step.id)
    assert server is not None
    store.change(
        conn, step.id, vm_state=Vm.ACTIVE, task_state=None,
        power_state=int(PowerState.RUNNING), progress=100, fault=None, course=None,
        launched_at=server.launched_at or clock.now(),
    )  # fmt: skip
    networking.started(conn, server)
    history.end(conn, step.id, step.task.request_id, host)


STEPS = {"schedule": schedule, "spawn": spawn}
