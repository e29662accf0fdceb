"""Rebuilding a machine: its power goes, and it starts with a disk of the next generation."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.states import Doing, Vm
from andromede.services.compute.servers.steps import machine
from andromede.services.compute.servers.steps.build import running
from andromede.work import Done, Hop, Outcome, Step


def rebuild(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)
    return Hop(
        "rebuild_spawn",
        lambda conn: store.change(conn, step.id, task_state=Doing.REBUILD_SPAWNING),
    )


def rebuild_spawn(step: Step) -> Outcome:
    """What was stopped starts too, so that the disk it had is gone, and is stopped again."""
    server = machine.read(step)
    machine.run(step, server)
    if server.course is not None and server.course.was == Vm.STOPPED:
        return Hop("cut_power", lambda conn: _stopping(conn, step.id))
    return Done(lambda conn: running(conn, step, server.host))


def _stopping(conn: Connection, server_id: str) -> None:
    store.change(conn, server_id, task_state=Doing.POWERING_OFF, course=None, fault=None)


STEPS = {"rebuild": rebuild, "rebuild_spawn": rebuild_spawn}
