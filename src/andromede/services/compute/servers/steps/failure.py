"""What shows on a server when a transition fails for good."""

from __future__ import annotations

from andromede import clock
from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Fault
from andromede.services.compute.servers.states import PowerState, Vm
from andromede.work import Step
from andromede.work.lifecycle import Record


def fail(step: Step, message: str) -> Record:
    """ERROR with a fault that names the cause; what the server holds stays its own until it is
    deleted."""

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
        power = PowerState.NOSTATE if server.vm_state == Vm.BUILDING else server.power_state
        store.change(
            conn, step.id, vm_state=Vm.ERROR, task_state=None, power_state=int(power), fault=fault
        )
        history.end(conn, step.id, step.task.request_id, server.host, message)

    return record


def broken(
    conn: Connection, server_id: str, message: str, power: PowerState, details: str = ""
) -> None:
    """Note that a machine broke by itself."""
    fault = Fault(code=500, message=message, created=clock.now(), details=details)
    store.change(
        conn, server_id, vm_state=Vm.ERROR, task_state=None, power_state=int(power), fault=fault
    )
