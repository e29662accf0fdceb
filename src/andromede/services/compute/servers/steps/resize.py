"""Resizing a machine: room is claimed, its disk kept, and it starts with the new flavor."""

from __future__ import annotations

from andromede.db import Connection
from andromede.engine.protocol import HostFacts
from andromede.services.compute.servers import placement, store
from andromede.services.compute.servers.actions.resize import SECONDS
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Course, Server, Sizes
from andromede.services.compute.servers.moves import store as moves
from andromede.services.compute.servers.states import Doing, PowerState, Vm
from andromede.services.compute.servers.steps import machine
from andromede.services.compute.servers.steps.build import running
from andromede.services.compute.servers.steps.power import stopped, when_off
from andromede.work import Done, Hop, Outcome, Step
from andromede.work.lifecycle import PermanentError


def make_room(step: Step) -> Outcome:
    hosts: tuple[HostFacts, ...] = step.world.engine.hosts()
    return Hop("resize_quieten", lambda conn: _claim(conn, step.id, hosts))


def _course(server: Server | None) -> tuple[Server, Course, Sizes, Sizes]:
    """A server that is being resized, with what it was and what it becomes."""
    assert server is not None
    course = server.course
    if course is None or course.old is None or course.new is None:
        raise PermanentError(f"server {server.id} is not being resized any more")
    return server, course, course.old, course.new


def _sized(sizes: Sizes) -> dict[str, int]:
    """What a server of a flavor claims."""
    return {"vcpus": sizes.flavor.vcpus, "memory": sizes.flavor.ram, "disk": sizes.disk}


def _claim(conn: Connection, server_id: str, hosts: tuple[HostFacts, ...]) -> None:
    """Claim what both flavors need, so that either of them has its room until one is chosen.

    Errors: PermanentError saying why there is none.
    """
    server, _, old, new = _course(store.get(conn, server_id))
    before, after = _sized(old), _sized(new)
    claims = {name: max(before[name], after[name]) for name in before}
    host = next((each for each in hosts if each.name == server.host), None)
    why = (
        f"host {server.host} is away"
        if host is None
        else placement.lacks(conn, server, host, claims)
    )
    if why is not None:
        raise PermanentError(f"No valid host was found. {why}")
    store.change(conn, server_id, task_state=Doing.RESIZE_MIGRATING, **claims)
    moves.note(conn, server_id, moves.MOVING)


def resize_quieten(step: Step) -> Outcome:
    step.world.engine.ask_shutdown(step.id)
    return Hop("resize_await")


def resize_await(step: Step) -> Outcome:
    """The guest ends itself, or the next step takes its power."""
    return when_off(step, "resize_keep", "resize_keep", SECONDS)


def resize_keep(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)
    step.world.engine.keep_disk(step.id)

    def record(conn: Connection) -> None:
        _, _, _, new = _course(store.get(conn, step.id))
        store.change(
            conn, step.id, task_state=Doing.RESIZE_FINISH, flavor=new.flavor,
            flavor_id=new.flavor.id,
        )  # fmt: skip

    return Hop("resize_finish", record)


def resize_finish(step: Step) -> Outcome:
    server, course, _, _ = _course(machine.read(step))
    if course.was == Vm.ACTIVE:
        machine.run(step, server)

    def record(conn: Connection) -> None:
        if course.was == Vm.ACTIVE:
            running(conn, step, server.host)
        else:
            stopped(conn, step)
        store.change(conn, step.id, vm_state=Vm.RESIZED, course=course, progress=100)
        moves.note(conn, step.id, moves.FINISHED)

    return Done(record)


def confirm_resize(step: Step) -> Outcome:
    step.world.engine.forget_disk(step.id)

    def record(conn: Connection) -> None:
        server, _, _, new = _course(store.get(conn, step.id))
        off = server.power_state == PowerState.SHUTDOWN
        state = Vm.STOPPED if off else Vm.ACTIVE
        store.change(conn, step.id, vm_state=state, task_state=None, course=None, **_sized(new))
        history.end(conn, step.id, step.task.request_id, server.host)
        moves.note(conn, step.id, moves.CONFIRMED)

    return Done(record)


def revert_resize(step: Step) -> Outcome:
    """The disk is again as it was when the machine was resized."""
    step.world.engine.stop_server(step.id)
    step.world.engine.restore_disk(step.id)

    def record(conn: Connection) -> None:
        _, _, old, _ = _course(store.get(conn, step.id))
        store.change(conn, step.id, flavor=old.flavor, flavor_id=old.flavor.id, **_sized(old))
        moves.note(conn, step.id, moves.REVERTED)

    return Hop("revert_finish", record)


def revert_finish(step: Step) -> Outcome:
    server, course, _, _ = _course(machine.read(step))
    if course.was != Vm.ACTIVE:
        return Done(lambda conn: stopped(conn, step))
    machine.run(step, server)
    return Done(lambda conn: running(conn, step, server.host))


STEPS = {
    "make_room": make_room,
    "resize_quieten": resize_quieten,
    "resize_await": resize_await,
    "resize_keep": resize_keep,
    "resize_finish": resize_finish,
    "confirm_resize": confirm_resize,
    "revert_resize": revert_resize,
    "revert_finish": revert_finish,
}
