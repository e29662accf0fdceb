"""Which images a caller sees, and which a caller may change."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import Forbidden, NotFound
from andromede.services.image import store
from andromede.services.image.members import store as members
from andromede.services.image.schema import UUID
from andromede.services.image.store import Image

OPEN = ("public", "community")  # what everybody sees


def visible(connection: Connection, caller: Caller, image: Image) -> bool:
    """Whether a caller who knows the id may see the image: it is everybody's, its project's, or
    its project is a member of it, whatever it answered."""
    if caller.admin or image.visibility in OPEN:
        return True
    if caller.project_id is None:
        return False
    if image.project_id == caller.project_id:
        return True
    return (
        image.visibility == "shared"
        and members.get(connection, image.id, caller.project_id) is not None
    )


def require_data(context: Context, image: Image) -> None:
    """Have an operator bring its customer's consent before it gets at an image's data.

    Errors: Refused.
    """
    if image.visibility not in OPEN:
        context.require_consent("disk", image.project_id, image.id)


def owns(caller: Caller, image: Image) -> bool:
    return caller.admin or image.project_id == caller.project_id


def find(connection: Connection, caller: Caller, image_id: str) -> Image:
    """An image the caller sees.

    Errors: NotFound.
    """
    image = store.get(connection, image_id.lower()) if UUID.fullmatch(image_id) else None
    if image is None or not visible(connection, caller, image):
        raise NotFound(f"No image found with ID {image_id}")
    return image


def find_shown(context: Context) -> Image:
    """The image of the path.

    Errors: NotFound.
    """
    image = find(context.conn, context.caller, context.params["id"])
    touch(context, image)
    return image


def touch(context: Context, image: Image) -> None:
    """Note that an image was seen, unless it is one for everybody."""
    if image.visibility not in OPEN:
        context.touches(image.id, image.project_id)


def find_own(connection: Connection, context: Context) -> Image:
    """The image of the path, which the caller may change; the log learns whose it is.

    Errors: NotFound when the caller does not see it; Forbidden when it is another project's.
    """
    image = find(connection, context.caller, context.params["id"])
    if not owns(context.caller, image):
        raise Forbidden(f"You are not permitted to modify image {image.id}.")
    context.concerns(image.id, image.project_id)
    return image
