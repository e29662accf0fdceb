"""The manifest of an evidence archive: its files' digests, as a note signed by the cloud's log key.

Its first line sets it apart from every checkpoint, whose first line is the log's origin. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

CONTEXT: Final = "andromede-evidence-manifest/1"
NAME: Final = "MANIFEST"
FILES: Final = ("evidence.en.html", "evidence.fr.html", "evidence.json", "log.json")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
PROJECT: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class ManifestError(ValueError):
    """A manifest is malformed, or not of what it should be."""


def digests(files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Each file's name and SHA-256 in hexadecimal, by name."""
    return [(name, hashlib.sha256(files[name]).hexdigest()) for name in sorted(files)]


def text(origin: str, project: str, files: Sequence[tuple[str, str]]) -> str:
    """What is signed. Nothing that a caller chose gets in but a project's id and digests.

    Errors: ManifestError.
    """
    if not PROJECT.fullmatch(project):
        raise ManifestError(f"{project!r} is no project id")
    if tuple(name for name, _ in files) != FILES:
        raise ManifestError(f"an archive has the files {', '.join(FILES)}, in this order")
    for name, digest in files:
        if not DIGEST.fullmatch(digest):
            raise ManifestError(f"{name}: {digest!r} is no SHA-256 in hexadecimal")
    lines = [CONTEXT, f"origin {origin}", f"project {project}"]
    lines += [f"{digest} {name}" for name, digest in files]
    return "\n".join(lines) + "\n"


def read(signed: str) -> tuple[str, str, list[tuple[str, str]]]:
    """The origin, the project and the digests of a manifest's text.

    Errors: ManifestError.
    """
    lines = signed.split("\n")
    if len(lines) != 4 + len(FILES) or lines[0] != CONTEXT:
        raise ManifestError(f"it is no manifest: its first line is not {CONTEXT}")
    origin, project = lines[1].removeprefix("origin "), lines[2].removeprefix("project ")
    files = []
    for line in lines[3:-1]:
        digest, _, name = line.partition(" ")
        files.append((name, digest))
    if text(origin, project, files) != signed:
        raise ManifestError("the manifest is not written as it should be")
    return origin, project, files
