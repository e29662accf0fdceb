"""From the document to the archive: JSON, pages in both languages, the log, the signed manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from andromede.sovereignty.evidence import archive, html, manifest
from andromede.sovereignty.evidence.gather import plain_bundle
from andromede.sovereignty.evidence.model import Evidence, canonical
from andromede.sovereignty.evidence.words import LANGUAGES
from andromede.sovereignty.log.bundle import Bundle

Sign = Callable[[str, Sequence[tuple[str, str]]], str]


def name(document: Evidence) -> str:
    """The archive's usual file name."""
    return f"evidence-{document.project}-{document.day}.zip"


def pages(content: bytes) -> dict[str, bytes]:
    """The pages by file name, made from evidence.json itself."""
    document = msgspec.json.decode(content, type=Evidence)
    digest = sha256(content).hexdigest()
    return {
        f"evidence.{language}.html": html.render(
            document, language, digest, name(document)
        ).encode()
        for language in LANGUAGES
    }


def make(document: Evidence, log: Bundle, sign: Sign) -> bytes:
    """The archive. `sign(project, files)` gives the signed note over the files' digests."""
    content = canonical(document)
    files = {"evidence.json": content, "log.json": plain_bundle(log), **pages(content)}
    signed = sign(document.project, manifest.digests(files))
    return archive.pack({**files, manifest.NAME: signed.encode()})
