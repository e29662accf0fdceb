"""What shows on a server when a transition fails for good."""

from __future__ import annotations

from andromede import clock
from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Fault, Server
from andromede.services.compute.servers.moves import store as moves
from andromede.services.compute.servers.states import HARMLESS, RESIZING, Doing, PowerState, Vm
from andromede.services.image import api as image
from andromede.work import Step
from andromede.work.lifecycle import Record


def fail(step: Step, message: str) -> Record:
    """ERROR with a fault that names the cause; what the server holds stays its own until it is
    deleted. What cannot harm a server leaves it as it was, and the history tells the cause."""

    def record(conn: Connection) -> None:
        server = store.get(conn, step.id, deleted=True)
        if server is None or server.deleted:
            return
        fault = Fault(
            code=500,
            message=message,
            created=clock.now(),
            details=f"step {step.task.label}, request {step.task.request_id}",
        )
        request = step.task.request_id
        if server.task_state in RESIZING:
            moves.note(conn, step.id, moves.ERROR)
        if _harmless(conn, server, request):
            history.end(conn, step.id, request, server.host, message)
            return
        power = PowerState.NOSTATE if server.vm_state == Vm.BUILDING else server.power_state
        store.change(
            conn, step.id, vm_state=Vm.ERROR, task_state=None, power_state=int(power), fault=fault
        )
        history.end(conn, step.id, request, server.host, message)

    return record


def _harmless(conn: Connection, server: Server, request_id: str) -> bool:
    """Leave a server as it was before a transition that did nothing to it; whether that is so."""
    if server.task_state == Doing.UNSHELVING and server.host is None:
        store.change(conn, server.id, task_state=None)
        return True
    if server.task_state not in HARMLESS:
        return False
    drop_copy(conn, server, request_id)
    store.change(conn, server.id, task_state=None, course=None)
    return True


def drop_copy(conn: Connection, server: Server, request_id: str) -> None:
    """Give up the image that a copy of the server's disk was to become."""
    if server.course is not None and server.course.copy is not None:
        image.discard(conn, server.course.copy, request_id)


def broken(
    conn: Connection, server_id: str, message: str, power: PowerState, details: str = ""
) -> None:
    """Note that a machine broke by itself."""
    fault = Fault(code=500, message=message, created=clock.now(), details=details)
    store.change(
        conn, server_id, vm_state=Vm.ERROR, task_state=None, power_state=int(power), fault=fault
    )
