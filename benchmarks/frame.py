"""What every benchmark shares: rows with their limit and ratio, one table, one JSON object."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. `ratio` is value / limit; `goal` says in words what was asked for; `n` samples."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    goal: str | None = None
    n: int = 1

    @property
    def ratio(self) -> float | None:
        return None if not self.limit else self.value / self.limit


def median_row(name: str, samples: list[float], unit: str, **more: object) -> Row:
    """A row of the median of samples."""
    return Row(name=name, value=statistics.median(samples), unit=unit, n=len(samples), **more)  # type: ignore[arg-type]


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    cpu = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(pages * size / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def report(name: str, rows: Iterable[Row], *, as_json: bool) -> None:
    """Print the rows as a table, or as the one JSON object."""
    found = list(rows)
    if as_json:
        plain = [{**asdict(row), "ratio": row.ratio} for row in found]
        print(json.dumps({"bench": name, "machine": machine(), "rows": plain}))
        return
    table = Table(title=f"{name} — {machine()['cpu']}, {machine()['cores']} cores")
    for heading in ("what", "value", "unit", "limit", "ratio", "goal", "n"):
        table.add_column(heading, justify="left" if heading in ("what", "goal") else "right")
    for row in found:
        table.add_row(
            row.name,
            _number(row.value),
            row.unit,
            _number(row.limit),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            row.goal or "",
            str(row.n),
        )
    Console(highlight=False, width=130).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
