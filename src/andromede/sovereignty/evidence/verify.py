"""Verifies an evidence archive offline, as statements of an examination: the signature, every file's
digest, the pages against the document, the document against the log."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import UNSET

from andromede import clock
from andromede.sovereignty.evidence import archive, bundle, log_part, manifest
from andromede.sovereignty.evidence.model import FORMAT, AccessPart, Evidence, canonical
from andromede.sovereignty.log import bundle as logs
from andromede.sovereignty.log import note
from andromede.sovereignty.log.examine import Examination
from andromede.sovereignty.log.note import Verifier
from andromede.sovereignty.log.verdicts import FALSE, NOT_SHOWN, TRUE

EMBEDDED = re.compile(rb'<meta name="andromede-evidence" content="sha256:([0-9a-f]{64})">')
MAGIC = b"PK\x03\x04"
CLAIMS = ("action", "actor", "subject", "status", "time")


def is_archive(data: bytes) -> bool:
    """Whether a file looks like an archive rather than a log bundle."""
    return data.startswith(MAGIC)


def examine(found: Examination, file: str, data: bytes) -> None:
    """Add what the archive shows to the examination."""
    try:
        files = archive.unpack(data)
        document = _document(files)
        _manifest(found, file, files, document)
    except ValueError as error:
        found.say(file, FALSE, str(error))
        return
    _pages(found, file, files, document)
    try:
        log = logs.decode(files["log.json"])
    except ValueError as error:
        found.say(f"{file}:log.json", FALSE, str(error))
        return
    if log.project_id != document.project or (log.checkpoint or "") != document.log.checkpoint:
        found.say(file, FALSE, "log.json is of another project or moment than evidence.json")
        return
    found.bundle(f"{file}:log.json", log)
    _claims(found, file, document, log)
    _log(found, file, document, log)
    _left_out(found, file, document, log)


def _document(files: dict[str, bytes]) -> Evidence:
    """Errors: ValueError."""
    expected = {*manifest.FILES, manifest.NAME}
    if set(files) != expected:
        raise ValueError(f"it has the files {sorted(files)}; {sorted(expected)} are accepted")
    try:
        document = msgspec.json.decode(files["evidence.json"], type=Evidence)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"evidence.json: {error}") from error
    if document.format != FORMAT:
        raise ValueError(f"evidence.json: its format is {document.format!r}, not {FORMAT}")
    if canonical(document) != files["evidence.json"]:
        raise ValueError("evidence.json is not RFC 8785 JSON of what it says")
    return document


def _manifest(found: Examination, file: str, files: dict[str, bytes], document: Evidence) -> None:
    """Errors: ValueError."""
    signed = note.parse(files[manifest.NAME])
    key = found.key or note.verifier(document.cloud.verifier)
    if found.key is None:
        found.say(file, TRUE, f"the key is the one it names itself: {key}")
    note.check(signed, key)
    origin, project, digests = manifest.read(signed.text)
    if (origin, project) != (key.name, document.project) or document.cloud.origin != origin:
        raise ValueError(f"the manifest is of {origin} and project {project}")
    if not _same_key(document.cloud.verifier, key):
        raise ValueError(f"evidence.json names the key {document.cloud.verifier}")
    for name, digest in digests:
        if sha256(files[name]).hexdigest() != digest:
            raise ValueError(f"{name} is not the file that was signed")
    when = document.day
    found.say(file, TRUE, f"evidence for project {project} of {when}, signed by {origin}")


def _same_key(named: str, key: Verifier) -> bool:
    try:
        return note.verifier(named) == key
    except note.NoteError:
        return False


def _pages(found: Examination, file: str, files: dict[str, bytes], document: Evidence) -> None:
    """The pages name the document's digest, and are what this software makes of it."""
    content = files["evidence.json"]
    digest = sha256(content).hexdigest().encode()
    try:
        pages = bundle.pages(content)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        found.say(file, FALSE, f"evidence.json has values that no page can show: {error!r}")
        return
    for name, made in pages.items():
        embedded = EMBEDDED.search(files[name])
        if embedded is None or embedded.group(1) != digest:
            found.say(file, FALSE, f"{name} was not made from this evidence.json")
        elif files[name] == made:
            found.say(file, TRUE, f"{name} says what evidence.json says, word for word")
        else:
            found.say(file, NOT_SHOWN, f"{name} was made by another version of the software "
                                       f"({document.cloud.software}): read evidence.json")  # fmt: skip


def _claims(found: Examination, file: str, document: Evidence, log: logs.Bundle) -> None:
    """Every act that the document tells is a leaf of the bundle, and says the same."""
    known = {each.leaf.get("id"): each for each in log.leaves}
    acts = [*document.accesses, *document.policy.history]
    wrong = [each.leaf for each in acts if not _told(each, known.get(each.leaf))]
    if wrong:
        found.say(file, FALSE, f"acts that log.json does not have so: {', '.join(wrong[:5])}")
    else:
        found.say(file, TRUE, f"{len(acts)} acts it tells of are leaves of the log")


def _log(found: Examination, file: str, document: Evidence, log: logs.Bundle) -> None:
    """What evidence.json says of log.json is what it is."""
    try:
        told = log_part.told(log)
    except ValueError:
        return  # the examination of the bundle said what is wrong with it
    if document.log.cosigned is UNSET:  # as in archives of earlier versions
        told = msgspec.structs.replace(told, cosigned=UNSET)
    if told != document.log:
        names = [each for each in told.__struct_fields__
                 if getattr(told, each) != getattr(document.log, each)]  # fmt: skip
        found.say(file, FALSE, f"evidence.json is wrong of log.json in: {', '.join(names)}")


def _left_out(found: Examination, file: str, document: Evidence, log: logs.Bundle) -> None:
    """What the archive does not hold is said, and nothing is left out unsaid."""
    if log.next is not None:
        found.say(file, NOT_SHOWN, "log.json ends before the project's newest leaves")
    for each in document.left_out:
        when = clock.iso(each.before)
        found.say(
            file, NOT_SHOWN, f"{each.count} {each.what} from before {when} are left out of it"
        )


def _told(act: AccessPart, proven: Any) -> bool:
    return (
        proven is not None
        and proven.index == act.position
        and all((proven.leaf.get(name) or "") == (getattr(act, name) or "") for name in CLAIMS)
    )
