"""Runs in Tempest's own environment: lists tests, or runs the classes it reads, one JSON line each.

`worker.py list PACKAGE…` prints the names of all tests. `worker.py run` reads lines of names of one
class, separated by spaces, and prints `{"test", "outcome", "text", "seconds"}` for each outcome, then
`{"done": true}`. Outcomes: passed, failed, skipped.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from typing import Any

MARKS = re.compile(r"\[.*")
FIXTURE = re.compile(r"(?:setUp|tearDown)(?:Class|Module) \((.*)\)")


def plain(test: Any) -> str:
    """A test's name without the marks that testtools adds."""
    return MARKS.sub("", test.id())


def flat(suite: Any) -> Iterator[Any]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def names(package: str) -> Iterator[str]:
    """All tests of a package or module."""
    found = importlib.import_module(package)
    modules = [package]
    if hasattr(found, "__path__"):
        modules = [
            each.name
            for each in pkgutil.walk_packages(found.__path__, f"{package}.")
            if each.name.rpartition(".")[2].startswith("test_")
        ]
    for module in modules:
        for test in flat(unittest.defaultTestLoader.loadTestsFromName(module)):
            yield plain(test)


class Outcomes(unittest.TestResult):
    """Writes each outcome as it comes."""

    def __init__(self, asked: list[str]) -> None:
        super().__init__()
        self.asked = asked
        self.began = time.monotonic()

    def startTest(self, test: Any) -> None:
        self.began = time.monotonic()

    def tell(self, test: Any, outcome: str, text: str) -> None:
        fixture = FIXTURE.fullmatch(test.id())
        told = [plain(test)]
        if fixture is not None:  # it stands for every test of its class
            told = [each for each in self.asked if each.startswith(f"{fixture[1]}.")] or self.asked
        for name in told:
            seconds = round(time.monotonic() - self.began, 2)
            say({"test": name, "outcome": outcome, "text": text[-6000:], "seconds": seconds})

    def addSuccess(self, test: Any, details: Any = None) -> None:
        self.tell(test, "passed", "")

    def addExpectedFailure(self, test: Any, err: Any = None, details: Any = None) -> None:
        self.tell(test, "passed", "")

    def addSkip(self, test: Any, reason: Any = None, details: Any = None) -> None:
        self.tell(test, "skipped", str(reason or _text(details)))

    def addError(self, test: Any, err: Any = None, details: Any = None) -> None:
        told = "".join(traceback.format_exception(*err)) if err else _text(details)
        self.tell(test, "failed", told)

    def addFailure(self, test: Any, err: Any = None, details: Any = None) -> None:
        self.addError(test, err, details)

    def addUnexpectedSuccess(self, test: Any, details: Any = None) -> None:
        self.addError(test, None, details)


def _text(details: Any) -> str:
    """What testtools says of an outcome; the log of a test is left out."""
    wanted = {k: v for k, v in (details or {}).items() if "log" not in k.lower()}
    return "\n".join(each.as_text() for each in wanted.values())


def say(line: dict[str, Any]) -> None:
    OUT.write(json.dumps(line) + "\n")
    OUT.flush()


def run() -> None:
    for line in sys.stdin:
        asked = line.split()
        try:
            suite = unittest.defaultTestLoader.loadTestsFromNames(asked)
            suite.run(Outcomes(asked))
        except Exception as error:  # a module that cannot be loaded fails each of its tests
            for name in asked:
                say({"test": name, "outcome": "failed", "text": repr(error), "seconds": 0})
        say({"done": True})


if __name__ == "__main__":
    OUT = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what tests print is not an outcome
    if sys.argv[1] == "list":
        for wanted in sys.argv[2:]:
            for name in names(wanted):
                OUT.write(name + "\n")
    else:
        run()
    OUT.flush()
