"""`bench`: run one of the programs of `benchmarks/` and print its figures beside their limits."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from andromede.cli.errors import USAGE, CliError

HELPERS = {"__init__", "banner", "frame", "hello", "load", "rawboot", "scratch"}


def run(name: str, *, as_json: bool) -> None:
    """Run the benchmark of that name.

    Errors: CliError naming those there are.
    """
    checkout = Path(os.environ["ANDROMEDE_CHECKOUT"])
    known = sorted(
        path.stem for path in (checkout / "benchmarks").glob("*.py") if path.stem not in HELPERS
    )
    if name not in known:
        raise CliError(f"bench {name}: one of {', '.join(known)} is accepted", USAGE)
    sys.path.insert(0, str(checkout))
    os.environ["PYTHONPATH"] = str(checkout)
    module = importlib.import_module(f"benchmarks.{name}")
    frame = importlib.import_module("benchmarks.frame")
    frame.report(name, module.run(), as_json=as_json)
