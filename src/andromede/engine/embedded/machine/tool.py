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

from andromede.engine.protocol import EngineError


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
                os.fsync(descriptor)
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


def _run(words: list[str], descriptor: int, doing: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, pass_fds=[descriptor], check=False)
    if done.returncode != 0:
        raise EngineError(f"{doing}: {done.stderr.strip()[-500:]}")


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk. Errors: OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
