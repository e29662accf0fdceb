"""The names of resources and of traits that this cloud's hosts have.

Source: the placement API, resource classes (1.2) and traits (1.6); names are those of os-traits and
os-resource-classes.
"""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound
from andromede.http.operation import Reply
from andromede.services.placement.versions import known, link, read

CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
# True of every host: it runs servers, from these formats, with virtio cards.
TRAITS = (
    "COMPUTE_IMAGE_TYPE_QCOW2", "COMPUTE_IMAGE_TYPE_RAW", "COMPUTE_NET_VIF_MODEL_VIRTIO",
    "COMPUTE_NODE",
)  # fmt: skip


def list_classes(context: Context) -> dict[str, Any]:
    known(context, {})
    return {"resource_classes": [_class(context, name) for name in CLASSES]}


def _class(context: Context, name: str) -> dict[str, Any]:
    href = link(context, f"/resource_classes/{name}")
    return {"name": name, "links": [{"rel": "self", "href": href}]}


def show_class(context: Context) -> dict[str, Any]:
    name = context.params["name"]
    if name not in CLASSES:
        raise NotFound(f"No such resource class {name}; there are: {', '.join(CLASSES)}.")
    return _class(context, name)


def list_traits(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for a filter that is none."""
    query = known(context, {"name": 6, "associated": 6})
    found = list(TRAITS)
    how, colon, wanted = query.get("name", "").partition(":")
    if "name" in query:
        if not colon or how not in ("in", "startswith"):
            raise BadRequest(
                "Badly formatted name parameter: in:NAME,NAME or startswith:TEXT is accepted."
            )
        names = wanted.split(",")
        found = [
            name for name in found
            if (name in names if how == "in" else name.startswith(wanted))
        ]  # fmt: skip
    associated = query.get("associated", "true").lower()
    if associated not in ("true", "false"):
        raise BadRequest("The query parameter associated accepts true or false.")
    return {"traits": found if associated == "true" or "associated" not in query else []}


def show_trait(context: Context) -> Reply:
    if context.params["name"] not in TRAITS:
        raise NotFound(f"No such trait {context.params['name']}; there are: {', '.join(TRAITS)}.")
    return Reply(204)


OPERATIONS = [
    read("/resource_classes", list_classes, "resource_class:list", minor=2),
    read("/resource_classes/{name}", show_class, "resource_class:show", minor=2),
    read("/traits", list_traits, "trait:list", minor=6),
    read("/traits/{name}", show_trait, "trait:show", minor=6),
]
