"""Looks for images without data and data without image. Reads the folder of images and /proc/locks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from andromede.config import Paths
from andromede.db import Connection
from andromede.findings import Finding
from andromede.services.image import store
from andromede.services.image.data import files

LOST = "its data are lost: delete the image and upload it again"
CLEANED = "the next start of the cloud removes it"
LOCKS = Path("/proc/locks")


def audit(connection: Connection, paths: Paths) -> list[Finding]:
    """What contradicts between the rows and the files of images.

    Errors: OSError when the folder may not be read.
    """
    there = files.names(paths.images)
    rows = store.brief(connection)
    return [*_rows(rows, paths.images), *_files(rows, there, paths.images)]


def _rows(rows: dict[str, tuple[str, int | None]], folder: Path) -> Iterator[Finding]:
    for image_id, (status, size) in rows.items():
        if status in store.STORED:
            yield from _stored(image_id, status, size, files.whole(folder, image_id))
        elif status == "uploading" and files.staged(folder, image_id).exists():
            continue
        elif status in store.FILLING and not _filled(files.part(folder, image_id)):
            yield _finding(image_id, "is being saved, and nobody fills it", CLEANED)


def _stored(image_id: str, status: str, size: int | None, path: Path) -> Iterator[Finding]:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        yield _finding(image_id, f"is {status} and has no data in {path}", LOST)
        return
    if found != size:
        yield _finding(image_id, f"has {found} bytes of data in place of {size}", LOST)


def _files(
    rows: dict[str, tuple[str, int | None]], there: dict[str, bool], folder: Path
) -> Iterator[Finding]:
    for image_id, is_part in there.items():
        status = rows.get(image_id, ("", None))[0]
        part = files.part(folder, image_id)
        if is_part and not _filled(part):
            yield _finding(str(part), "is an upload that nobody fills", CLEANED)
        whole = files.whole(folder, image_id)
        kept = (*store.STORED, "importing")  # a worker may have renamed it, and not yet told
        if status not in kept and whole.exists() and not _filled(whole):
            yield _finding(str(whole), "is data of no image", CLEANED)
        waiting = files.staged(folder, image_id)
        if status not in store.STAGED and waiting.exists() and not _filled(waiting):
            yield _finding(str(waiting), "waits for no import", CLEANED)


def _filled(path: Path) -> bool:
    """Whether somebody holds the lock that an upload holds on its file; the file stays untouched."""
    try:
        mark = f":{path.stat().st_ino}"  # of any device: overlays show another one there
    except FileNotFoundError:
        return False
    words = (word for line in LOCKS.read_text().splitlines() for word in line.split())
    return any(word.endswith(mark) for word in words)


def _finding(subject: str, problem: str, remedy: str) -> Finding:
    return Finding(kind="image", subject=subject, problem=problem, remedy=remedy)
