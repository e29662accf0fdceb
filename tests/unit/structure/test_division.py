"""The whole suite is divided as `tests/division.py` says, by the locked pytest and xdist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from andromede.cli.testing import PARALLEL
from tests.division import CLIENTS, GUESTS, HOST, SINGLE, part

ROOT = Path(__file__).parents[3]
MODULES = (
    "tests/clients/test_a.py",
    "tests/clients/test_b.py",
    "tests/host/test_guest_a.py",
    "tests/host/test_guest_b.py",
    "tests/host/test_net.py",
    "tests/unit/test_small.py",
)
BODY = """
import pytest
@pytest.mark.parametrize("number", range(6))
def test_it(number): pass
"""
LINE = re.compile(r"\[(gw[0-9])\].* PASSED (\S+)")


def dealt(folder: Path) -> list[tuple[str, str]]:
    """(process, test) of a run of MODULES in the way of the whole suite, in the order they ended."""
    for name in MODULES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BODY)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "tests.division", "-p", "no:cacheprovider",
         "--rootdir", str(folder), "--import-mode=importlib", *PARALLEL, "."],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return [(each[1], each[2]) for each in map(LINE.match, done.stdout.splitlines()) if each]


def test_a_part_of_the_suite_stays_in_one_process(tmp_path: Path) -> None:
    seen = dealt(tmp_path)
    assert len(seen) == 6 * len(MODULES)
    processes: dict[tuple[int, str], set[str]] = {}
    for process, test in seen:
        processes.setdefault(part(test), set()).add(process)
    assert {kind for kind, _ in processes} == {GUESTS, CLIENTS, HOST, SINGLE}
    assert all(len(each) == 1 for each in processes.values()), processes
    whole = {name: each.pop() for (kind, name), each in processes.items() if kind != SINGLE}
    assert len(set(whole.values())) == 3, "each of the three long parts has a process of its own"


def test_every_part_of_this_suite_is_known() -> None:
    """The modules that share the fixtures of guests are called so, and no other is."""
    sharing = {
        path.name
        for path in (ROOT / "tests/host").glob("test_*.py")
        if "guest_cloud import" in path.read_text() and "Guests" in path.read_text()
    }
    assert sharing == {path.name for path in (ROOT / "tests/host").glob("test_guest_*.py")}
