"""The lifecycle of an image: staged data are imported; once its row is gone, its data go."""

from __future__ import annotations

from andromede.db import Connection
from andromede.services.image.data import files
from andromede.services.image.imports import steps as imports
from andromede.work import Done, Lifecycle, Outcome, Step, intend
from andromede.work.lifecycle import Record

AGAIN_SECONDS = 60
REMOVAL_SECONDS = 7 * 24 * 3600


def remove(step: Step) -> Outcome:
    """Remove the image's file, and what the engine keeps of it."""
    files.remove(step.world.cloud.paths.images, step.id)
    step.world.engine.remove_image(step.id)
    return Done()


def fail(step: Step, message: str) -> Record:
    """A failed import is told by its task. Nobody sees a deleted image, so removing it is never
    given up: it is intended anew."""
    if step.task.label == "import":
        return imports.fail(step, message)

    def record(connection: Connection) -> None:
        intend(
            connection, "image", step.id, "remove", project_id=step.task.project_id,
            request_id=step.task.request_id, seconds=REMOVAL_SECONDS, delay=AGAIN_SECONDS,
        )  # fmt: skip

    return record


IMAGE = Lifecycle(
    kind="image",
    steps={"import": imports.run, "remove": remove},
    fail=fail,
    doc="Imports what was staged; removes the data of a deleted image.",
)
