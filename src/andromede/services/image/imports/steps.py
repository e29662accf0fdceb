"""The step that imports: what was staged is inspected and becomes the image's data."""

from __future__ import annotations

import os

from andromede.cloud import Cloud, Verdict
from andromede.db import Connection
from andromede.services.image import store as images
from andromede.services.image.data import files, staged
from andromede.services.image.data.incoming import inspected, refusal
from andromede.services.image.imports import store
from andromede.services.image.imports.routes import marks
from andromede.services.image.imports.store import Task
from andromede.sovereignty.log import Leaf, append
from andromede.work import Done, Outcome, PermanentError, Step
from andromede.work.lifecycle import Record

ACTION = "image:data:import"


def run(step: Step) -> Outcome:
    """Inspect the staged data, publish them, and have the image active.

    Errors: PermanentError for hostile or lost data; InspectionError while nothing is known of them.
    """
    cloud: Cloud = step.world.cloud
    task_id = step.args["task"]
    with step.database.read() as connection:
        image, task = images.get(connection, step.id), store.get(connection, task_id)
    if image is None or task is None or image.status != "importing":
        return Done()
    verdict = _inspect(cloud, image)

    def record(connection: Connection) -> None:
        facts = {**inspected(verdict), **staged.hashes(connection, step.id)}
        images.set_status(connection, step.id, "importing", "active", **facts)
        images.set_marks(connection, step.id, marks())
        store.update(connection, task.id, status="success")
        staged.delete(connection, step.id)
        detail: dict[str, object] = {"size": image.size, "sha512": facts["os_hash_value"]}
        append(connection, _leaf(task, 200, detail))

    return Done(record)


def _inspect(cloud: Cloud, image: images.Image) -> Verdict:
    folder = cloud.paths.images
    path = files.staged(folder, image.id)
    if not path.exists():  # this step ran before, and was not recorded
        path = files.whole(folder, image.id)
    if cloud.inspect is None:
        raise RuntimeError("this process has no way to the inspection")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise PermanentError(f"The staged data of image {image.id} are lost.") from error
    try:
        verdict = cloud.inspect(descriptor, image.disk_format or "raw")
    finally:
        os.close(descriptor)
    why = refusal(image, verdict)
    if why is not None:
        raise PermanentError(why)
    if path == files.staged(folder, image.id):
        files.publish_staged(folder, image.id)
    return verdict


def fail(step: Step, message: str) -> Record:
    """The image waits for data again, and its task says why; no byte is left."""
    folder = step.world.cloud.paths.images
    files.discard_staged(folder, step.id)
    files.whole(folder, step.id).unlink(missing_ok=True)
    return lambda connection: give_up(connection, step.args["task"], message)


def give_up(connection: Connection, task_id: str, message: str) -> None:
    """Record that an import failed: the image is queued again."""
    task = store.get(connection, task_id)
    if task is None or not store.update(connection, task_id, status="failure", message=message):
        return
    images.set_status(connection, task.image_id, "importing", "queued", size=None, upload=None)
    images.set_marks(connection, task.image_id, marks(failed="local"))
    staged.delete(connection, task.image_id)
    append(connection, _leaf(task, 400, {"problem": message[:1000]}))


def _leaf(task: Task, status: int, detail: dict[str, object]) -> Leaf:
    return Leaf(
        action=ACTION, subject=task.image_id, request_id=task.request_id, status=status,
        actor=task.user_id, project_id=task.owner, detail=detail,
    )  # fmt: skip
