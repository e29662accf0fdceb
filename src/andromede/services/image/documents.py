"""The schema documents that the API publishes at /v2/schemas, for clients that check by them.

Source: the Image service API v2, "Image schemas".
"""

from __future__ import annotations

from typing import Any

from andromede.http.context import Context
from andromede.services.image import schema

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["null", "string"]}
_MAYBE_COUNT = {"type": ["null", "integer"]}
_FIXED = {"readOnly": True}


def _properties() -> dict[str, Any]:
    short = {"maxLength": schema.LONGEST_NAME}
    return {
        "id": {**_TEXT, "pattern": f"^{schema.UUID.pattern}$", "description": "The image's id"},
        "name": {**_MAYBE_TEXT, **short, "description": "A name for people"},
        "status": {**_TEXT, **_FIXED, "enum": list(schema.STATUSES), "description": "Its state"},
        "visibility": {
            **_TEXT,
            "enum": list(schema.VISIBILITIES),
            "description": "Who may use the image",
        },
        "protected": {"type": "boolean", "description": "Whether deleting it is refused"},
        "os_hidden": {"type": "boolean", "description": "Whether lists leave it out"},
        "checksum": {**_MAYBE_TEXT, **_FIXED, "maxLength": 32, "description": "MD5 of its data"},
        "os_hash_algo": {**_MAYBE_TEXT, **_FIXED, "maxLength": 64, "description": "Secure hash"},
        "os_hash_value": {
            **_MAYBE_TEXT,
            **_FIXED,
            "maxLength": 128,
            "description": "Hexadecimal digest of its data by os_hash_algo",
        },
        "owner": {**_MAYBE_TEXT, **short, "description": "The project that owns it"},
        "size": {**_MAYBE_COUNT, **_FIXED, "description": "Bytes of its data"},
        "virtual_size": {**_MAYBE_COUNT, **_FIXED, "description": "Bytes of the disk inside"},
        "container_format": {
            **_MAYBE_TEXT,
            "enum": [None, *schema.CONTAINER_FORMATS],
            "description": "What its data are wrapped in",
        },
        "disk_format": {
            **_MAYBE_TEXT,
            "enum": [None, *schema.DISK_FORMATS],
            "description": "The format of the disk",
        },
        "created_at": {**_TEXT, **_FIXED, "description": "When it was registered"},
        "updated_at": {**_TEXT, **_FIXED, "description": "When it last changed"},
        "tags": {"type": "array", "items": {**_TEXT, **short}, "description": "Words on it"},
        "min_ram": {"type": "integer", "description": "MiB of memory needed to boot it"},
        "min_disk": {"type": "integer", "description": "GiB of disk needed to boot it"},
        "self": {**_TEXT, **_FIXED, "description": "The image's path"},
        "file": {**_TEXT, **_FIXED, "description": "The path of its data"},
        "schema": {**_TEXT, **_FIXED, "description": "The path of this document"},
    }


IMAGE: dict[str, Any] = {
    "name": "image",
    "properties": _properties(),
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}
IMAGES: dict[str, Any] = {
    "name": "images",
    "properties": {
        "images": {"type": "array", "items": IMAGE},
        "first": _TEXT,
        "next": _TEXT,
        "schema": _TEXT,
    },
    "links": [
        {"rel": "first", "href": "{first}"},
        {"rel": "next", "href": "{next}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}


def image(_: Context) -> object:
    return IMAGE


def images(_: Context) -> object:
    return IMAGES
