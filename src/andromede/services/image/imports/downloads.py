"""What the courier does for imports by web-download: it stages the data and hands them to the worker.

Touches the database, the folder of images, and the network through `fetch` alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import structlog

from andromede.config import Config, Paths
from andromede.db import Connection, Database
from andromede.services.image import limits
from andromede.services.image import store as images
from andromede.services.image.data import files, staged
from andromede.services.image.imports import fetch as web
from andromede.services.image.imports import store
from andromede.services.image.imports.routes import begin
from andromede.services.image.imports.sources import SourceError
from andromede.services.image.imports.steps import give_up
from andromede.services.image.imports.store import Task

log = structlog.get_logger("courier")
AT_ONCE = 4
Fetch = Callable[..., None]


def due(database: Database) -> list[Task]:
    """What is to be downloaded now."""
    with database.read() as connection:
        return store.to_fetch(connection, AT_ONCE)


def download(
    config: Config, paths: Paths, database: Database, task: Task, fetch: Fetch = web.fetch
) -> None:
    """Download what a task names, or record why not. One that another process does is left to it."""
    try:
        descriptor = files.claim(paths.images, task.image_id)
    except files.BusyError:
        return
    try:
        _download(config, paths, database, task, descriptor, fetch)
    except (SourceError, OSError) as error:
        message = f"Downloading {task.uri} for image {task.image_id} failed: {error}."
        log.warning("not downloaded", image=task.image_id, problem=message)
        files.part(paths.images, task.image_id).unlink(missing_ok=True)
        files.discard_staged(paths.images, task.image_id)
        database.transact(lambda connection: give_up(connection, task.id, message))
    finally:
        os.close(descriptor)


def _download(
    config: Config, paths: Paths, database: Database, task: Task, descriptor: int, fetch: Fetch
) -> None:
    largest = database.transact(lambda connection: _start(connection, config, task))
    if largest is None:
        files.part(paths.images, task.image_id).unlink(missing_ok=True)
        return
    md5, sha512 = hashlib.md5(usedforsecurity=False), hashlib.sha512()

    def write(piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        md5.update(piece)
        sha512.update(piece)

    fetch(task.uri, write, allowed=config.image_sources, largest=largest)
    os.fsync(descriptor)
    size = os.fstat(descriptor).st_size
    files.stage(paths.images, task.image_id)
    found = (md5.hexdigest(), sha512.hexdigest())
    database.transact(lambda connection: _staged(connection, task, size, found))


def _start(connection: Connection, config: Config, task: Task) -> int | None:
    """The most bytes that may come; None when the task ended meanwhile."""
    if not store.update(connection, task.id, status="processing"):
        return None
    room = limits.room(connection, task.owner)
    return config.largest_image if room is None else min(config.largest_image, room)


def _staged(connection: Connection, task: Task, size: int, found: tuple[str, str]) -> None:
    """The worker goes on, unless the image was deleted meanwhile: then what came goes with it."""
    if store.update(connection, task.id, uri=None):
        images.set_status(connection, task.image_id, "importing", "importing", size=size)
        staged.put(connection, task.image_id, *found)
        begin(connection, task)
