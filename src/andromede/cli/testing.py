"""`andromede test`: the one way the tests are run, by people and by CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

WHOLE = ("--cov=andromede", "--cov-branch", "--cov-report=")
# Host tests and clients mostly wait, so there are more processes than cores. `tests/division.py` says
# which tests stay together, and in what order they are dealt.
PARALLEL = ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")


def run(arguments: list[str], *, full: bool) -> int:
    """Run pytest in the checkout; the exit code is its own.

    Without arguments the whole suite runs, and its branch coverage is held to what is promised.
    """
    checkout = Path(os.environ["ANDROMEDE_CHECKOUT"])
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    marks = [] if full else ["-m", "not full"]
    whole: tuple[str, ...] = ()
    if not arguments:
        environment["ANDROMEDE_WHOLE_SUITE"] = "1"
        whole = (*PARALLEL, *WHOLE)
    command = [sys.executable, "-m", "pytest", "-q", *whole, *marks, *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, check=False).returncode


def conform(arguments: list[str]) -> int:
    """Run Tempest against a cloud of its own; `tests/conformance` says how. The exit code."""
    checkout = Path(os.environ["ANDROMEDE_CHECKOUT"])
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "tests.conformance", *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, check=False).returncode
