"""The schema documents that the API publishes at /v2/schemas, for clients that check by them.

Source: the Image service API v2, "Image schemas".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.context import Context
from andromede.services.image import schema
from andromede.services.image.metadefs import documents as metadefs

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
        "stores": {**_TEXT, **_FIXED, "description": "Where its data are kept"},
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


def _member() -> dict[str, Any]:
    return {
        "member_id": {**_TEXT, "description": "The project the image is offered to"},
        "image_id": {**_TEXT, "pattern": f"^{schema.UUID.pattern}$", "description": "The image"},
        "status": {
            **_TEXT,
            "enum": ["pending", "accepted", "rejected"],
            "description": "What the project answered",
        },
        "created_at": {**_TEXT, "description": "When it was offered"},
        "updated_at": {**_TEXT, "description": "When the answer last changed"},
        "schema": {"readOnly": True, **_TEXT},
    }


MEMBER: dict[str, Any] = {"name": "member", "properties": _member()}
MEMBERS: dict[str, Any] = {
    "name": "members",
    "properties": {"members": {"type": "array", "items": MEMBER}, "schema": _TEXT},
    "links": [{"rel": "describedby", "href": "{schema}"}],
}


def _task() -> dict[str, Any]:
    moments = {
        "created_at": {**_TEXT, "description": "When it was asked for"},
        "updated_at": {**_TEXT, "description": "When it last changed"},
        "expires_at": {"type": ["null", "string"], "description": "When it will be forgotten"},
    }
    return {
        "id": {**_TEXT, "pattern": f"^{schema.UUID.pattern}$", "description": "The task's id"},
        "type": {**_TEXT, "enum": ["import", "api_image_import"], "description": "What it does"},
        "status": {
            **_TEXT,
            "enum": ["pending", "processing", "success", "failure"],
            "description": "How far it is",
        },
        "owner": {**_TEXT, "description": "The project whose image it is"},
        "image_id": {**_TEXT, "description": "The image"},
        "request_id": {**_TEXT, "description": "The request that asked for it"},
        "user_id": {**_TEXT, "description": "Who asked for it"},
        **moments,
        "self": {"readOnly": True, **_TEXT},
        "schema": {"readOnly": True, **_TEXT},
    }


_OBJECT = {"type": ["null", "object"]}
TASK: dict[str, Any] = {
    "name": "task",
    "properties": {
        **_task(),
        "input": {**_OBJECT, "description": "What was asked"},
        "result": {**_OBJECT, "description": "What came of it"},
        "message": {**_TEXT, "description": "Why it failed"},
    },
}
TASKS: dict[str, Any] = {
    "name": "tasks",
    "properties": {
        "tasks": {"type": "array", "items": {"name": "task", "properties": _task()}},
        "schema": _TEXT,
    },
    "links": [{"rel": "describedby", "href": "{schema}"}],
}


def handler(document: dict[str, Any]) -> Callable[[Context], object]:
    """What answers with one document."""
    return lambda _: document


DOCUMENTS: dict[str, dict[str, Any]] = {
    "image": IMAGE, "images": IMAGES, "member": MEMBER, "members": MEMBERS,
    "task": TASK, "tasks": TASKS,
    **{f"metadefs/{name}": each for name, each in metadefs.DOCUMENTS.items()},
}  # fmt: skip
