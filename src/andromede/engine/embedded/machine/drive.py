"""A server's config drive: an ISO 9660 file labelled config-2, made by genisoimage.

Source of the label and layout: cloud-init's ConfigDrive data source. Touches the server's folder.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from andromede.engine.embedded.machine import tool
from andromede.engine.protocol import EngineError

DRIVE = "config.iso"
LABEL = "config-2"
GENISOIMAGE = "/usr/bin/genisoimage"
LARGEST = 64 << 20  # bytes of all files together


def make(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a drive that holds `files` (names with slashes to content), replacing one that is there.

    Errors: EngineError; permanent when a name leaves the drive or the whole is too large.
    """
    total = sum(len(content) for content in files.values())
    if total > LARGEST:
        raise EngineError(
            f"making a config drive of {total} bytes: up to {LARGEST} are accepted", permanent=True
        )
    drive = folder / DRIVE
    for left in folder.glob("drive.*"):  # of a worker that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix="drive.", dir=folder) as root:
            _spread(Path(root), files)
            words = [GENISOIMAGE, "-quiet", "-J", "-r", "-V", LABEL, "-o"]
            doing = f"making config drive {drive}"
            tool.write(drive, doing, lambda draft: [*words, draft, root], durable=False)
    except OSError as error:
        raise EngineError(f"making config drive {drive}: {error}") from error
    return drive


def _spread(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise EngineError(
                f"making a config drive with the file {name!r}: names are relative, without '..'",
                permanent=True,
            )
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
