"""What a running machine used: processor time, disk traffic, memory, from QEMU and its process.

Reads /proc and the machine's monitor.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

from andromede import clock
from andromede.engine.embedded.machine import record
from andromede.engine.embedded.machine.holding import OFF, RUNNING, Holding
from andromede.engine.embedded.machine.process import Process
from andromede.engine.embedded.machine.record import Record
from andromede.figures import DiskFigures, Figures

DISKS = ("disk", "rescue-disk", "drive")  # the nodes that guests see, in this order
FAILED = ("failed_rd_operations", "failed_wr_operations", "failed_flush_operations")
TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")  # nanoseconds
PATIENCE = 1.0  # seconds: somebody waits for the answer


class Measuring(Holding):
    """The verb on figures; those of network cards are the network's. Errors: EngineError."""

    def figures(self, server_id: str) -> tuple[Figures, tuple[str, ...]] | None:
        """See the protocol; the ports whose cards the machine has come with it."""
        doing = "measuring"
        with self._hold(doing, server_id, PATIENCE) as folder:
            held = record.load(folder)
            found = self._find(server_id, held) if held is not None and held.wanted else None
            if held is None or found is None:
                return None
            with closing(found), self._asking(doing, server_id, PATIENCE) as monitor:
                state = str(monitor.execute("query-status")["status"])
                if state in OFF:
                    return None
                processors = monitor.execute("query-cpus-fast")
                blocks = monitor.execute("query-blockstats")
                memory = int(monitor.execute("query-memory-size-summary")["base-memory"])
                figures = Figures(
                    paused=state not in RUNNING,
                    accelerator=held.accelerator or "tcg",
                    uptime=(clock.now() - (held.since or clock.now())) // clock.SECOND,
                    cpu_times=tuple(_busy(found, int(each["thread-id"])) for each in processors),
                    memory=memory,
                    memory_used=_resident(found),
                    disks=tuple(_disks(blocks)),
                    cards=(),
                )
            return figures, _ports(held)


def _ports(held: Record) -> tuple[str, ...]:
    """The ports of a machine's cards, in the order of their slots."""
    return tuple(sorted(held.cards, key=lambda port: held.cards[port]))


def _busy(found: Process, thread: int) -> int:
    """Nanoseconds that a thread of a process ran."""
    text = Path(f"/proc/{found.pid}/task/{thread}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def _resident(found: Process) -> int:
    """Bytes of memory that a process has in fact."""
    pages = int(Path(f"/proc/{found.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def _disks(blocks: list[dict[str, Any]]) -> list[DiskFigures]:
    by_name = {each.get("node-name"): each["stats"] for each in blocks}
    return [
        DiskFigures(
            read_bytes=stats["rd_bytes"],
            read_requests=stats["rd_operations"],
            write_bytes=stats["wr_bytes"],
            write_requests=stats["wr_operations"],
            errors=sum(stats[kind] for kind in FAILED),
        )
        for name in DISKS
        if (stats := by_name.get(name)) is not None
    ]
