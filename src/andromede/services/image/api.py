"""What other services and roles may ask of images."""

from __future__ import annotations

import os
from collections.abc import Iterable

from msgspec import Struct

from andromede.config import Paths
from andromede.db import Connection, Database
from andromede.http.access import Caller
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.services.image import access, protection, store
from andromede.services.image.audit import audit
from andromede.services.image.data import files
from andromede.services.image.imports.downloads import download
from andromede.services.image.imports.downloads import due as downloads
from andromede.services.image.limits import DEFAULTS as QUOTA_DEFAULTS
from andromede.services.image.limits import limits
from andromede.services.image.made import discard, fill, reserve, rotate
from andromede.services.image.schema import UUID, is_property, properties_of
from andromede.services.image.store import placements
from andromede.sovereignty.consent.reach import Reach

__all__ = [
    "QUOTA_DEFAULTS", "UUID", "BootImage", "audit", "clean", "discard", "download", "downloads",
    "fill", "image_for_boot", "is_property", "limits", "placements", "properties_of", "reach",
    "require_properties", "reserve", "rotate", "usage",
]  # fmt: skip

BOOTABLE = ("qcow2", "raw")


class BootImage(Struct, frozen=True, kw_only=True):
    """An image a server's disk may stand on. Sizes are bytes, `min_disk` GiB, `min_ram` MiB."""

    id: str
    name: str | None
    private_to: str | None  # the project whose data it is; None: everybody's
    disk_format: str  # "qcow2" | "raw", as inspection found it
    size: int
    virtual_size: int
    min_disk: int
    min_ram: int
    properties: dict[str, str]


def image_for_boot(connection: Connection, caller: Caller, image_id: str) -> BootImage:
    """The image, if the caller may boot it.

    Errors: NotFound when the caller does not see it; BadRequest saying why it cannot be booted.
    """
    image = access.find(connection, caller, image_id)
    if image.status != "active":
        raise BadRequest(f"Image {image.id} is {image.status}; only an active image boots.")
    why = image.unbootable
    if why is None and image.container_format != "bare":
        why = f"its container format is {image.container_format}; bare is accepted"
    if why is None and image.format_found not in BOOTABLE:
        why = f"its format is {image.format_found}; {' and '.join(BOOTABLE)} are accepted"
    if why is not None:
        raise BadRequest(f"Image {image.id} cannot be booted: {why}.")
    return BootImage(
        id=image.id,
        name=image.name,
        private_to=None if image.visibility in access.OPEN else image.project_id,
        disk_format=image.format_found or "",
        size=image.size or 0,
        virtual_size=image.virtual_size or 0,
        min_disk=image.min_disk,
        min_ram=image.min_ram,
        properties=image.properties,
    )


def require_properties(context: Context, names: Iterable[str]) -> None:
    """Errors: Forbidden for a property that the caller may not give an image."""
    protection.require(context, "create", names)


def reach(connection: Connection, caller: Caller, image_id: str) -> Reach | None:
    """What a caller can do with an image, told without its asking; None when there is none."""
    image = store.get(connection, image_id.lower()) if UUID.fullmatch(image_id) else None
    if image is None:
        return None
    see = access.visible(connection, caller, image)
    return Reach(
        kind="image", id=image.id, project_id=image.project_id, service="image",
        path="/v2/images", see=see, change=see and access.owns(caller, image),
        private=image.visibility not in access.OPEN,
    )  # fmt: skip


def usage(connection: Connection, project_id: str) -> dict[str, int]:
    """What a project uses: images and bytes."""
    count, size = store.usage(connection, project_id)
    return {"images": count, "bytes": size}


def clean(paths: Paths, database: Database) -> list[str]:
    """Undo uploads whose process died, and remove files that are no image's; their ids.

    Safe at any moment: an upload that lives holds its file's lock and is left alone.
    """
    there = files.names(paths.images)
    with database.read() as connection:
        known = store.statuses(connection, list(there))
        stale = set(store.saving(connection))
    stale |= {each for each, is_part in there.items() if is_part}
    kept = (*store.STORED, *store.STAGED)
    stale |= {each for each in there if known.get(each) not in kept}
    return [each for each in sorted(stale) if _clean_one(paths, database, each)]


def _clean_one(paths: Paths, database: Database, image_id: str) -> bool:
    try:
        descriptor = files.claim(paths.images, image_id)
    except files.BusyError:
        return False
    try:
        status = database.transact(lambda c: store.abandon_upload(c, image_id, None))
        files.part(paths.images, image_id).unlink(missing_ok=True)
        if status not in (*store.STORED, *store.STAGED):
            files.whole(paths.images, image_id).unlink(missing_ok=True)
            files.staged(paths.images, image_id).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return True
