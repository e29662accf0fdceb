"""The handler of POST /v2/tasks: an image and its import from the web, in one request of an operator's.

Source: the Image service API v2, "Tasks", which upstream keeps for those who still use it.
"""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Reply
from andromede.services.image import images, schema, store
from andromede.services.image.imports import routes

TYPE = "import"
MEMBERS = ("import_from", "import_from_format", "image_properties")


def create(context: Context) -> Reply:
    """Register an image and begin to fetch its data; 201 with the task that tells of it.

    Errors: BadRequest for a faulty body or URL; those of registering an image.
    """
    asked = _input(context.body)
    uri = routes.checked(context, asked["import_from"])
    made = images.register(context, _attributes(asked))
    image = store.get(context.conn, made.id)
    assert image is not None, "it was just registered"
    task = routes.start(context, image, TYPE, asked, uri)
    context.notes = {"method": TYPE, "uri": uri}
    location = context.url(f"/v2/tasks/{task.id}")
    return Reply(201, routes.show_task(context, task), {"Location": location})


def _input(body: Any) -> dict[str, Any]:
    """What a task is to do.

    Errors: BadRequest naming the member and what it accepts.
    """
    for name in ("type", "input"):
        if name not in body:
            raise BadRequest(f"Task '{name}' is required")
    if strange := sorted(set(body) - {"type", "input"}):
        raise BadRequest(f"A task has no {strange[0][:40]!r}: type and input are accepted.")
    if body["type"] != TYPE:
        raise BadRequest(f"type is {str(body['type'])[:40]!r}: {TYPE} is accepted.")
    asked = body["input"]
    if not isinstance(asked, dict) or set(asked) != set(MEMBERS):
        raise BadRequest(f"input is to be an object of {', '.join(MEMBERS)}, and of no others.")
    if asked["import_from_format"] not in schema.DISK_FORMATS:
        raise BadRequest(
            f"import_from_format is {str(asked['import_from_format'])[:40]!r}: one of "
            f"{', '.join(schema.DISK_FORMATS)} is accepted."
        )
    if not isinstance(asked["image_properties"], dict):
        raise BadRequest("image_properties is to be an object of the new image's attributes.")
    found: dict[str, Any] = asked
    return found


def _attributes(asked: dict[str, Any]) -> dict[str, Any]:
    """The new image's, in the format that its data are said to have.

    Errors: BadRequest for another one: data are kept as they come.
    """
    form = asked["import_from_format"]
    found = {"container_format": "bare", "disk_format": form, **asked["image_properties"]}
    if found["disk_format"] != form:
        raise BadRequest(
            f"disk_format is {str(found['disk_format'])[:40]!r} and import_from_format {form!r}: "
            f"nothing is converted, so the same twice is accepted."
        )
    if found["container_format"] is None:
        raise BadRequest("container_format is null: an import needs one, as bare.")
    return found
