"""Seconds from `up` to healthy, and the memory of all processes of the cloud."""

from __future__ import annotations

import re
from pathlib import Path

from andromede.cli import control
from benchmarks import scratch
from benchmarks.api import _Target
from benchmarks.frame import Row, median_row
from benchmarks.scratch import Scratch

STARTS = 5
SERVERS = 1_000
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def run() -> list[Row]:
    """Start-up first and again, then memory idle and with many simulated servers."""
    with scratch.cloud() as cloud:
        rows = [Row(name="up to healthy, first start", value=cloud.seconds, unit="s")]
        again = []
        for _ in range(STARTS):
            control.stop(cloud.state)
            again.append(control.start(cloud.state, cloud.config))
        rows.append(median_row("up to healthy, later starts", again, "s", limit=2.0, goal="<= 1"))
        rows.append(_memory("PSS of all processes, idle", cloud, limit=300.0, goal="<= 1"))
        _Target(cloud).fill(SERVERS)
        rows.append(_memory(f"PSS of all processes, {SERVERS} simulated servers", cloud))
    return rows


def _memory(
    name: str, cloud: Scratch, *, limit: float | None = None, goal: str | None = None
) -> Row:
    facts = control.running(cloud.state)
    assert facts is not None
    pids = [facts["pid"], *facts["roles"].values()]
    total = sum(_pss(pid) for pid in pids)
    return Row(name=name, value=total, unit="MB", limit=limit, goal=goal, n=len(pids))


def _pss(pid: int) -> float:
    found = PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found is not None
    return int(found[1]) / 1024
