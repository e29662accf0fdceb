"""What the image service says of itself: ways to import, its one store, and what a project uses."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, NotFound
from andromede.services.image import access, limits, store

METHODS = ("glance-direct", "web-download")
STORE = "local"


def imports(_: Context) -> object:
    """Ways to import besides PUT …/file."""
    described = {"description": "Import methods available.", "type": "array"}
    return {"import-methods": {**described, "value": list(METHODS)}}


def stores(_: Context) -> object:
    """The one store there is: the cloud's own folder of images."""
    return {"stores": [_store()]}


def stores_detail(_: Context) -> object:
    """As `stores`, with what operators know of it."""
    return {"stores": [{**_store(), "type": "file", "weight": 0, "properties": {}}]}


def _store() -> dict[str, Any]:
    return {"id": STORE, "description": "The cloud's folder of images", "default": "true"}


def require_store(name: str | None) -> None:
    """Errors: BadRequest when another store is asked for than there is."""
    if name is not None and name != STORE:
        raise BadRequest(f"There is no store {name!r}; {STORE} is accepted.")


def remove_from_store(context: Context) -> object:
    """An image is in one store, so it cannot be taken from it but by deleting the image.

    Errors: NotFound; Conflict for an image without data; Forbidden otherwise.
    """
    if context.params["store"] != STORE:
        raise NotFound(f"The selected store {context.params['store']} is not available; {STORE} "
                       f"is.")  # fmt: skip
    image = access.find_own(context.conn, context)
    if image.status not in store.STORED:
        raise Conflict(f"Image {image.id} is {image.status}: it has no data in a store.")
    raise Forbidden(f"Image {image.id} cannot be deleted from its only store {STORE}: delete the "
                    f"image.")  # fmt: skip


def usage(context: Context) -> object:
    """What the caller's project uses of each of its limits, by the names of the unified limits.

    Errors: BadRequest without a project.
    """
    project = context.project_id
    if not project:
        raise BadRequest("Usage is a project's: a token scoped to a project is accepted.")
    count, size = store.usage(context.conn, project)
    used = {"image_count_total": count, "image_size_total": -(-size // limits.MIB)}
    most = limits.limits(context.conn, project)
    return {"usage": {name: {"usage": used[name], "limit": most[name]} for name in used}}
