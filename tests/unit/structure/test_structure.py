"""The house rules that a machine can check: style, types, layers, sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
HELD = [
    path for part in ("src", "tests", "benchmarks") for path in sorted((ROOT / part).rglob("*.py"))
]
CODE = [path for path in HELD if path.parent.name != "versions"]  # migrations are records
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
EXCEPTIONS = (ROOT / "tests/unit/structure/too-long.txt").read_text().split()


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", ".")


def test_ruff_would_format_nothing() -> None:
    run("ruff", "format", "--check", ".")


def test_mypy_finds_nothing() -> None:
    run("mypy", "src")


def test_layers_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_services_meet_through_their_api_modules_only() -> None:
    strays = []
    for path in (ROOT / "src/andromede/services").rglob("*.py"):
        own = path.relative_to(ROOT / "src/andromede/services").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                parts = name.split(".")
                foreign = parts[:2] == ["andromede", "services"] and parts[2:3] != [own]
                if foreign and len(parts) > 3 and parts[3] != "api":
                    strays.append(f"{path.relative_to(ROOT)} imports {name}")
    assert strays == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_and_no_function_is_too_long(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    too_long = []
    if len(text.splitlines()) > LONGEST_FILE:
        too_long.append(name)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION:
                too_long.append(f"{name}:{node.name}")
    allowed = [each for each in EXCEPTIONS if each.partition(":")[0] == name]
    assert too_long == allowed, "the list of exceptions only shrinks"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} needs a docstring"
