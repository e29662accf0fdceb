"""Outcomes as they are kept, what is left out and why, and the counts that are printed."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

ENGINE = re.compile(r"on (\w+):")


class Kept:
    """The last outcome of each test, in a file of one JSON object a line. Safe between threads."""

    def __init__(self, path: Path, *, again: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._found: dict[str, dict[str, Any]] = {}
        if again:
            path.unlink(missing_ok=True)
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    outcome = json.loads(line)
                except ValueError:  # the run before was killed while it wrote
                    continue
                self._found[outcome["test"]] = outcome

    def add(self, outcome: dict[str, Any]) -> None:
        """Keep one outcome in place of the last of its test."""
        with self._lock, self._path.open("a") as file:
            self._found[outcome["test"]] = outcome
            file.write(json.dumps(outcome) + "\n")

    def outcome(self, test: str) -> str:
        """`passed`, `failed`, `skipped`, or nothing when it has not run."""
        return str(self._found.get(test, {}).get("outcome", ""))

    def text(self, test: str) -> str:
        return str(self._found.get(test, {}).get("text", ""))


def left_out(path: Path, engine: str) -> dict[str, str]:
    """Reasons by test. Lines are `name  # reason`; a name is a test's, whole. A reason that begins
    with `on ENGINE:` counts on that engine only.

    Errors: ValueError for a line without a reason.
    """
    found = {}
    for line in path.read_text().splitlines():
        name, _, reason = (each.strip() for each in line.partition("#"))
        if not name:
            continue
        if not reason:
            raise ValueError(f"{path}: {name} is left out without a reason")
        only = ENGINE.match(reason)
        if only is None or only[1] == engine:
            found[name] = reason
    return found


def report(chosen: list[str], left: dict[str, str], kept: Kept, folder: Path) -> int:
    """Print passed, failed and left out for each service; 1 unless all is as it should be."""
    counts: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    for test in chosen:
        outcome = "left out" if test in left else kept.outcome(test) or "not run"
        counts.setdefault(_service(test), Counter())[outcome] += 1
        if outcome in ("failed", "skipped"):
            wrong.append(test)
    with (folder / "failures.txt").open("w") as file:
        for test in wrong:
            file.write(f"{'=' * 80}\n{kept.outcome(test)} {test}\n{kept.text(test)}\n")
    for service, found in counts.items():
        print(f"{service:10} " + ", ".join(f"{found[each]} {each}" for each in ORDER))
    total = sum(counts.values(), Counter())
    print(", ".join(f"{total[each]} {each}" for each in ORDER))
    if wrong:
        print(f"why: {folder / 'failures.txt'}")
    return 1 if wrong else 0


ORDER = ("passed", "failed", "skipped", "left out", "not run")


def _service(test: str) -> str:
    words = test.split(".")
    return words[2] if words[1] == "api" else words[1]
