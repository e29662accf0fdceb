"""Shelving: the machine ends, its disk becomes an image, and it leaves the host; and back again."""

from __future__ import annotations

from andromede.db import Connection
from andromede.engine.protocol import HostFacts, Power
from andromede.services.compute.servers import copies, networking, store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Course, Image
from andromede.services.compute.servers.states import Doing, PowerState, Vm
from andromede.services.compute.servers.steps import build, machine
from andromede.services.compute.servers.steps.build import running
from andromede.services.compute.servers.steps.power import when_off
from andromede.services.compute.servers.steps.snapshot import LOOK, copied, image_of, stored
from andromede.services.image import api as image
from andromede.work import Done, Hop, Nap, Outcome, Step
from andromede.work.lifecycle import PermanentError


def shelve(step: Step) -> Outcome:
    """What is halted cannot end itself: its power goes at once."""
    if step.world.engine.observe_server(step.id).power is not Power.ON:
        return Hop("shelve_stop")
    step.world.engine.ask_shutdown(step.id)
    return Hop("shelve_await")


def shelve_await(step: Step) -> Outcome:
    return when_off(step, "shelve_stop", "shelve_stop", copies.SECONDS)


def shelve_stop(step: Step) -> Outcome:
    step.world.engine.stop_server(step.id)

    def record(conn: Connection) -> None:
        server = store.get(conn, step.id)
        assert server is not None
        networking.ended(conn, server)
        store.change(
            conn, step.id, task_state=Doing.SHELVING_COPYING,
            power_state=int(PowerState.SHUTDOWN),
        )  # fmt: skip

    return Hop("shelve_copy", record)


def shelve_copy(step: Step) -> Outcome:
    if not copied(step, machine.read(step)):
        return Nap(LOOK)
    return Hop(
        "shelve_store",
        lambda conn: store.change(conn, step.id, task_state=Doing.SHELVING_UPLOADING),
    )


def shelve_store(step: Step) -> Outcome:
    """The server's disk goes only when the image has it.

    Errors: PermanentError when the image was deleted.
    """
    server = machine.read(step)
    if not stored(step, server):
        raise PermanentError(f"image {image_of(server)}, which was to keep its disk, was deleted")
    kept = Image(id=image_of(server), format="qcow2", properties=server.image.properties)

    def record(conn: Connection) -> None:
        store.change(
            conn, step.id, vm_state=Vm.SHELVED, task_state=Doing.SHELVING_OFFLOADING, image=kept,
            course=Course(copy=kept.id),
        )  # fmt: skip

    return Hop("offload", record)


def offload(step: Step) -> Outcome:
    step.world.engine.remove_server(step.id)

    def record(conn: Connection) -> None:
        server = store.get(conn, step.id)
        assert server is not None
        store.change(
            conn, step.id, vm_state=Vm.SHELVED_OFFLOADED, task_state=None, host=None,
            power_state=int(PowerState.SHUTDOWN),
        )  # fmt: skip
        history.end(conn, step.id, step.task.request_id, server.host)

    return Done(record)


def unshelve(step: Step) -> Outcome:
    hosts: tuple[HostFacts, ...] = step.world.engine.hosts()
    home = step.world.cloud.config.place
    return Hop(
        "unshelve_spawn", lambda conn: build.place(conn, step.id, hosts, home, Doing.UNSHELVING)
    )


def unshelve_spawn(step: Step) -> Outcome:
    """The image that kept the disk goes once the machine runs."""
    server = machine.read(step)
    machine.run(step, server)

    def record(conn: Connection) -> None:
        if server.course is not None and server.course.copy is not None:
            image.discard(conn, server.course.copy, step.task.request_id)
        running(conn, step, server.host)

    return Done(record)


STEPS = {
    "shelve": shelve,
    "shelve_await": shelve_await,
    "shelve_stop": shelve_stop,
    "shelve_copy": shelve_copy,
    "shelve_store": shelve_store,
    "offload": offload,
    "unshelve": unshelve,
    "unshelve_spawn": unshelve_spawn,
}
