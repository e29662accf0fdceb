"""Roles run from a checkout that their users may not read: nothing is imported after the fork."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src" / "andromede"

# Commands and builds are run by whoever may read the checkout; the worker stays root.
OTHERS = ("cli/", "guest/", "engine/", "db/migrations/", "db/migrate.py", "roles/host.py")

PRELOAD = """
import sys
from pathlib import Path
from andromede import config
from andromede.roles import prepare, supervisor
from andromede.config import Paths
try:
    prepare.roles(config.new_config(engine="simulated"), Paths(Path(sys.argv[1])))
except InterruptedError:
    print(*sys.modules)
"""
HALT = """
import andromede.roles.listen as listen
def halt(*_): raise InterruptedError
listen.listeners = halt
"""


def late_imports() -> Iterator[tuple[str, set[str]]]:
    """Where a function imports: the place, and each name the imported module may have."""
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith(OTHERS):
            continue
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, functions):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr == "strptime":
                    yield place, {"_strptime"}  # which the first call imports
                if isinstance(node, ast.Import):
                    yield from ((place, {alias.name}) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield place, {node.module}


def test_roles_import_nothing_once_they_are_forked(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HALT + PRELOAD, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent)},
    )
    loaded = set(done.stdout.split())
    assert "andromede.services.identity" in loaded
    found = list(late_imports())
    assert found
    missing = [f"{place}: {names}" for place, names in found if not names <= loaded]
    assert missing == [], "add them to roles/preload.py, or import them at the top of the module"
