"""Handlers of images without their data: create, show, delete, tags, deactivate and reactivate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from andromede import clock, ids
from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, NotFound
from andromede.http.operation import Reply
from andromede.services.image import access, info, limits, protection, schema, store, view
from andromede.services.image.store import Image
from andromede.sovereignty.policy.model import AT_REST
from andromede.work import intend

REMOVAL_SECONDS = 7 * 24 * 3600


def create(context: Context) -> Reply:
    """Register an image; its data come by PUT …/file.

    Errors: those of register.
    """
    image = register(context, context.body)
    headers = {
        "Location": context.url(f"/v2/images/{image.id}"),
        "OpenStack-image-import-methods": ",".join(info.METHODS),
        "OpenStack-image-store-ids": info.STORE,
    }
    return Reply(201, view.show(context, image), headers)


def register(context: Context, wanted: Mapping[str, Any]) -> Image:
    """A new image without data, of the attributes and properties that a request names.

    Errors: BadRequest for a faulty attribute; Forbidden for a read-only or protected one; Conflict
    for a used id; TooLarge.
    """
    body = dict(wanted)
    for name, value in body.items():
        if name != "id":
            schema.check_name(name)
            schema.check_value(name, value)
    owner = _owner(context, body.pop("owner", None))
    require_visibility(context.caller, body.get("visibility"))
    context.admit(owner, keys=AT_REST)
    image = _new(context, owner, body)
    schema.check_counts(image.tags, image.properties)
    protection.require(context, "create", image.properties)
    limits.require_count(context.conn, owner)
    if store.used(context.conn, image.id):
        raise Conflict(f"Image ID {image.id} already exists!")
    store.insert(context.conn, image)
    context.concerns(image.id, owner)
    return image


def _owner(context: Context, wanted: str | None) -> str:
    if wanted is not None and not context.caller.admin and wanted != context.project_id:
        raise Forbidden(f"You are not permitted to create images owned by '{wanted}'.")
    owner = wanted or context.project_id
    if not owner:
        raise BadRequest(
            "Creating an image needs an owner: a token scoped to a project, or the attribute owner."
        )
    return owner


def require_visibility(caller: Caller, visibility: str | None) -> None:
    """Only operators publish.

    Errors: Forbidden.
    """
    if visibility == "public" and not caller.admin:
        raise Forbidden("You are not authorized to complete publicize_image action.")


def _new(context: Context, owner: str, body: dict[str, Any]) -> Image:
    image_id = body.pop("id", None)
    if image_id is not None and not (isinstance(image_id, str) and schema.UUID.fullmatch(image_id)):
        raise BadRequest(f"Invalid image id format: {image_id!r}; a UUID is accepted.")
    place, now = context.cloud.config.place, clock.now()
    properties = {name: body.pop(name) for name in list(body) if name not in schema.WRITABLE}
    return Image(
        id=image_id.lower() if image_id else ids.new(),
        project_id=owner,
        name=body.get("name"),
        status="queued",
        visibility=body.get("visibility", "shared"),
        protected=body.get("protected", False),
        os_hidden=body.get("os_hidden", False),
        container_format=body.get("container_format"),
        disk_format=body.get("disk_format"),
        min_disk=body.get("min_disk", 0),
        min_ram=body.get("min_ram", 0),
        region=place.region,
        site=place.site,
        host=place.host,
        created_at=now,
        updated_at=now,
        tags=sorted(set(body.get("tags", []))),
        properties=properties,
    )


def show(context: Context) -> object:
    return view.show(context, access.find_shown(context))


def delete(context: Context) -> Reply:
    """Remove the image at once; its data go after the commit.

    Errors: Forbidden when it is protected.
    """
    image = access.find_own(context.conn, context)
    if image.protected:
        raise Forbidden(f"Image {image.id} is protected and cannot be deleted.")
    store.delete(context.conn, image.id)
    intend(
        context.conn, "image", image.id, "remove", project_id=image.project_id,
        request_id=context.request_id, seconds=REMOVAL_SECONDS,
    )  # fmt: skip
    return Reply(204)


def add_tag(context: Context) -> Reply:
    tag = context.params["tag"]
    schema.check_tag(tag)
    image = access.find_own(context.conn, context)
    if tag not in image.tags:
        image.tags.append(tag)
        schema.check_counts(image.tags, {})
        store.update(context.conn, image)
    return Reply(204)


def remove_tag(context: Context) -> Reply:
    image = access.find_own(context.conn, context)
    tag = context.params["tag"]
    if tag not in image.tags:
        raise NotFound(f"Image {image.id} has no tag {tag!r}.")
    image.tags.remove(tag)
    store.update(context.conn, image)
    return Reply(204)


def deactivate(context: Context) -> Reply:
    """Withhold an image's data from all but operators, and from new servers."""
    return _change_status(context, "active", "deactivated")


def reactivate(context: Context) -> Reply:
    return _change_status(context, "deactivated", "active")


def _change_status(context: Context, before: str, after: str) -> Reply:
    image = access.find_own(context.conn, context)
    if image.status == before:
        image.status = after
        store.update(context.conn, image)
    elif image.status != after:
        raise BadRequest(
            f"Image {image.id} is {image.status}: changing its status to {after} is possible when "
            f"it is {before}."
        )
    return Reply(204)
