"""Running a program of the host that ends at once, or is ended: whoever calls it holds a lock."""

from __future__ import annotations

import subprocess
from typing import Any

from andromede.engine.protocol import EngineError

PATIENCE = 60.0  # seconds: on a host that is busy with much else


def call(words: list[str], doing: str, **more: Any) -> subprocess.CompletedProcess[Any]:
    """What `subprocess.run` gives.

    Errors: EngineError when the program does not end in time; OSError when there is none.
    """
    try:
        return subprocess.run(words, check=False, timeout=PATIENCE, **more)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{doing}: {words[0]} did not end within {PATIENCE:g} s") from error
