"""Tempest logs in to real guests: the part of its scenarios that fits into every run of the suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from andromede.guest.build import BuiltImage
from tests.conformance.__main__ import PYTHON

pytestmark = pytest.mark.host
CHECKOUT = Path(__file__).parents[2]
MODULES = ("tempest.scenario.test_server_basic_ops", "tempest.scenario.test_network_basic_ops")
BASIC = r"\.test_(server|network)_basic_ops$"


def test_tempest_finds_its_way_to_guests_and_between_them(
    image: BuiltImage, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not PYTHON.exists():
        pytest.skip(f"needs Tempest in {PYTHON.parent.parent}; ./andromede test installs it")
    options = ["--match", BASIC, "--engine", "embedded", "--workers", "1"]
    options += ["--image", str(image.qcow2), "--results", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance", *MODULES, *options],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    why = tmp_path / "failures.txt"
    assert done.returncode == 0, done.stderr + (why.read_text() if why.exists() else "")
    assert done.stdout.splitlines()[-1].startswith("2 passed, 0 failed, 0 skipped")
