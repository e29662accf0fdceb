"""A server's config drive: an ISO 9660 file labelled config-2, made by genisoimage.

Source of the label and layout: cloud-init's ConfigDrive data source. Touches the server's folder.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path, PurePosixPath

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
    draft = folder / (DRIVE + ".new")
    try:
        with tempfile.TemporaryDirectory(prefix="drive.", dir=folder) as root:
            _spread(Path(root), files)
            draft.unlink(missing_ok=True)
            command = [GENISOIMAGE, "-quiet", "-J", "-r", "-V", LABEL]
            done = subprocess.run(
                [*command, "-o", str(draft), root],
                capture_output=True,
                text=True,
                umask=0o077,
                check=False,
            )
        if done.returncode != 0:
            raise EngineError(f"making config drive {drive}: {done.stderr.strip()[-500:]}")
        draft.rename(drive)
    except OSError as error:
        raise EngineError(f"making config drive {drive}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
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
