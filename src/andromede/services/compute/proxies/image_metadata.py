"""Properties of images through compute, which called them metadata until 2.38."""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden, NotFound
from andromede.http.forward import ask
from andromede.http.operation import Operation, Reply
from andromede.services.compute import values
from andromede.services.compute.proxies import images, rows
from andromede.services.compute.servers import quota
from andromede.services.compute.servers.properties.metadata import ItemBody, MetadataBody
from andromede.services.image.api import is_property, properties_of

LAST = (2, 38)
MEDIA = {"content-type": "application/openstack-images-v2.1-json-patch"}


def _metadata(context: Context) -> dict[str, str]:
    return properties_of(images.find(context))


def _write(context: Context, wanted: dict[str, str]) -> dict[str, str]:
    """Have an image bear these properties and no others.

    Errors: OverLimit; Forbidden for what is none of its properties; the image service's.
    """
    project = context.project_id
    if project:
        quota.require_metadata(quota.of(context.conn, project), wanted)
    there = _metadata(context)
    attributes = sorted(name for name in wanted if not is_property(name))
    if attributes:
        raise Forbidden(
            f"{', '.join(attributes)}: an attribute of the image, which the image service changes."
        )
    changes = [
        *({"op": "remove", "path": _pointer(name)} for name in there if name not in wanted),
        *(
            {"op": "add", "path": _pointer(name), "value": value}
            for name, value in wanted.items()
            if there.get(name) != value
        ),
    ]
    path = f"/v2/images/{context.params['id']}"
    return properties_of(ask(context, "image", "PATCH", path, changes, headers=MEDIA))


def _pointer(name: str) -> str:
    """Source: RFC 6901, section 3."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _item(found: dict[str, str], key: str) -> dict[str, str]:
    if key not in found:
        raise NotFound("Metadata item was not found")
    return {key: found[key]}


def list_all(context: Context) -> dict[str, Any]:
    return {"metadata": _metadata(context)}


def show(context: Context) -> dict[str, Any]:
    return {"meta": _item(_metadata(context), context.params["key"])}


def merge(context: Context) -> dict[str, Any]:
    body: MetadataBody = context.body
    added = values.pairs(body.metadata, "metadata")
    return {"metadata": _write(context, _metadata(context) | added)}


def replace(context: Context) -> dict[str, Any]:
    body: MetadataBody = context.body
    return {"metadata": _write(context, values.pairs(body.metadata, "metadata"))}


def put(context: Context) -> dict[str, Any]:
    body: ItemBody = context.body
    key = context.params["key"]
    if list(body.meta) != [key]:
        raise BadRequest(f"Request body and URI mismatch: the body must hold {key} alone.")
    item = values.pairs(body.meta, "meta")
    return {"meta": _item(_write(context, _metadata(context) | item), key)}


def remove(context: Context) -> Reply:
    found, key = _metadata(context), context.params["key"]
    _item(found, key)
    _write(context, {name: value for name, value in found.items() if name != key})
    return Reply(204)


def _row(method: str, path: str, handler: Any, verb: str, **more: Any) -> Operation:
    return rows.row(
        method, f"/images/{{id}}/metadata{path}", handler, f"image-metadata:{verb}", until=LAST,
        **more,
    )  # fmt: skip


OPERATIONS = [
    _row("GET", "", list_all, "list"),
    _row("POST", "", merge, "create", body=MetadataBody),
    _row("PUT", "", replace, "replace", body=MetadataBody),
    _row("GET", "/{key}", show, "show"),
    _row("PUT", "/{key}", put, "update", body=ItemBody),
    _row("DELETE", "/{key}", remove, "delete", status=204),
]
