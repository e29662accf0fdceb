"""The routing table of metadata definitions. Operators write them, projects read what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.access import ADMIN, PROJECT_READER
from andromede.http.operation import MUTATING, Operation
from andromede.services.image.metadefs import items, namespaces

ONE = "/namespaces/{namespace}"


def _row(
    method: str, path: str, handler: Callable[..., Any], action: str, **more: Any
) -> Operation:
    if method in ("POST", "PUT"):
        more.setdefault("body", dict)
    if method in ("POST", "DELETE"):
        more["status"] = 201 if method == "POST" else 204
    return Operation(
        method=method, path=f"/v2/metadefs{path}", handler=handler,
        action=f"image:metadef-{action}", allow=ADMIN if method in MUTATING else PROJECT_READER,
        **more,
    )  # fmt: skip


def _kind(noun: str, handlers: items.Handlers, **other: Any) -> list[Operation]:
    """The rows that objects, properties and tags have in common."""
    path, one = f"{ONE}/{noun}", f"{ONE}/{noun}/{{name}}"
    kind = handlers.kind
    return [
        _row("GET", path, other["index"], f"{kind}:list"),
        _row("POST", path, other.get("create", handlers.create), f"{kind}:create"),
        _row("DELETE", path, handlers.clear, f"{kind}:clear"),
        _row("GET", one, other.get("show", handlers.show), f"{kind}:show"),
        _row("PUT", one, handlers.update, f"{kind}:update"),
        _row("DELETE", one, handlers.delete, f"{kind}:delete"),
    ]


OPERATIONS = [
    _row("GET", "/namespaces", namespaces.index, "namespace:list"),
    _row("POST", "/namespaces", namespaces.create, "namespace:create"),
    _row("GET", ONE, namespaces.show, "namespace:show"),
    _row("PUT", ONE, namespaces.update, "namespace:update"),
    _row("DELETE", ONE, namespaces.delete, "namespace:delete"),
    *_kind("objects", items.OBJECTS, index=items.list_objects),
    *_kind("properties", items.PROPERTIES, index=items.list_properties, show=items.show_property),
    *_kind("tags", items.TAGS, index=items.list_tags, create=items.create_tags),
    _row("POST", f"{ONE}/tags/{{name}}", items.create_tag, "tag:create-one", body=None),
    _row("GET", "/resource_types", items.list_types, "type:list"),
    _row("GET", f"{ONE}/resource_types", items.list_associations, "type:associations"),
    _row("POST", f"{ONE}/resource_types", items.associate, "type:associate"),
    _row("DELETE", f"{ONE}/resource_types/{{name}}", items.dissociate, "type:dissociate"),
]
