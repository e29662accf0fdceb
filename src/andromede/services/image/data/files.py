"""Files of image data: who may fill one, how it becomes whole, and what is left of a crash.

`<id>.part` is being filled, `<id>.staged` waits for its import and `<id>` is whole. Whoever fills
one holds a `flock` on it until the image's row says so, so a file that can be locked belongs to
nobody alive. Touches only the folder of images.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from andromede.services.image.schema import UUID

SUFFIX = ".part"
STAGED = ".staged"


class BusyError(Exception):
    """Somebody alive fills this image."""


def whole(folder: Path, image_id: str) -> Path:
    return folder / image_id


def part(folder: Path, image_id: str) -> Path:
    return folder / f"{image_id}{SUFFIX}"


def staged(folder: Path, image_id: str) -> Path:
    return folder / f"{image_id}{STAGED}"


def names(folder: Path) -> dict[str, bool]:
    """The ids that have files here, and whether one is a part."""
    found: dict[str, bool] = {}
    for entry in os.scandir(folder):
        image_id = entry.name.removesuffix(SUFFIX).removesuffix(STAGED)
        if UUID.fullmatch(image_id):
            found[image_id] = found.get(image_id, False) or entry.name.endswith(SUFFIX)
    return found


def claim(folder: Path, image_id: str) -> int:
    """An empty, locked part file, which the caller closes.

    Errors: BusyError; OSError.
    """
    path = part(folder, image_id)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            _lock(descriptor)
            if _same_file(path, descriptor):
                _check_whole(folder, image_id)
                os.ftruncate(descriptor, 0)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError from error


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        found = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)


def _check_whole(folder: Path, image_id: str) -> None:
    """Somebody may have renamed the part and not yet have told the database."""
    for path in (whole(folder, image_id), staged(folder, image_id)):
        try:
            other = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            _lock(other)
        finally:
            os.close(other)


def publish(folder: Path, image_id: str) -> None:
    """Make a synced part the image's data, durably.

    Errors: FileNotFoundError when the image was deleted meanwhile.
    """
    _rename(folder, part(folder, image_id), whole(folder, image_id))


def stage(folder: Path, image_id: str) -> None:
    """Have a synced part wait for its import, durably.

    Errors: FileNotFoundError when the image was deleted meanwhile.
    """
    _rename(folder, part(folder, image_id), staged(folder, image_id))


def publish_staged(folder: Path, image_id: str) -> None:
    """Make what waited the image's data, durably.

    Errors: FileNotFoundError when nothing waits.
    """
    _rename(folder, staged(folder, image_id), whole(folder, image_id))


def _rename(folder: Path, before: Path, after: Path) -> None:
    os.rename(before, after)
    sync(folder)


def discard_staged(folder: Path, image_id: str) -> None:
    """Forget what waited."""
    staged(folder, image_id).unlink(missing_ok=True)
    sync(folder)


def remove(folder: Path, image_id: str) -> None:
    """Remove what there is of an image's data. The part goes first: then no filler can publish."""
    part(folder, image_id).unlink(missing_ok=True)
    staged(folder, image_id).unlink(missing_ok=True)
    whole(folder, image_id).unlink(missing_ok=True)
    sync(folder)


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
