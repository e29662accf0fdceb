"""An image as the API shows it: every attribute and custom property at the top level."""

from __future__ import annotations

from typing import Any

from andromede import clock
from andromede.http.context import Context
from andromede.services.image import info, protection
from andromede.services.image.store import STORED, Image

_SHOWN = (
    "id", "name", "status", "visibility", "protected", "os_hidden", "checksum", "os_hash_algo",
    "os_hash_value", "size", "virtual_size", "container_format", "disk_format", "min_ram",
    "min_disk", "tags",
)  # fmt: skip


def show(context: Context, image: Image) -> dict[str, Any]:
    """The body of one image, with the properties that the caller may see. Content that may never be
    booted is marked, with the reason."""
    path = f"/v2/images/{image.id}"
    marks = {"stores": info.STORE} if image.status in STORED else {}
    if image.unbootable is not None:
        mismatch = image.format_found != image.disk_format
        marks |= {
            "andromede_content": "mismatch" if mismatch else "unbootable",
            "andromede_content_found": image.format_found or "unknown",
            "andromede_content_reason": image.unbootable,
        }
    return {
        **protection.seen(context, image.properties),
        **marks,
        **{name: getattr(image, name) for name in _SHOWN},
        "owner": image.project_id,
        "created_at": clock.iso(image.created_at),
        "updated_at": clock.iso(image.updated_at),
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
    }
