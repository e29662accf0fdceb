"""`andromede test`: the one way the tests are run, by people and by CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(arguments: list[str], *, full: bool) -> int:
    """Run pytest in the checkout; the exit code is its own."""
    checkout = Path(os.environ["ANDROMEDE_CHECKOUT"])
    marks = [] if full else ["-m", "not full"]
    command = [sys.executable, "-m", "pytest", *marks, *arguments]
    return subprocess.run(command, cwd=checkout, check=False).returncode
