"""A client of QEMU's monitor protocol: one socket, one command at a time, events kept aside.

Blocking, as its callers are; the peer is as hostile as its guest, so every wait and size is bounded.
Source: QEMU, docs/interop/qmp-spec.txt. Touches only the socket it is given.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

LONGEST = 4 << 20  # bytes of one message
PATIENCE = 10.0  # seconds for one answer


def reach(folder: Path, name: str, patience: float) -> socket.socket:
    """Connect to the socket `name` in `folder`, whose path may be longer than a socket's may.

    Errors: OSError.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(patience)
        at = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            connection.connect(f"/proc/self/fd/{at}/{name}")
        finally:
            os.close(at)
    except OSError:
        connection.close()
        raise
    return connection


class MonitorError(Exception):
    """The monitor did not answer, or answered that a command failed."""


class _Nothing(MonitorError):
    """No whole message within the time given."""


class Monitor:
    """A connection on which capabilities are negotiated."""

    def __init__(self, connection: socket.socket, patience: float = PATIENCE) -> None:
        """Errors: MonitorError when no greeting comes."""
        self._socket = connection
        self._buffer = bytearray()
        self._events: list[dict[str, Any]] = []
        self._patience = patience
        greeting = self._read(time.monotonic() + patience)
        if "QMP" not in greeting:
            raise MonitorError(f"the monitor's greeting is {str(greeting)[:200]}")
        self.execute("qmp_capabilities")

    @classmethod
    def connect(cls, folder: Path, name: str, patience: float = PATIENCE) -> Monitor:
        """The monitor whose socket is `name` in `folder`. Errors: MonitorError."""
        try:
            connection = reach(folder, name, patience)
        except OSError as error:
            raise MonitorError(f"connecting to {folder / name}: {error}") from error
        try:
            return cls(connection, patience)
        except MonitorError:
            connection.close()
            raise

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def execute(self, command: str, **arguments: object) -> Any:
        """Run a command and return its answer.

        Errors: MonitorError naming the command and what QEMU said.
        """
        return self._run(command, arguments, [])

    def hand_over(self, descriptor: int, command: str, **arguments: object) -> Any:
        """Run a command that takes a descriptor, of which QEMU gets its own. Errors: MonitorError."""
        return self._run(command, arguments, [descriptor])

    def _run(self, command: str, arguments: dict[str, object], descriptors: list[int]) -> Any:
        message = msgspec.json.encode({"execute": command, "arguments": arguments}) + b"\n"
        deadline = time.monotonic() + self._patience
        try:
            self._socket.settimeout(self._patience)
            if descriptors:  # with the first byte; the rest follows
                sent = socket.send_fds(self._socket, [message], descriptors)
                message = message[sent:]
            self._socket.sendall(message)
        except OSError as error:
            raise MonitorError(f"{command}: {error}") from error
        while True:
            answer = self._read(deadline)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MonitorError(f"{command}: {answer['error'].get('desc', answer['error'])}")

    def events(self) -> list[dict[str, Any]]:
        """The events that have arrived, without waiting.

        Errors: MonitorError when the connection ended.
        """
        with contextlib.suppress(_Nothing):
            for _ in range(1_000):
                self._read(0.0)
        found, self._events = self._events, []
        return found

    def _read(self, deadline: float) -> dict[str, Any]:
        """The next message; events are also kept in `_events`."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LONGEST:
                raise MonitorError(f"the monitor sent more than {LONGEST} bytes without an end")
            left = deadline - time.monotonic()
            self._socket.settimeout(max(left, 0.0))
            try:
                data = self._socket.recv(65_536)
            except (BlockingIOError, TimeoutError) as error:
                raise _Nothing(f"no answer within {self._patience} s") from error
            except OSError as error:
                raise MonitorError(f"the monitor's connection broke: {error}") from error
            if not data:
                raise MonitorError("the monitor's connection ended")
            self._buffer += data
        line, _, rest = self._buffer.partition(b"\n")
        self._buffer = bytearray(rest)
        try:
            message = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise MonitorError(f"the monitor sent {bytes(line[:80])!r}: {error}") from error
        if "event" in message:
            self._events = [*self._events[-999:], message]
        return message
