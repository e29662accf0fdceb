"""Judges what a run of tests wrote into a folder, as `ANDROMEDE_EXCHANGES` asks of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.oracle import oracle


def read(folder: Path) -> list[dict[str, Any]]:
    """What processes wrote into a folder."""
    files = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def complaints(folder: Path) -> list[str]:
    """The differences that are not reviewed, each with an exchange that shows it."""
    new: dict[str, str] = {}
    for wrong, each in oracle.wrongs(read(folder)):
        if not oracle.known(wrong):
            new.setdefault(wrong, f"{each['method']} {each['path']} at {each['version']}")
    return [f"{wrong}  ({where})" for wrong, where in sorted(new.items())]
