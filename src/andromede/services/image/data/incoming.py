"""One upload: claimed, filled, inspected, published and told to the database, or as if it had
never been. Every method blocks and runs in a worker thread; writes only the folder of images."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import Any

from andromede import ids
from andromede.cloud import Verdict
from andromede.db import Connection
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Conflict, TooLarge, Unavailable
from andromede.inspect.verdict import InspectionError
from andromede.services.image import access, limits, store
from andromede.services.image.data import files, staged
from andromede.services.image.store import Image
from andromede.sovereignty import admit
from andromede.sovereignty.policy.model import AT_REST

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CHECKED = ("raw", "qcow2")  # formats whose content is refused when inspection finds it faulty


class GoneError(ApiError):
    """The image was deleted while its data arrived."""

    status = 410


class Incoming:
    """The data of one image on their way in. `size` counts the bytes so far."""

    status = "saving"  # what the image is meanwhile

    def __init__(self, context: Context, declared: int | None) -> None:
        self.context = context
        self.database = context.cloud.database
        self.folder = context.cloud.paths.images
        self.id = context.params["id"].lower()
        self.upload = ids.new()
        self.declared = declared
        self.size = 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.sha512 = hashlib.sha512()
        self.largest = 0
        self.descriptor = -1

    def begin(self) -> None:
        """Claim the image.

        Errors: NotFound, Forbidden, BadRequest, Conflict, TooLarge, admit.Refused.
        """
        with self.database.read() as connection:
            image = self._check(connection)
            self.largest = self._largest(connection, image)
        if self.declared is not None:
            self._require_size(self.declared)
            self._require_space(self.declared)
        try:
            self.descriptor = files.claim(self.folder, self.id)
        except files.BusyError as error:
            raise Conflict(f"Another upload to image {self.id} is under way.") from error
        try:
            self.database.transact(self._note_begin)
        except BaseException:
            self.abandon()
            raise

    def _check(self, connection: Connection) -> Image:
        image = access.find_own(connection, self.context)
        arriving = image.status in store.FILLING and image.upload is not None
        if image.status != "queued" and not arriving:
            raise Conflict(
                f"Image {image.id} is {image.status}: its data can be uploaded once, while it is "
                f"queued."
            )
        self._check_formats(image)
        return image

    def _check_formats(self, image: Image) -> None:
        if image.disk_format is None or image.container_format is None:
            raise BadRequest(
                "Properties disk_format, container_format must be set prior to saving data."
            )

    def _largest(self, connection: Connection, image: Image) -> int:
        cloud = self.context.cloud.config.largest_image
        room = limits.room(connection, image.project_id)
        return cloud if room is None else min(cloud, room)

    def _require_size(self, size: int) -> None:
        if size > self.largest:
            raise TooLarge(
                f"The data of image {self.id} exceed what is accepted: at most {self.largest} "
                f"bytes, by the cloud's largest image and the project's limit image_size_total."
            )

    def _require_space(self, size: int) -> None:
        there = os.statvfs(self.folder)
        free = there.f_bavail * there.f_frsize
        if size > free:
            raise _full(self.id, f"{size} bytes were announced and {free} are free")

    def _note_begin(self, connection: Connection) -> None:
        image = self._check(connection)
        admit.require(
            connection,
            self.context.operation.action,
            admit.Subject(project_id=image.project_id, kind="image", id=image.id),
            admit.Destination(site=image.site, host=image.host, keys=AT_REST),
        )
        self.context.admitted = True
        if not store.begin_upload(connection, self.id, self.upload, self.status):
            raise Conflict(f"Image {self.id} is not queued any more.")

    def write(self, data: bytes) -> None:
        """Add data at the end.

        Errors: TooLarge past the largest size, or when the disk is full.
        """
        self._require_size(self.size + len(data))
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError as error:
            if error.errno in FULL:
                raise _full(self.id, os.strerror(error.errno or 0)) from error
            raise
        self.md5.update(data)
        self.sha512.update(data)
        self.size += len(data)

    def finish(self) -> None:
        """Inspect, publish and make the image active.

        Errors: BadRequest for hostile or short data; TooLarge past the quota; GoneError.
        """
        if self.declared is not None and self.size != self.declared:
            raise BadRequest(
                f"{self.size} bytes of image {self.id} arrived; {self.declared} were announced."
            )
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            if error.errno in FULL:
                raise _full(self.id, os.strerror(error.errno or 0)) from error
            raise
        self._keep()
        self.close()

    def _keep(self) -> None:
        verdict = self._inspect()
        try:
            files.publish(self.folder, self.id)
        except FileNotFoundError as error:
            raise _gone(self.id) from error
        self.context.transact(lambda connection: self._note_end(connection, verdict), 204)

    def _inspect(self) -> Verdict:
        inspect = self.context.cloud.inspect
        if inspect is None:
            raise Unavailable("Images cannot be inspected now, so none is accepted; try again.")
        with self.database.read() as connection:
            image = store.get(connection, self.id)
        if image is None:
            raise _gone(self.id)
        try:
            verdict = inspect(self.descriptor, image.disk_format or "raw")
        except InspectionError as error:
            raise Unavailable(
                f"Inspecting the data of image {self.id} failed, so they were not kept; try again "
                f"later: {error}"
            ) from error
        if (why := refusal(image, verdict)) is not None:
            raise BadRequest(why)
        return verdict

    def _note_end(self, connection: Connection, verdict: Verdict) -> None:
        image = store.get(connection, self.id)
        if image is None:
            raise _gone(self.id)
        self.context.concerns(image.id, image.project_id)
        limits.require_bytes(connection, image.project_id, self.size)
        facts = {
            **inspected(verdict),
            "size": self.size,
            "checksum": self.md5.hexdigest(),
            "os_hash_algo": "sha512",
            "os_hash_value": self.sha512.hexdigest(),
        }
        self.context.notes = {"size": self.size, "sha512": facts["os_hash_value"]}
        if not store.end_upload(connection, self.id, self.upload, facts):
            raise _gone(self.id)

    def abandon(self) -> None:
        """Undo: the image waits for data again and no byte is left. Safe at any moment."""
        if self.descriptor < 0:
            return
        try:
            status = self.database.transact(
                lambda connection: store.abandon_upload(connection, self.id, self.upload)
            )
            if status not in (*store.STORED, *store.STAGED):
                files.remove(self.folder, self.id)
        finally:
            self.close()

    def close(self) -> None:
        """Let the file go, and with it the claim."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Staging(Incoming):
    """Data that wait for their import, where they are inspected."""

    status = "uploading"

    def _check_formats(self, image: Image) -> None:
        """The formats may be set until the import."""

    def _keep(self) -> None:
        try:
            files.stage(self.folder, self.id)
        except FileNotFoundError as error:
            raise _gone(self.id) from error
        self.context.transact(self._note_staged, 204)

    def _note_staged(self, connection: Connection) -> None:
        image = store.get(connection, self.id)
        if image is None:
            raise _gone(self.id)
        self.context.concerns(image.id, image.project_id)
        limits.require_bytes(connection, image.project_id, self.size)
        if not store.end_staging(connection, self.id, self.upload, self.size):
            raise _gone(self.id)
        self.context.notes = {"size": self.size, "sha512": self.sha512.hexdigest()}
        staged.put(connection, self.id, self.md5.hexdigest(), self.sha512.hexdigest())


def refusal(image: Image, verdict: Verdict) -> str | None:
    """Why data are refused: they are a disk of the declared format, and a hostile or broken one."""
    true_kind = verdict.format_found == image.disk_format
    if verdict.ok or not true_kind or verdict.format_found not in CHECKED:
        return None
    return (
        f"The data of image {image.id} are refused: {verdict.reason}. A whole "
        f"{image.disk_format} disk that refers to no other file is accepted."
    )


def inspected(verdict: Verdict) -> dict[str, Any]:
    """What inspection tells of an image."""
    return {
        "virtual_size": verdict.virtual_size or None,
        "format_found": verdict.format_found,
        "unbootable": None if verdict.ok else verdict.reason or "its content is not bootable",
    }


def _full(image_id: str, why: str) -> TooLarge:
    return TooLarge(
        f"Image storage media is full: storing image {image_id}: {why}. Nothing was kept; the "
        f"operator can make room."
    )


def _gone(image_id: str) -> GoneError:
    return GoneError(
        f"Image {image_id} could not be found after upload. It was deleted meanwhile, and what "
        f"was uploaded is removed."
    )
