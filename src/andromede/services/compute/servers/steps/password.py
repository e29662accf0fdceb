"""A new password for a guest's administrator, set by the agent that runs in the guest."""

from __future__ import annotations

import base64

from andromede.db import Connection
from andromede.engine.protocol import NotYet, Power
from andromede.services.compute.servers import images, store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.passwords import PURPOSE
from andromede.services.compute.servers.steps import machine
from andromede.work import Done, Nap, Outcome, Step
from andromede.work.lifecycle import PermanentError

LOOK = 1.0  # seconds between tries of an agent that does not answer: its guest may be booting


def set_password(step: Step) -> Outcome:
    """Open what was sealed and have it set. Whoever was cut short sets the same again."""
    server = machine.read(step)
    if server.course is None or server.course.sealed is None:
        raise PermanentError(f"server {server.id} is to have no new password any more")
    sealed = base64.b64decode(server.course.sealed)
    password = step.world.cloud.keys.unwrap(PURPOSE, step.id, sealed).decode()
    try:
        step.world.engine.set_password(step.id, images.administrator(server.image), password)
    except NotYet as error:
        runs = step.world.engine.observe_server(step.id).power is Power.ON
        if not runs or step.seconds_left() < LOOK:
            raise PermanentError(str(error)) from error
        return Nap(LOOK)

    def record(conn: Connection) -> None:
        store.change(conn, step.id, task_state=None, course=None)
        history.end(conn, step.id, step.task.request_id, server.host)

    return Done(record)


STEPS = {"set_password": set_password}
