"""Pausing and suspending a machine. A guest that ended itself meanwhile is stopped instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.db import Connection
from andromede.engine.protocol import Power
from andromede.services.compute.servers import networking, store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.states import PowerState, Vm
from andromede.services.compute.servers.steps import machine
from andromede.services.compute.servers.steps.build import running
from andromede.work import Done, Hop, Outcome, Step

STILL = (Power.ON, Power.PAUSED)


def _unless_off(step: Step, freeze: Callable[[str], None], *also: Power) -> bool:
    """Have the machine frozen; False when there is none that runs any more."""
    if step.world.engine.observe_server(step.id).power not in (*STILL, *also):
        return False
    freeze(step.id)
    return True


def pause(step: Step) -> Outcome:
    if not _unless_off(step, step.world.engine.pause_server):
        return Hop("cut_power")
    return Done(
        lambda conn: _frozen(conn, step, vm_state=Vm.PAUSED, power_state=int(PowerState.PAUSED))
    )


def suspend(step: Step) -> Outcome:
    if not _unless_off(step, step.world.engine.suspend_server, Power.SUSPENDED):
        return Hop("cut_power")

    def record(conn: Connection) -> None:
        server = store.get(conn, step.id)
        assert server is not None
        networking.ended(conn, server)
        _frozen(conn, step, vm_state=Vm.SUSPENDED, power_state=int(PowerState.SHUTDOWN))

    return Done(record)


def _frozen(conn: Connection, step: Step, **columns: Any) -> None:
    server = store.get(conn, step.id)
    assert server is not None
    store.change(conn, step.id, task_state=None, **columns)
    history.end(conn, step.id, step.task.request_id, server.host)


def go_on(step: Step) -> Outcome:
    """From where it was paused or suspended; one that is gone meanwhile starts anew."""
    server = machine.read(step)
    machine.run(step, server)
    return Done(lambda conn: running(conn, step, server.host))


def interrupt(step: Step) -> Outcome:
    """Press the button that no guest can ignore; where none runs, there is none to press."""
    if step.world.engine.observe_server(step.id).power in STILL:
        step.world.engine.interrupt_server(step.id)

    def record(conn: Connection) -> None:
        server = store.get(conn, step.id)
        assert server is not None
        history.end(conn, step.id, step.task.request_id, server.host)

    return Done(record)


STEPS = {"pause": pause, "suspend": suspend, "go_on": go_on, "interrupt": interrupt}
