"""Copying a server's disk into an image: the engine makes the copy, the image service takes it."""

from __future__ import annotations

import os

from andromede.db import Connection
from andromede.services.compute.servers import store
from andromede.services.compute.servers.history import store as history
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.states import Doing
from andromede.services.compute.servers.steps import machine
from andromede.services.image import api as image
from andromede.work import Done, Hop, Nap, Outcome, Step
from andromede.work.lifecycle import PermanentError

LOOK = 0.5  # seconds between looks at a copy that is made


def image_of(server: Server) -> str:
    """The image that the server's disk is copied to. Errors: PermanentError when there is none."""
    if server.course is None or server.course.copy is None:
        raise PermanentError(f"server {server.id} is not being copied any more")
    return server.course.copy


def copied(step: Step, server: Server) -> bool:
    """Have the disk copied; whether it is."""
    return bool(step.world.engine.copy_disk(step.id, image_of(server)).done)


def stored(step: Step, server: Server) -> bool:
    """Have the copy in the image; False when the image was deleted meanwhile.

    Errors: EngineError.
    """
    descriptor = step.world.engine.open_copy(step.id, image_of(server))
    try:
        return image.fill(step.world.cloud, image_of(server), descriptor)
    finally:
        os.close(descriptor)


def snapshot(step: Step) -> Outcome:
    if not copied(step, machine.read(step)):
        return Nap(LOOK, record=lambda conn: _doing(conn, step, Doing.IMAGE_SNAPSHOT))
    return Hop("snapshot_store", lambda conn: _doing(conn, step, Doing.IMAGE_UPLOADING))


def _doing(conn: Connection, step: Step, task: str) -> None:
    server = store.get(conn, step.id)
    if server is not None and server.task_state not in (task, Doing.IMAGE_BACKUP):
        store.change(conn, step.id, task_state=task)


def snapshot_store(step: Step) -> Outcome:
    stored(step, machine.read(step))
    return Hop("snapshot_end")


def snapshot_end(step: Step) -> Outcome:
    server = machine.read(step)
    step.world.engine.remove_copy(step.id, image_of(server))

    def record(conn: Connection) -> None:
        _rotate(conn, server, step.task.request_id)
        store.change(conn, step.id, task_state=None, course=None)
        history.end(conn, step.id, step.task.request_id, server.host)

    return Done(record)


def _rotate(conn: Connection, server: Server, request_id: str) -> None:
    """Of the server's backups of one kind, leave as many as were asked for, this one with them."""
    course = server.course
    if course is not None and course.kind is not None:
        wanted = {
            "instance_uuid": server.id, "image_type": "backup", "backup_type": course.kind,
        }  # fmt: skip
        image.rotate(conn, server.project_id, wanted, course.keep, request_id)


STEPS = {
    "snapshot": snapshot,
    "snapshot_store": snapshot_store,
    "snapshot_end": snapshot_end,
}
