"""The schema documents of metadata definitions, published at /v2/schemas/metadefs.

Source: the Image service's Metadata Definitions API v2, "Metadata definition schemas".
"""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_NAME: dict[str, Any] = {"type": "string", "maxLength": 80}
_KINDS = ["array", "boolean", "integer", "number", "object", "string", None]
_MOMENTS: dict[str, Any] = {
    "created_at": {**_TEXT, "readOnly": True, "format": "date-time"},
    "updated_at": {**_TEXT, "readOnly": True, "format": "date-time"},
}
_LINKS: dict[str, Any] = {
    "self": {**_TEXT, "readOnly": True},
    "schema": {**_TEXT, "readOnly": True},
}
_DEFINITIONS: dict[str, Any] = {
    "positiveInteger": {"type": "integer", "minimum": 0},
    "positiveIntegerDefault0": {
        "allOf": [{"$ref": "#/definitions/positiveInteger"}, {"default": 0}]
    },
    "stringArray": {"type": "array", "items": _TEXT, "uniqueItems": True},
}
_MOST = {"$ref": "#/definitions/positiveInteger"}
_LEAST = {"$ref": "#/definitions/positiveIntegerDefault0"}
_WORDS = {"$ref": "#/definitions/stringArray"}
_PROPERTY: dict[str, Any] = {
    "name": _NAME,
    "title": _TEXT,
    "description": _TEXT,
    "operators": {"type": "array", "items": _TEXT},
    "type": {**_TEXT, "enum": _KINDS},
    "required": _WORDS,
    "minimum": {"type": "number"},
    "maximum": {"type": "number"},
    "maxLength": _MOST,
    "minLength": _LEAST,
    "pattern": {**_TEXT, "format": "regex"},
    "enum": {"type": "array"},
    "readonly": {"type": "boolean"},
    "default": {},
    "items": {
        "type": "object",
        "properties": {"type": {**_TEXT, "enum": _KINDS}, "enum": {"type": "array"}},
    },
    "maxItems": _MOST,
    "minItems": _LEAST,
    "uniqueItems": {"type": "boolean", "default": False},
    "additionalItems": {"type": "boolean"},
}
_PROPERTIES = {
    "type": "object",
    "additionalProperties": {
        "type": "object", "required": ["title", "type"], "properties": _PROPERTY,
    },
}  # fmt: skip
_OBJECT: dict[str, Any] = {
    "name": _NAME,
    "description": _TEXT,
    "required": _WORDS,
    "properties": {"$ref": "#/definitions/property"},
}
_ASSOCIATION: dict[str, Any] = {"name": _NAME, "prefix": _NAME, "properties_target": _NAME}


def _one(name: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _all(name: str, held: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The document of a list whose member `name` is as `held` says."""
    document: dict[str, Any] = {
        "name": name,
        "properties": {name: held, "first": _TEXT, "next": _TEXT, "schema": _TEXT},
        "links": [
            {"rel": rel, "href": href}
            for rel, href in (
                ("first", "{first}"), ("next", "{next}"), ("describedby", "{schema}"),
            )
        ],
    }  # fmt: skip
    return {**document, "definitions": definitions} if definitions else document


def _listed(one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": one}


_WHOLE = {**_DEFINITIONS, "property": _PROPERTIES}
_NAMESPACE = _one("namespace", {
    "namespace": _NAME,
    "display_name": _NAME,
    "description": {"type": "string", "maxLength": 500},
    "visibility": {**_TEXT, "enum": ["public", "private"]},
    "protected": {"type": "boolean"},
    "owner": {"type": "string", "maxLength": 64},
    **_MOMENTS,
    **_LINKS,
    "resource_type_associations": _listed({"type": "object", "properties": _ASSOCIATION}),
    "properties": {"$ref": "#/definitions/property"},
    "objects": _listed({"type": "object", "properties": _OBJECT}),
    "tags": _listed({"type": "object", "properties": {"name": _NAME}}),
}, ["namespace"])  # fmt: skip
_TYPE = _one("resource_type_association", {**_ASSOCIATION, **_MOMENTS}, ["name"])
_PROPERTY_DOCUMENT = _one("property", _PROPERTY, ["title", "type", "name"])
_OBJECT_DOCUMENT = _one("object", {**_OBJECT, **_MOMENTS, **_LINKS}, ["name"])
_TAG = _one("tag", {"name": _NAME, **_MOMENTS}, ["name"])
_NAMED = {"type": "object", "additionalProperties": _one("property", _PROPERTY, ["title", "type"])}

DOCUMENTS: dict[str, dict[str, Any]] = {
    "namespace": {**_NAMESPACE, "definitions": _WHOLE},
    "namespaces": _all("namespaces", _listed(_NAMESPACE), _WHOLE),
    "resource_type": _TYPE,
    "resource_types": _all("resource_type_associations", _listed(_TYPE), {}),
    "property": {**_PROPERTY_DOCUMENT, "definitions": _DEFINITIONS},
    "properties": _all("properties", _NAMED, _DEFINITIONS),
    "object": {**_OBJECT_DOCUMENT, "definitions": _WHOLE},
    "objects": _all("objects", _listed(_OBJECT_DOCUMENT), _WHOLE),
    "tag": _TAG,
    "tags": _all("tags", _listed(_TAG), {}),
}
