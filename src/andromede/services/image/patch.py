"""PATCH of an image: a list of add, replace and remove operations on its attributes, all or none.

Source: the Image service API v2, "Update an image", with RFC 6901 pointers of one level. Media
type v2.1 is RFC 6902's form, v2.0 the older draft's (`{"replace": "/name", "value": …}`).
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict, Forbidden, UnsupportedMediaType
from andromede.services.image import access, images, protection, schema, store, view
from andromede.services.image.store import Image
from andromede.sovereignty.policy.model import AT_REST

OLD = "application/openstack-images-v2.0-json-patch"
NEW = "application/openstack-images-v2.1-json-patch"
VERBS = ("add", "remove", "replace")
ATTRIBUTES = {*schema.WRITABLE, "id"}


class Change(Struct, frozen=True):
    """One operation. `once` says that adding what exists is refused, as the older draft has it."""

    verb: str
    name: str
    value: Any
    once: bool


def update(context: Context) -> object:
    """Apply all changes to the image, or none.

    Errors: BadRequest for a faulty operation; Forbidden for an attribute that may not be written;
    Conflict for a property that is not there.
    """
    changes = read(context.headers.get("content-type", ""), context.body)
    image = access.find_own(context.conn, context)
    context.places_nothing()  # but for the changes that ask for admission themselves
    for change in changes:
        _apply(context, image, change)
    schema.check_counts(image.tags, image.properties)
    if changes:
        store.update(context.conn, image)
    return view.show(context, image)


def read(media: str, body: Any) -> list[Change]:
    """The changes of a request.

    Errors: UnsupportedMediaType; BadRequest; Forbidden.
    """
    media = media.partition(";")[0].strip().lower()
    if media not in (OLD, NEW):
        raise UnsupportedMediaType(
            f"Image PATCH expects Content-Type one of: {OLD}, {NEW}; not {media or 'none'}.",
            headers={"Accept-Patch": f"{OLD}, {NEW}"},
        )
    if not isinstance(body, list):
        raise BadRequest("Request body must be a JSON array of operation objects.")
    return [_read_one(each, media == OLD) for each in body]


def _read_one(raw: Any, old: bool) -> Change:
    if not isinstance(raw, dict):
        raise BadRequest("Operations must be JSON objects.")
    if old:
        given = [verb for verb in VERBS if verb in raw]
        if len(given) != 1:
            raise BadRequest(
                'Operation objects must contain exactly one member named "add", "remove", or '
                '"replace".'
            )
        verb: Any = given[0]
        path: Any = raw[verb]
    else:
        verb, path = raw.get("op"), raw.get("path")
    if not isinstance(verb, str) or verb not in VERBS:
        raise BadRequest(f"Invalid operation: {verb!r}. It must be one of: {', '.join(VERBS)}.")
    name = _pointer(path)
    schema.check_name(name)
    if name == "id":
        raise Forbidden("Attribute 'id' is read-only.")
    if verb != "remove":
        if "value" not in raw:
            raise BadRequest(f'Operation "{verb}" requires a member named "value".')
        schema.check_value(name, raw["value"])
    return Change(verb, name, raw.get("value"), old)


def _pointer(path: Any) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadRequest(f'Pointer `{path}` does not start with "/".')
    if re.search(r"~[^01]|~$", path):
        raise BadRequest(f'Pointer `{path}` contains "~" not part of a recognized escape sequence.')
    parts = [part.replace("~1", "/").replace("~0", "~").strip() for part in path[1:].split("/")]
    if parts[0] == "locations":
        raise Forbidden("It's not allowed to update locations if locations are invisible.")
    if len(parts) != 1 or not parts[0]:
        raise BadRequest(f"Invalid JSON pointer for this resource: '{path}'")
    return parts[0]


def _apply(context: Context, image: Image, change: Change) -> None:
    name = change.name
    if name not in ATTRIBUTES:
        return _apply_property(context, image, change)
    if change.verb == "remove":
        raise Forbidden(f"Property {name} may not be removed.")
    if change.verb == "add" and change.once:
        raise Conflict(f"Property {name} already present.")
    if name == "owner":
        if not context.caller.admin:
            raise Forbidden("Owner can't be updated by non admin.")
        access.require_data(context, image)
        context.admit(change.value, image.site, keys=AT_REST)
        image.project_id = change.value
        return None
    if name == "visibility" and change.value != image.visibility:
        images.require_visibility(context.caller, change.value)
        access.require_data(context, image)
        context.admit(image.project_id, image.site, keys=AT_REST)
    if name in ("container_format", "disk_format") and image.status != "queued":
        raise Forbidden(f"Attribute {name} can be only replaced for a queued image.")
    value = sorted(set(change.value)) if name == "tags" else change.value
    setattr(image, name, value)
    return None


def _apply_property(context: Context, image: Image, change: Change) -> None:
    """What the caller may not see is not there, but is not overwritten as if it were not."""
    name, held = change.name, change.name in image.properties
    there = held and protection.allowed(context, "read", name)
    if change.verb == "add" and change.once and there:
        raise Conflict(f"Property {name} already present.")
    if change.verb != "add" and not there:
        raise Conflict(f"Property {name} does not exist.")
    if change.verb == "remove":
        protection.require(context, "delete", [name])
        del image.properties[name]
    else:
        protection.require(context, "update" if held else "create", [name])
        image.properties[name] = change.value
