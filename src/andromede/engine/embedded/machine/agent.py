"""A client of the agent in a guest: one socket, one command at a time.

The peer is the guest itself: its answers are bounded in size and time, read strictly, and quoted in
part. Source: QEMU, docs/interop/qemu-ga.rst and qga/qapi-schema.json. Touches only the socket it is
given.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from typing import Any

import msgspec

LONGEST = 64 << 10  # bytes of all that is read for one answer
QUOTED = 200  # characters of what a guest says, in an error
SENTINEL = b"\xff"  # ends whatever the agent read before, and begins what it answers


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """`return` or `error`, as the agent's protocol has it."""

    returned: Any = msgspec.field(name="return", default=msgspec.UNSET)
    error: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Silent(Exception):
    """No answer came in time, or the connection ended."""


class Refused(Exception):
    """The agent answered that it does not do it, or what is no answer."""


class Agent:
    """A connection to an agent with which this end is in step.

    Errors: Silent while none answers within `patience` seconds; Refused when it sends too much.
    """

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self._socket = connection
        self._buffer = bytearray()
        self._left = LONGEST
        mark = secrets.randbits(52)  # what an earlier connection asked for has another
        self._send("guest-sync-delimited", time.monotonic() + patience, {"id": mark}, SENTINEL)
        deadline = time.monotonic() + patience
        while True:
            self._line(deadline, SENTINEL)
            line = self._line(deadline)
            with contextlib.suppress(Refused):  # it answers another's question
                if _decoded(line).returned == mark:
                    return

    def execute(self, command: str, seconds: float, **arguments: object) -> Any:
        """What a command returns. Errors: Silent; Refused with what the guest says."""
        self._left = LONGEST
        deadline = time.monotonic() + seconds
        self._send(command, deadline, arguments)
        answer = _decoded(self._line(deadline))
        if answer.error is not msgspec.UNSET:
            raise Refused(f"{command}: the guest says {quoted(answer.error.get('desc'))}")
        return answer.returned

    def _send(
        self, command: str, deadline: float, arguments: dict[str, object], before: bytes = b""
    ) -> None:
        message = msgspec.json.encode({"execute": command, "arguments": arguments})
        try:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            self._socket.sendall(before + message + b"\n")
        except OSError as error:
            raise Silent(f"{command}: {error}") from error

    def _line(self, deadline: float, end: bytes = b"\n") -> bytes:
        """What comes before the next `end`. Errors: Silent; Refused when it is too much."""
        while end not in self._buffer:
            left = deadline - time.monotonic()
            try:
                self._socket.settimeout(max(left, 0.001))
                data = self._socket.recv(min(self._left, 4096))
            except OSError as error:
                raise Silent(f"no answer: {error}") from error
            if not data:
                raise Silent("the connection ended")
            self._left -= len(data)
            if self._left <= 0:
                raise Refused(f"the guest sent {LONGEST} bytes without an answer in them")
            self._buffer += data
        line, _, rest = self._buffer.partition(end)
        self._buffer = rest
        return bytes(line)


def _decoded(line: bytes) -> Answer:
    """Errors: Refused when it is neither a result nor an error."""
    try:
        answer = msgspec.json.decode(line, type=Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(f"the guest sent {quoted(line[:QUOTED].decode(errors='replace'))}") from error
    if (answer.returned is msgspec.UNSET) == (answer.error is msgspec.UNSET):
        raise Refused("the guest sent neither a result nor an error")
    return answer


def quoted(said: object) -> str:
    """Some of what a guest said, fit to be shown."""
    text = said if isinstance(said, str) else "nothing that can be read"
    return "".join(each if each.isprintable() else " " for each in text[:QUOTED])
