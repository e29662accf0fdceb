"""What a machine shows: connections to its screen and to its serial port.

Its QEMU listens for neither on any address. A screen's connection is made here, and one end handed
over through the monitor; the serial port's socket is in the server's folder, for root alone.
"""

from __future__ import annotations

import socket

from andromede.engine.embedded.machine import launch, record
from andromede.engine.embedded.machine.holding import Holding
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError, reach
from andromede.engine.protocol import EngineError

PATIENCE = 2.0  # seconds: whoever asks for a console waits for it
NAME = "viewer"  # of the descriptor, between two commands


class Showing(Holding):
    """How a machine's consoles are opened. Errors: EngineError."""

    def open_console(self, server_id: str, kind: str) -> int | None:
        folder = self._folder(server_id)
        held = record.load(folder)
        if held is None or not held.wanted:
            return None
        try:
            if kind == "vnc":
                return self._screen(server_id)
            port = reach(folder, launch.SERIAL, PATIENCE)
            port.settimeout(None)
            return port.detach()
        except (FileNotFoundError, ConnectionRefusedError):
            return None  # it was started before it had one, or is off
        except (MonitorError, OSError) as error:
            raise EngineError(
                f"opening the {kind} console of server {server_id}: {error}"
            ) from error

    def _screen(self, server_id: str) -> int:
        ours, theirs = socket.socketpair()
        with theirs, Monitor.connect(self._folder(server_id), launch.COMMANDS, PATIENCE) as monitor:
            try:
                monitor.hand_over(theirs.fileno(), "getfd", fdname=NAME)
                monitor.execute("add_client", protocol="vnc", fdname=NAME, skipauth=True)
            except MonitorError:
                ours.close()
                raise
        return ours.detach()
