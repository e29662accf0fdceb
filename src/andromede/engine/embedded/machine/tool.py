"""Runs a tool that writes one file whole or not at all.

The tool is given an open file, never a name: one that outlives a killed worker leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from andromede.engine.embedded.machine import progress
from andromede.engine.embedded.machine.progress import Pace
from andromede.engine.protocol import EngineError

SLICE = 1.0  # seconds between looks at a tool


def write(
    target: Path, doing: str, command: Callable[[str], list[str]], *, durable: bool = True
) -> None:
    """Make `target` with the command that `command(path)` gives, replacing what is there.

    `durable`: it outlives a power cut. Drafts of earlier runs are removed. Errors: EngineError, with
    `doing` and what the tool said.
    """
    try:
        for left in target.parent.glob(f"{target.name}.*.new"):
            left.unlink(missing_ok=True)
        with _draft(target) as (draft, descriptor):
            _run(command(f"/proc/self/fd/{descriptor}"), descriptor, doing)
            if durable:
                progress.flush(descriptor, f"flushing {target.name}", Pace())
            draft.rename(target)
        if durable:
            sync(target.parent)
    except OSError as error:
        raise EngineError(f"{doing}: {error}") from error


@contextlib.contextmanager
def _draft(target: Path) -> Iterator[tuple[Path, int]]:
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        yield draft, descriptor
    finally:
        os.close(descriptor)
        draft.unlink(missing_ok=True)


def _run(words: list[str], descriptor: int, doing: str, pace: Pace | None = None) -> None:
    """Errors: EngineError when the tool fails; TimeoutError when nothing moves in it and its file."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=[descriptor]
    )

    def look() -> tuple[str | None, object]:
        try:
            return process.communicate(timeout=SLICE)[1], None
        except subprocess.TimeoutExpired:
            file = os.fstat(descriptor)
            return None, (progress.moved_by(process.pid), file.st_size, file.st_blocks)

    try:
        said = progress.wait(look, words[0], pace or Pace(sleep=lambda _: None))
    except BaseException:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the disk
            process.communicate(timeout=SLICE)
        raise
    if process.returncode != 0:
        raise EngineError(f"{doing}: {said.strip()[-500:]}")


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk. Errors: OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
