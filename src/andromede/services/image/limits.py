"""Quotas of images: how many a project may have, and how many bytes of data."""

from __future__ import annotations

from andromede import quotas
from andromede.db import Connection
from andromede.http.errors import TooLarge
from andromede.services.image import store

MIB = 1 << 20
DEFAULTS = {"image_count_total": 100, "image_size_total": 512_000}  # images; MiB


def limits(connection: Connection, project_id: str) -> dict[str, int]:
    """A project's limits by the names of the unified limits; -1 is none."""
    return quotas.limits(connection, "image", project_id, DEFAULTS)


def require_count(connection: Connection, project_id: str) -> None:
    """Refuse one image more than a project may have.

    Errors: TooLarge.
    """
    most = limits(connection, project_id)["image_count_total"]
    count, _ = store.usage(connection, project_id)
    say = (
        f"Project {project_id} has {count} images; its limit image_count_total is {most}. Delete "
        f"one, or ask the operator for more."
    )
    quotas.require(most, count, 1, say, TooLarge)


def room(connection: Connection, project_id: str) -> int | None:
    """The bytes of image data that a project may still store; None for no limit."""
    most = limits(connection, project_id)["image_size_total"]
    if most == quotas.UNLIMITED:
        return None
    return max(0, most * MIB - store.usage(connection, project_id)[1])


def require_bytes(connection: Connection, project_id: str, wanted: int) -> None:
    """Refuse data beyond a project's limit.

    Errors: TooLarge.
    """
    left = room(connection, project_id)
    if left is not None and wanted > left:
        raise TooLarge(
            f"Storing {wanted} bytes would exceed project {project_id}'s limit image_size_total: "
            f"{left} bytes are left. Delete an image, or ask the operator for more."
        )
