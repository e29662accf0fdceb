"""Holds branch coverage: 95 % in each of the packages below, and no file worse than its line in
`tests/uncovered.txt`. Acts only in runs of the whole suite, which `andromede test` marks."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parents[1]
LEDGER = ROOT / "tests" / "uncovered.txt"
PACKAGES = ("http", "work", "services", "sovereignty")
LEAST = 95.0
SLACK = 2  # random tests do not take every path each time
WHOLE = "ANDROMEDE_WHOLE_SUITE"


def measured() -> dict[str, tuple[int, int]]:
    """By source file of the packages: what was to be covered (lines and branches), what was not."""
    run = coverage.Coverage(data_file=str(ROOT / ".coverage"))
    run.load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        include = [f"{ROOT}/src/andromede/{name}/*" for name in PACKAGES]
        run.json_report(outfile=str(path), include=include)
        files = json.loads(path.read_text())["files"]
    found = {}
    for name, report in files.items():
        summary = report["summary"]
        wanted = summary["num_statements"] + summary["num_branches"]
        missing = summary["missing_lines"] + summary["missing_branches"]
        found[str((ROOT / name).relative_to(ROOT))] = (wanted, missing)
    return found


def ledger() -> dict[str, int]:
    """What each file may leave uncovered."""
    lines = (line.split() for line in LEDGER.read_text().splitlines() if line.strip())
    return {name: int(count) for name, count in lines}


def complaints(found: dict[str, tuple[int, int]]) -> list[str]:
    """Packages below the least, and files that got worse."""
    said = []
    for package in PACKAGES:
        mine = [
            counts for name, counts in found.items() if name.startswith(f"src/andromede/{package}/")
        ]
        wanted, missing = sum(each[0] for each in mine), sum(each[1] for each in mine)
        share = 100.0 * (wanted - missing) / max(1, wanted)
        if share < LEAST:
            said.append(f"{package}: {share:.1f} % covered, at least {LEAST:.0f} % is asked for")
    allowed = ledger()
    for name, (_, missing) in sorted(found.items()):
        if missing > allowed.get(name, 0) + SLACK:
            said.append(f"{name}: {missing} uncovered, {allowed.get(name, 0)} allowed")
    return said


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get(WHOLE) and not hasattr(session.config, "workerinput"):
        found = measured()
        session.config.stash[SAID] = complaints(found)
        session.config.stash[SHARE] = found
        if session.config.stash[SAID] and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


SAID = pytest.StashKey[list[str]]()
SHARE = pytest.StashKey[dict[str, tuple[int, int]]]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    found = config.stash.get(SHARE, {})
    for package in PACKAGES if found else ():
        mine = [v for name, v in found.items() if name.startswith(f"src/andromede/{package}/")]
        wanted, missing = sum(each[0] for each in mine), sum(each[1] for each in mine)
        terminalreporter.write_line(
            f"branch coverage of {package}: {100.0 * (wanted - missing) / max(1, wanted):.1f} %"
        )
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(f"coverage: {line}")


def write_ledger() -> None:
    """`python -m tests.coverage_gate`: set the ledger to the last run; it may only shrink."""
    found = measured()
    lines = [f"{name} {missing}" for name, (_, missing) in sorted(found.items()) if missing]
    LEDGER.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_ledger()
