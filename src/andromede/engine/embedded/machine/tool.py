"""Runs a tool that writes one file whole or not at all, and that ends with the worker.

A worker that was killed may leave a tool behind for an instant; so each run has a draft of its own.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path

from andromede.engine.protocol import EngineError

SETPRIV = "/usr/bin/setpriv"


def write(
    target: Path, doing: str, command: Callable[[str], list[str]], *, durable: bool = True
) -> None:
    """Make `target` with the command that `command(draft)` gives, replacing what is there.

    `durable`: it outlives a power cut. Drafts of earlier runs are removed. Errors: EngineError, with
    `doing` and what the tool said.
    """
    for left in target.parent.glob(f"{target.name}.*.new"):
        left.unlink(missing_ok=True)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.new")
    words = [SETPRIV, "--pdeathsig", "KILL", "--", *command(str(draft))]
    try:
        done = subprocess.run(words, capture_output=True, text=True, umask=0o077, check=False)
        if done.returncode != 0:
            raise EngineError(f"{doing}: {done.stderr.strip()[-500:]}")
        if durable:
            sync(draft)
        draft.rename(target)
        if durable:
            sync(target.parent)
    except OSError as error:
        raise EngineError(f"{doing}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk. Errors: OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
