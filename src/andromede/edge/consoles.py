"""Consoles of servers: the end of each log, read from descriptors that were handed over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from andromede.edge import wire
from andromede.edge.wire import Request, Response, plain

MOST_BYTES = 100 * 1024  # of a log, from its end
PATH = re.compile(r"/consoles/([^/]+)/output")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def tail(descriptor: int, lines: int | None) -> str:
    """The last lines of a log, or with None as much of its end as is kept to be read.

    The file may grow and be trimmed meanwhile; what is not text is replaced, and what no terminal
    prints is left out, as upstream does.
    """
    start = max(0, os.fstat(descriptor).st_size - MOST_BYTES)
    raw = os.pread(descriptor, MOST_BYTES, start)
    text = UNPRINTABLE.sub("", raw.decode("utf-8", "replace"))
    if lines is None:
        return text
    return "\n".join(text.split("\n")[-lines:]) if lines else ""


class Consoles:
    """A readable descriptor for each server's console log."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def ids(self) -> list[str]:
        return sorted(self._held)

    def hold(self, server_id: str, descriptor: int) -> None:
        """Read a server's console here from now on; the descriptor is this object's."""
        self.forget(server_id)
        self._held[server_id] = descriptor

    def forget(self, server_id: str) -> None:
        descriptor = self._held.pop(server_id, None)
        if descriptor is not None:
            os.close(descriptor)

    async def answer(self, request: Request) -> Response:
        """`GET /consoles/{server}/output?length=N`."""
        path, _, query = request.target.partition("?")
        found = PATH.fullmatch(path)
        if request.method != "GET" or found is None:
            return plain(404, "GET /consoles/{server}/output is served here.")
        length = parse_qs(query).get("length", [""])[0]
        if length and not re.fullmatch(r"[0-9]{1,9}", length):
            return plain(400, f"length {length!r} is not valid: a number of lines from 0 is.")
        descriptor = self._held.get(unquote(found[1]))
        if descriptor is None:
            return plain(404, f"No console of server {found[1]} is held here.")
        text = tail(descriptor, int(length) if length else None)
        return Response(status=200, body=text.encode())


async def serve(
    consoles: Consoles, listening: socket.socket, trusted: Callable[[socket.socket], bool]
) -> asyncio.Server:
    """Answer on a unix socket, to those callers alone that `trusted` accepts."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not trusted(writer.get_extra_info("socket")):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        await wire.serve(reader, writer, consoles.answer, most=0)

    return await asyncio.start_unix_server(connected, sock=listening)
