"""Images that the cloud itself makes of a server's disk: reserved, filled by the worker, discarded.

An image is queued until its data come. Writes the folder of images, as an upload does.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from andromede import clock, ids
from andromede.cloud import Cloud
from andromede.config import role_uid
from andromede.db import Connection
from andromede.engine.protocol import EngineError
from andromede.http.errors import ApiError, OverLimit, TooLarge
from andromede.inspect.formats import examine
from andromede.services.image import limits, schema, store
from andromede.services.image.data import files
from andromede.services.image.store import Image
from andromede.work import intend

PIECE = 1 << 20  # bytes hashed and written at a time
REMOVAL_SECONDS = 7 * 24 * 3600


def reserve(
    connection: Connection,
    cloud: Cloud,
    project_id: str,
    *,
    name: str,
    properties: Mapping[str, str],
    min_disk: int,
    min_ram: int,
) -> str:
    """A private image of a project that waits for a server's disk; its id.

    Errors: OverLimit when the project has as many as it may; BadRequest for a faulty property.
    """
    schema.check_counts([], dict(properties))
    try:
        limits.require_count(connection, project_id)
    except TooLarge as error:
        raise OverLimit(error.message) from error
    place, now = cloud.config.place, clock.now()
    image = Image(
        id=ids.new(),
        project_id=project_id,
        name=name,
        status="queued",
        visibility="private",
        protected=False,
        os_hidden=False,
        container_format="bare",
        disk_format="qcow2",
        min_disk=min_disk,
        min_ram=min_ram,
        region=place.region,
        site=place.site,
        host=place.host,
        created_at=now,
        updated_at=now,
        properties=dict(properties),
    )
    store.insert(connection, image)
    return image.id


def fill(cloud: Cloud, image_id: str, source: int) -> bool:
    """Make what a descriptor reads the image's data; again after a kill, from the beginning.

    False when the image was deleted meanwhile. Errors: EngineError; permanent when the data cannot
    be an image's, or the project may not store so many bytes.
    """
    with cloud.database.read() as connection:
        image = store.get(connection, image_id)
    if image is None:
        return False
    if image.status in store.STORED:
        return True
    folder, upload = cloud.paths.images, ids.new()
    try:
        descriptor = files.claim(folder, image_id)
    except files.BusyError as error:
        raise EngineError(f"storing image {image_id}: somebody else fills it") from error
    try:
        if not cloud.database.transact(lambda c: store.begin_upload(c, image_id, upload, "saving")):
            return False
        return _take(cloud, image, upload, source, descriptor)
    except BaseException:
        cloud.database.transact(lambda c: store.abandon_upload(c, image_id, upload))
        raise
    finally:
        os.close(descriptor)


def _take(cloud: Cloud, image: Image, upload: str, source: int, descriptor: int) -> bool:
    facts = _copy(source, descriptor)
    if os.geteuid() == 0:  # the api reads what the worker wrote
        owner = role_uid(cloud.config, "api")
        os.fchown(descriptor, owner, owner)
    os.fsync(descriptor)
    verdict = examine(descriptor, "qcow2")
    if not verdict.ok:
        raise EngineError(f"storing image {image.id}: {verdict.reason}", permanent=True)
    facts |= {"virtual_size": verdict.virtual_size, "format_found": verdict.format_found}

    def end(connection: Connection) -> bool:
        limits.require_bytes(connection, image.project_id, int(str(facts["size"])))
        return store.end_upload(connection, image.id, upload, facts)

    try:
        files.publish(cloud.paths.images, image.id)
        there = cloud.database.transact(end)
    except FileNotFoundError:
        there = False
    except ApiError as error:
        raise EngineError(f"storing image {image.id}: {error.message}", permanent=True) from error
    if not there:
        files.remove(cloud.paths.images, image.id)
    return there


def _copy(source: int, target: int) -> dict[str, object]:
    """Copy one file into another; the facts of its content."""
    md5, sha512, at = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
    while piece := os.pread(source, PIECE, at):
        at += len(piece)
        md5.update(piece)
        sha512.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(target, rest) :]
    return {
        "size": at,
        "checksum": md5.hexdigest(),
        "os_hash_algo": "sha512",
        "os_hash_value": sha512.hexdigest(),
    }


def discard(connection: Connection, image_id: str, request_id: str) -> None:
    """Delete an image that was made here, and its data; nothing when it is gone, or protected."""
    image = store.get(connection, image_id)
    if image is None or image.protected:
        return
    store.delete(connection, image_id)
    intend(
        connection, "image", image_id, "remove", project_id=image.project_id,
        request_id=request_id, seconds=REMOVAL_SECONDS,
    )  # fmt: skip


def rotate(
    connection: Connection, project_id: str, wanted: Mapping[str, str], keep: int, request_id: str
) -> None:
    """Of a project's images with all these properties, keep the newest and discard the others."""
    for image_id in store.with_properties(connection, project_id, wanted)[keep:]:
        discard(connection, image_id, request_id)
