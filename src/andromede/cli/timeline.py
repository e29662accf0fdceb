"""A timeline: stages with their seconds, shown while they run and told at the end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table


class Timeline:
    """Collects stages. Progress goes to standard error, so that standard output stays clean."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        started = os.environ.get("ANDROMEDE_STARTED")
        self.started = float(started) if started else time.time()
        self.stages: list[tuple[str, float]] = [
            (str(name), float(seconds))
            for name, seconds in json.loads(os.environ.get("ANDROMEDE_STAGES", "[]"))
        ]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside, and show that it is under way."""
        began = time.monotonic()
        with self.console.status(f"{name} …"):
            yield
        seconds = time.monotonic() - began
        self.stages.append((name, seconds))
        self.console.print(f"  {seconds:7.2f} s  {name}")

    def total(self) -> float:
        """Seconds since the launcher began."""
        return time.time() - self.started

    def table(self) -> Table:
        """The stages as a table for people."""
        table = Table(box=None, pad_edge=False)
        table.add_column("stage")
        table.add_column("seconds", justify="right")
        for name, seconds in self.stages:
            table.add_row(name, f"{seconds:.2f}")
        table.add_row("in all", f"{self.total():.2f}")
        return table
