"""The guest is a party too: rows follow what machines did by themselves.

A guest that powered itself off is stopped and stays so; a machine that vanished while it should
run is started again; one that runs while it should not is stopped. A machine that dies again and
again is started later each time, and in the end no more.
"""

from __future__ import annotations

from andromede import clock
from andromede.db import Connection
from andromede.engine.protocol import Power, ServerFacts
from andromede.services.compute.servers import store
from andromede.services.compute.servers.deaths import store as deaths
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import PowerState, Vm, runs
from andromede.services.compute.servers.steps import machine
from andromede.services.compute.servers.steps.build import running
from andromede.services.compute.servers.steps.failure import broken
from andromede.services.compute.servers.steps.power import stopped
from andromede.work import Done, Hop, Nap, Outcome, Step

PAUSES = (0.0, 1.0, 5.0, 20.0, 60.0)  # seconds before each start that follows a death
STEADY = 600  # seconds a machine must live for its earlier deaths to be forgiven
LAST_LINES = 3  # of what it said, in the fault; the rest is in the fault's details


def sync(step: Step) -> Outcome:
    """Compare the row with the machine and choose what must follow."""
    facts: ServerFacts = step.world.engine.observe_server(step.id)
    with step.database.read() as conn:
        server = store.get(conn, step.id)
    if server is None or server.host is None or server.task_state is not None:
        return Done()
    if runs(server.vm_state, server.power_state):
        return _should_run(step, server, facts)
    if server.vm_state == Vm.PAUSED and facts.power is not Power.PAUSED:
        return Hop("cut_power")  # what it knew is gone with its machine
    if server.vm_state == Vm.STOPPED and facts.power in (Power.ON, Power.PAUSED):
        return Hop("cut_power")
    return Done()


def _should_run(step: Step, server: Server, facts: ServerFacts) -> Outcome:
    if facts.power is Power.OFF:
        return Done(lambda conn: _guest_stopped(conn, step, server))
    if facts.power is Power.VANISHED and facts.reason:
        return _died(step, facts.reason)
    if facts.power is Power.PAUSED and facts.reason:
        why = f"The machine is paused: {facts.reason}."
        return Done(lambda conn: broken(conn, step.id, why, PowerState.PAUSED))
    if (
        facts.power is not Power.ON
    ):  # it is gone, or halted while an operator says that it is ACTIVE
        return Hop("revive")
    if server.power_state == PowerState.RUNNING:
        return Done()
    return Done(lambda conn: store.change(conn, step.id, power_state=int(PowerState.RUNNING)))


def _died(step: Step, said: str) -> Outcome:
    """Its process ended while the host lived on: start it again, unless that was of no use."""
    with step.database.read() as conn:
        earlier = deaths.in_a_row(conn, step.id, clock.now() - STEADY * clock.SECOND)
    if earlier >= len(PAUSES):
        return Done(lambda conn: _given_up(conn, step.id, earlier + 1, said))

    def record(conn: Connection) -> None:
        deaths.note(conn, step.id, earlier + 1)
        store.change(conn, step.id, power_state=int(PowerState.CRASHED))

    return Nap(PAUSES[earlier], "revive", record) if earlier else Hop("revive", record)


def _given_up(conn: Connection, server_id: str, times: int, said: str) -> None:
    why = (
        f"The machine died {times} times in a row, within {STEADY} seconds each time, and is not "
        f"started again by itself: {' '.join(said.splitlines()[-LAST_LINES:])}"
    )
    broken(conn, server_id, why, PowerState.CRASHED, details=said)


def _guest_stopped(conn: Connection, step: Step, server: Server) -> None:
    if server.vm_state != Vm.ACTIVE:  # it stays what it is, and off
        store.change(conn, step.id, power_state=int(PowerState.SHUTDOWN))
        return
    history.begin(
        conn, server.id, step.task.request_id, "stop", project_id=None, user_id=None,
        effect="guest_powered_off",
    )  # fmt: skip
    stopped(conn, step)


def revive(step: Step) -> Outcome:
    """Start a machine again whose process or host died under it."""
    server = machine.read(step)
    machine.run(step, server)
    if server.vm_state in (Vm.RESCUED, Vm.RESIZED):
        return Done(lambda conn: store.change(conn, step.id, power_state=int(PowerState.RUNNING)))
    return Done(lambda conn: running(conn, step, server.host))


STEPS = {"sync": sync, "revive": revive}
