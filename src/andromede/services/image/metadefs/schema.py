"""Bodies of metadata definitions, as the API has them.

Source: the Image service's Metadata Definitions API v2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.http.errors import BadRequest, Forbidden

Name = Annotated[str, Meta(min_length=1, max_length=80)]
Title = Annotated[str, Meta(max_length=80)]
Words = Annotated[str, Meta(max_length=500)]
Count = Annotated[int, Meta(ge=0)]
Kind = Literal["array", "boolean", "integer", "number", "object", "string"]
READ_ONLY = ("created_at", "updated_at", "self", "schema")


class Items(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What the members of an array are."""

    type: Kind | UnsetType = UNSET
    enum: list[Any] | UnsetType = UNSET


class Property(
    Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, rename="camel"
):
    """One property: a JSON schema of few words."""

    title: str
    type: Kind
    name: Name | UnsetType = UNSET
    description: str | UnsetType = UNSET
    operators: list[str] | UnsetType = UNSET
    required: list[str] | UnsetType = UNSET
    minimum: float | int | UnsetType = UNSET
    maximum: float | int | UnsetType = UNSET
    max_length: Count | UnsetType = UNSET
    min_length: Count | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    enum: list[Any] | UnsetType = UNSET
    readonly: bool | UnsetType = UNSET
    default: Any = UNSET
    items: Items | UnsetType = UNSET
    max_items: Count | UnsetType = UNSET
    min_items: Count | UnsetType = UNSET
    unique_items: bool | UnsetType = UNSET
    additional_items: bool | UnsetType = UNSET


class Object(Struct, forbid_unknown_fields=True, kw_only=True):
    """A group of properties under one name."""

    name: Name
    description: str = ""
    required: list[str] = []
    properties: dict[Name, Property] = {}


class Tag(Struct, forbid_unknown_fields=True, kw_only=True):
    name: Name


class Tags(Struct, forbid_unknown_fields=True, kw_only=True):
    tags: list[Tag]


class Association(Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """A type of resource that a namespace is for; `prefix` goes before its properties' names."""

    name: Name
    prefix: Title | UnsetType = UNSET
    properties_target: Title | UnsetType = UNSET


class Changed(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a namespace is, besides what it holds."""

    namespace: Name
    display_name: Title | None = None
    description: Words | None = None
    visibility: Literal["public", "private"] = "private"
    protected: bool = False
    owner: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class Namespace(Changed, kw_only=True):
    """A namespace with what it is to hold from the start."""

    objects: list[Object] = []
    properties: dict[Name, Property] = {}
    tags: list[Tag] = []
    resource_type_associations: list[Association] = []


def refuse_read_only(body: Any, names: tuple[str, ...] = READ_ONLY) -> Any:
    """The body, unless it sets what the cloud sets.

    Errors: Forbidden.
    """
    for name in names:
        if name in body:
            raise Forbidden(f"Attribute '{name}' is read-only.")
    return body


def require_segment(name: str) -> str:
    """The name, unless no path could tell it.

    Errors: BadRequest.
    """
    if "/" in name or name != name.strip():
        raise BadRequest(
            f"The name {name!r} is not valid: no slash, and no space around it, is accepted."
        )
    return name
