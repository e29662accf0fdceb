"""`verify`: checks what was downloaded of a cloud, offline, on the files alone.

Exit codes: 0 all is verified; 1 something is false: forged, edited or forked; 2 a file cannot be
read or is of no known kind; 3 nothing is false, and something is not shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from andromede.cli.errors import FAILED, USAGE, CliError
from andromede.sovereignty.evidence import verify as evidence
from andromede.sovereignty.log import bundle as bundles
from andromede.sovereignty.log import note as notes
from andromede.sovereignty.log.examine import Examination
from andromede.sovereignty.log.note import Verifier
from andromede.sovereignty.log.verdicts import FALSE, NOT_SHOWN, TRUE

UNSHOWN = 3
CODES = {TRUE: 0, FALSE: FAILED, NOT_SHOWN: UNSHOWN}
COLOURS = {TRUE: "green", FALSE: "red", NOT_SHOWN: "yellow"}
LARGEST = 1 << 30  # bytes of one file
console = Console(highlight=False, soft_wrap=True, markup=False)


def verify(
    files: Sequence[Path], *, key: str | None, witnesses: Sequence[str], as_json: bool
) -> int:
    """Examine the files, print what is found, and give the exit code.

    Errors: CliError for a file that cannot be read or a malformed key.
    """
    found = Examination(
        _key(key, "--key") if key is not None else None,
        [_key(each, "--witness") for each in witnesses],
    )
    for path in files:
        _look(found, path)
    found.conclude()
    if as_json:
        lines = [msgspec.to_builtins(line) for line in found.lines]
        print(json.dumps({"verdict": found.verdict, "lines": lines}))
    else:
        for line in found.lines:
            console.print(
                f"{line.verdict:10} {line.file}: {line.text}", style=COLOURS[line.verdict]
            )
        console.print(found.verdict, style=COLOURS[found.verdict])
    return CODES[found.verdict]


def _key(given: str, option: str) -> Verifier:
    """A verifier key, or the name of a file that holds one."""
    path = Path(given)
    try:
        text = path.read_text() if path.is_file() else given
        return notes.verifier(text)
    except (OSError, UnicodeDecodeError, notes.NoteError) as error:
        raise CliError(f"{option}: {error}", USAGE) from error


def _look(found: Examination, path: Path) -> None:
    """Examine one file as what it is."""
    if path.is_dir():
        found.mirror(str(path), path)
        return
    try:
        if path.stat().st_size > LARGEST:
            raise CliError(f"{path}: it is larger than {LARGEST} bytes", USAGE)
        data = path.read_bytes()
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}", USAGE) from error
    _kind(path, data)(found, str(path), data)


def _kind(path: Path, data: bytes) -> Callable[[Examination, str, bytes], object]:
    """How to examine these bytes.

    Errors: CliError when they are of no known kind.
    """
    if data.startswith(b"{"):
        try:
            document = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = {}
        if "format" in document:
            return _bundle
        if "first" in document:
            return Examination.link
    elif evidence.is_archive(data):
        return evidence.examine
    elif b"\n\n" in data:
        return Examination.checkpoint
    raise CliError(
        f"{path}: neither a log bundle, an archive of evidence, a checkpoint, a consistency proof "
        f"nor a folder with a copy of a log",
        USAGE,
    )


def _bundle(found: Examination, file: str, data: bytes) -> None:
    try:
        document = bundles.decode(data)
    except ValueError as error:
        found.say(file, FALSE, str(error))
        return
    found.bundle(file, document)
