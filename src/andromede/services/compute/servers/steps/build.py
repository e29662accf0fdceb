"""Building: choose the host, claim what the server needs there, make the machine run."""

from __future__ import annotations

from andromede import clock
from andromede.db import Connection
from andromede.engine.protocol import HostFacts
from andromede.services.compute.servers import networking, placement, store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.states import Doing, PowerState, Vm
from andromede.services.compute.servers.steps import machine
from andromede.sovereignty import admit
from andromede.sovereignty.policy.model import AT_REST
from andromede.work import Done, Hop, Outcome, Step
from andromede.work.lifecycle import PermanentError


def schedule(step: Step) -> Outcome:
    """Place the server on this worker's host if it may be there and has room.

    Check and claim are one transaction, so that servers scheduled at once cannot share a room.
    """
    host: HostFacts = step.world.engine.host()
    place = step.world.cloud.config.place

    def claim(conn: Connection) -> str | None:
        server = store.get(conn, step.id)
        if server is None or server.vm_state != Vm.BUILDING or server.task_state == Doing.DELETING:
            return None  # the intent changed: what this step returns is not recorded
        decision = admit.admit(
            conn,
            "compute:server:create",
            admit.Subject(project_id=server.project_id, kind="server", id=server.id),
            admit.Destination(site=place.site, host=host.name, keys=AT_REST),
        )
        if not decision.allowed:
            return decision.reason
        why = placement.why_not(conn, server, host)
        if why is None:
            store.change(conn, step.id, host=host.name, task_state=Doing.SPAWNING)
        return why

    why = step.database.transact(claim)
    if why is not None:
        raise PermanentError(f"No valid host was found. {why}")
    return Hop("spawn")


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
        power_state=int(PowerState.RUNNING), progress=100, fault=None,
        launched_at=server.launched_at or clock.now(),
    )  # fmt: skip
    networking.started(conn, server)
    history.end(conn, step.id, step.task.request_id, host)


STEPS = {"schedule": schedule, "spawn": spawn}
