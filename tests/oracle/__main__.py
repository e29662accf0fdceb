"""`python -m tests.oracle > tests/oracle/rows.txt`: what the oracle judges of each row.
`python -m tests.oracle FOLDER` judges what a run of tests wrote there (`ANDROMEDE_EXCHANGES`)."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import structlog

from tests.contract.whole.world import whole
from tests.oracle import recorded
from tests.oracle.walk import Walked, walk

FILE = Path(__file__).parent / "rows.txt"
COMMAND = "python -m tests.oracle > tests/oracle/rows.txt"
HEAD = f"""\
# What the real services' schemas judge of each of our rows; written by
#   {COMMAND}
# The parts that they have a schema for, the number of versions at which it is asked, and the row.
# "no schema": the real service has the operation, and no schema for it; "no such operation": it is
# ours alone, or the real service declares no operations where the oracle could read them.
"""


def page(walked: Iterable[Walked]) -> str:
    """The whole file."""
    lines, title = [HEAD], ""
    for each in walked:
        if each.service.name != title:
            title = each.service.name
            lines.append(f"\n## {title}\n")
        lines.append(f"{each}\n")
    return "".join(lines)


def judge(folder: Path) -> int:
    """Tell what is wrong with the exchanges of a folder; how many differences are new."""
    exchanges, told = recorded.read(folder), recorded.complaints(folder)
    print("\n".join([*told, f"{len(exchanges)} exchanges judged, {len(told)} new differences"]))
    return len(told)


def main(arguments: list[str]) -> int:
    if arguments:
        return 1 if judge(Path(arguments[0])) else 0
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(io.StringIO()))
    logging.disable()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        tempfile.TemporaryDirectory() as folder,
        whole(Path(folder)) as made,
    ):
        text = page(walk(made))
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
