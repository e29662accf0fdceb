"""The screens and serial ports of simulated machines: each connection is served by a thread.

A screen is one colour that changes with each key; a serial port says back what is typed. Source of
the screen's protocol: RFC 6143 (RFB 3.8), as much of it as a viewer needs.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

WIDTH, HEIGHT = 160, 100
NO_PASSWORD = 1
RAW = 0
# bits per pixel, depth, big-endian, true colour, the colours' largest values and shifts
PIXELS = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
SET_PIXELS, SET_ENCODINGS, UPDATE, KEY, POINTER, CUT = 0, 2, 3, 4, 5, 6
MOST_TEXT = 1 << 20


class Consoles:
    """The connections to machines' consoles, by server."""

    def __init__(self, write: Callable[[str, bytes], None]) -> None:
        """`write` takes what a machine says on its serial port."""
        self._write = write
        self._lines: dict[str, set[socket.socket]] = {}
        self._lock = threading.Lock()

    def open(self, server_id: str, kind: str, name: str) -> int:
        """A connected socket, owned by the caller, whose other end a thread serves."""
        ours, theirs = socket.socketpair()
        with self._lock:
            self._lines.setdefault(server_id, set()).add(ours)
        threading.Thread(
            target=self._serve, args=(ours, server_id, kind, name), daemon=True
        ).start()
        return theirs.detach()

    def hang_up(self, server_id: str) -> None:
        """End every connection to a machine: it is off."""
        with self._lock:
            lines = self._lines.pop(server_id, set())
            for each in lines:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _serve(self, line: socket.socket, server_id: str, kind: str, name: str) -> None:
        try:
            with contextlib.suppress(OSError, EOFError):
                if kind == "vnc":
                    _screen(line, name)
                else:
                    self._port(line, server_id)
        finally:
            with self._lock:
                self._lines.get(server_id, set()).discard(line)
                line.close()

    def _port(self, line: socket.socket, server_id: str) -> None:
        line.sendall(b"login: ")
        while data := line.recv(1024):
            said = data.replace(b"\r", b"\r\nlogin: ")
            self._write(server_id, said)
            line.sendall(said)


def _take(line: socket.socket, size: int) -> bytes:
    """So many bytes. Errors: EOFError when the other end left."""
    data = b""
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _screen(line: socket.socket, name: str) -> None:
    """One viewer, from its greeting on. Errors: EOFError, also for one that speaks otherwise."""
    line.sendall(b"RFB 003.008\n")
    _take(line, 12)
    line.sendall(bytes([1, NO_PASSWORD]))
    if _take(line, 1) != bytes([NO_PASSWORD]):
        raise EOFError
    line.sendall(struct.pack(">I", 0))
    _take(line, 1)  # whether others may look too: they may
    title = f"simulated ({name})".encode()[:80]
    line.sendall(struct.pack(">HH", WIDTH, HEIGHT) + PIXELS + struct.pack(">I", len(title)) + title)
    _messages(line)


def _messages(line: socket.socket) -> None:
    size, keys, shown, asked = 4, 0, -1, False
    while True:
        kind = _take(line, 1)[0]
        if kind == SET_PIXELS:
            size = max(1, _take(line, 19)[3] // 8)
        elif kind == SET_ENCODINGS:
            _take(line, 4 * struct.unpack(">xH", _take(line, 3))[0])
        elif kind == UPDATE:
            asked = True
            shown = shown if _take(line, 9)[0] else -1  # not what changed, but everything
        elif kind == KEY:
            keys += _take(line, 7)[0]  # pressed, not released
        elif kind == POINTER:
            _take(line, 5)
        elif kind == CUT:
            length = struct.unpack(">3xI", _take(line, 7))[0]
            _take(line, length if length < MOST_TEXT else 0)
        else:
            raise EOFError
        if asked and shown != keys:
            line.sendall(_picture(size, keys))
            asked, shown = False, keys


def _picture(size: int, keys: int) -> bytes:
    """The whole screen, in the colour of so many keys."""
    pixel = bytes([(64 + 40 * keys) % 256]) * size
    head = struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, RAW)
    return head + pixel * (WIDTH * HEIGHT)
