"""Rescuing a machine: it ends, and starts from another disk; unrescued, from its own again."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.actions.rescue import SECONDS
from andromede.services.compute.servers.states import Vm
from andromede.services.compute.servers.steps import machine
from andromede.services.compute.servers.steps.build import running
from andromede.services.compute.servers.steps.power import when_off
from andromede.work import Done, Hop, Outcome, Step


def rescue(step: Step) -> Outcome:
    step.world.engine.ask_shutdown(step.id)
    return Hop("rescue_await")


def rescue_await(step: Step) -> Outcome:
    return when_off(step, "rescue_stop", "rescue_stop", SECONDS)


def rescue_stop(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)
    return Hop("rescue_boot")


def rescue_boot(step: Step) -> Outcome:
    server = machine.read(step)
    machine.run(step, server)

    def record(conn: Connection) -> None:
        running(conn, step, server.host)
        store.change(conn, step.id, vm_state=Vm.RESCUED, course=server.course)

    return Done(record)


def unrescue(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)
    return Hop("go_on", lambda conn: store.change(conn, step.id, course=None))


STEPS = {
    "rescue": rescue,
    "rescue_await": rescue_await,
    "rescue_stop": rescue_stop,
    "rescue_boot": rescue_boot,
    "unrescue": unrescue,
}
