"""Stopping, starting and rebooting. The guest is asked first; after a minute the power goes."""

from __future__ import annotations

from andromede.db import Connection
from andromede.engine.protocol import Power
from andromede.services.compute.servers import networking, store
from andromede.services.compute.servers.actions.power import SECONDS
from andromede.services.compute.servers.deaths import store as deaths
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.states import PowerState, Vm
from andromede.services.compute.servers.steps import machine
from andromede.services.compute.servers.steps.build import running
from andromede.work import Done, Hop, Nap, Outcome, Step

GRACE = 60.0  # seconds a guest has to end itself
LOOK = 0.25  # seconds between looks


def ask_to_stop(step: Step) -> Outcome:
    step.world.engine.ask_shutdown(step.id)
    return Hop("await_off")


def await_off(step: Step) -> Outcome:
    return when_off(step, "record_off", "cut_power")


def when_off(step: Step, off: str, late: str, seconds: float = SECONDS) -> Outcome:
    """The step `off` once the machine is off, `late` when the first minute of the transition's
    seconds is over."""
    facts = step.world.engine.observe_server(step.id)
    if facts.power not in (Power.ON, Power.PAUSED):
        return Hop(off)
    if step.seconds_left() < seconds - GRACE:
        return Hop(late)
    return Nap(LOOK)


def cut_power(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)
    return Hop("record_off")


def record_off(step: Step) -> Outcome:
    return Done(lambda conn: stopped(conn, step))


def stopped(conn: Connection, step: Step) -> None:
    """Record that a machine is off, whoever turned it off."""
    server = store.get(conn, step.id)
    assert server is not None
    store.change(
        conn, step.id, vm_state=Vm.STOPPED, task_state=None,
        power_state=int(PowerState.SHUTDOWN), fault=None,
    )  # fmt: skip
    networking.ended(conn, server)
    history.end(conn, step.id, step.task.request_id, server.host)


def power_on(step: Step) -> Outcome:
    server = machine.read(step)
    machine.run(step, server)

    def record(conn: Connection) -> None:
        deaths.forget(conn, step.id)
        running(conn, step, server.host)

    return Done(record)


def ask_to_reboot(step: Step) -> Outcome:
    step.world.engine.ask_shutdown(step.id)
    return Hop("await_reboot")


def await_reboot(step: Step) -> Outcome:
    return when_off(step, "power_on", "power_cycle")


def power_cycle(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)
    return Hop("power_on")


STEPS = {
    "ask_to_stop": ask_to_stop,
    "await_off": await_off,
    "cut_power": cut_power,
    "record_off": record_off,
    "power_on": power_on,
    "ask_to_reboot": ask_to_reboot,
    "await_reboot": await_reboot,
    "power_cycle": power_cycle,
}
