"""The edge's process from its start to its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.unit.edge.conftest import connected

SERVE = """
import sys
from pathlib import Path
from andromede.config import Config, Paths
from andromede.edge.server import serve
serve(Paths(Path(sys.argv[1])), Config(short="test", uid_base=1_000_000))
"""


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, listening: socket.socket) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for _ in range(2):  # the second finds the first one's socket files
        with subprocess.Popen(
            [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.DEVNULL
        ) as process:
            control = connected(run / "edge.sock")
            control.hand_over("n-1", listening.fileno())
            assert control.held() == {"n-1"}
            limits = Path(f"/proc/{process.pid}/limits").read_text()
            (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
            assert line.split()[3] == line.split()[4]
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert not control.alive
            control.close()
