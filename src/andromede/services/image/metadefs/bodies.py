"""From the bodies of metadata definitions to what is kept of them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from andromede.http.errors import BadRequest
from andromede.services.image.metadefs import schema

T = TypeVar("T")


def read(body: Any, kind: type[T]) -> T:
    """A body, checked.

    Errors: BadRequest naming the faulty member; Forbidden for what is read-only.
    """
    schema.refuse_read_only(body)
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"Provided object does not match its schema: {error}") from error


def content(each: Any) -> dict[str, Any]:
    """What is kept of one definition."""
    schema.require_segment(each.name)
    kept: dict[str, Any] = msgspec.to_builtins(each)
    return kept


def properties(found: dict[str, schema.Property]) -> list[dict[str, Any]]:
    """Named properties as contents; the key is the name."""
    for name, each in found.items():
        each.name = name
    return [content(each) for each in found.values()]


def contents(wanted: schema.Namespace) -> dict[str, list[dict[str, Any]]]:
    """All that a new namespace is to hold, by kind."""
    return {
        "type": [content(each) for each in wanted.resource_type_associations],
        "object": [content(each) for each in wanted.objects],
        "tag": [content(each) for each in wanted.tags],
        "property": properties(wanted.properties),
    }
