"""The oracle, asked from the tests' own environment; and what is known to differ, with reasons."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from andromede.services.network.discovery import catalog

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
OURS = Path(os.environ.get("ANDROMEDE_VENV") or CHECKOUT / ".venv")
PYTHON = OURS.with_name(f"{OURS.name}-oracle") / "bin" / "python"
DIFFERENCES = HERE / "differences.txt"


def ask(asked: Iterable[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
    """What the oracle knows of each row or exchange, in their order; None where it has no rule. Each
    service is asked in a process of its own: their options have the same names.

    Errors: AssertionError when its environment is missing, or it fails.
    """
    assert PYTHON.exists(), f"{PYTHON} is missing; ./andromede test makes it of locks/oracle.txt"
    every = list(asked)
    told: list[dict[str, Any] | None] = [None] * len(every)
    for service in sorted({each["service"] for each in every}):
        places = [at for at, each in enumerate(every) if each["service"] == service]
        for at, answer in zip(places, _answers([every[at] for at in places]), strict=True):
            told[at] = answer
    return told


def _answers(asked: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any] | None]:
    lines = "".join(json.dumps(each) + "\n" for each in asked)
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT),
        "ORACLE_EXTENSIONS": ",".join(catalog.BY_ALIAS),
    }  # fmt: skip
    done = subprocess.run(
        [str(PYTHON), "-m", "tests.oracle.upstream"], input=lines, capture_output=True, text=True,
        env=environment, cwd=CHECKOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return (json.loads(line) for line in done.stdout.splitlines())


def wrongs(exchanges: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each difference that the oracle finds, with the exchange where it was found."""
    for each, verdict in zip(exchanges, ask(exchanges), strict=True):
        for part, where, what in verdict["wrong"] if verdict else ():
            place = " ".join(filter(None, (part, where, what)))
            yield f"{each['service']} {verdict['rule']}: {place}", each  # type: ignore[index]


def known(wrong: str) -> bool:
    """Whether a difference stands, with its reason, in the reviewed file."""
    return any(fnmatchcase(wrong, each) for each in reviewed())


@functools.cache
def reviewed() -> dict[str, str]:
    """The differences that stand, and why; a star in one is for any text."""
    found = {}
    for line in DIFFERENCES.read_text().splitlines():
        if line and not line.startswith("#"):
            difference, _, why = line.partition("  # ")
            found[difference.strip()] = why.strip()
    return found


def encode(document: Any) -> bytes:
    return json.dumps(document).encode()
