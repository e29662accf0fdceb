"""Consoles of servers: what the worker gives of them when it is asked, and what is read of it here: the
end of a log, and figures."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

import msgspec
import structlog

from andromede.edge import protocol, wire
from andromede.edge.protocol import ID, Console
from andromede.edge.wire import Request, Response, plain

log = structlog.get_logger("edge")

MOST_BYTES = 100 * 1024  # of a log, from its end
SECONDS = 3.0  # for the worker to give a log; a worker that starts again needs less
SOCKETS = ("vnc", "serial")  # what is had of a machine as a connected socket
PATH = re.compile(r"/consoles/([^/]+)/(output|figures)")
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


class AwayError(Exception):
    """No worker gives a console; the text says what was waited for."""


class LostError(Exception):
    """The connection to the worker was of no use and is given up; another may come."""


class Consoles:
    """What the worker gives of servers when it is asked."""

    def __init__(self) -> None:
        self._worker: socket.socket | None = None
        self._gone = asyncio.Event()
        self._there = asyncio.Event()
        self._turn = asyncio.Lock()

    async def supplied_by(self, connection: socket.socket) -> None:
        """Ask on this connection from now on, instead of on an earlier one, until it fails."""
        async with self._turn:
            self._let_go()
            gone = asyncio.Event()
            self._worker, self._gone = connection, gone
            self._there.set()
        await gone.wait()

    def _let_go(self) -> None:
        self._worker = None
        self._there.clear()
        self._gone.set()

    async def opened(self, wanted: Console) -> int | None:
        """A descriptor on what is wanted of a server, owned by the caller; None: it has none.

        Errors: AwayError.
        """
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    await self._there.wait()
                    async with self._turn:
                        if self._worker is not None:
                            with contextlib.suppress(LostError):
                                return await self._ask(self._worker, wanted)
        except TimeoutError:
            raise AwayError(f"The worker gave no console within {SECONDS:.0f} s.") from None

    async def _ask(self, worker: socket.socket, wanted: Console) -> int | None:
        """Whatever goes wrong, including being cancelled, ends the connection: a late answer must
        never be taken for another server's.

        Errors: LostError.
        """
        data, descriptors = b"", list[int]()
        try:
            worker.send(msgspec.json.encode(wanted))
            await protocol.readable(worker)
            data, descriptors, _, _ = socket.recv_fds(worker, protocol.PACKET, protocol.DESCRIPTORS)
            said = msgspec.json.decode(data, type=Console)
            right = protocol.connected if wanted.what in SOCKETS else protocol.reads
            if said == wanted and len(descriptors) <= 1 and all(map(right, descriptors)):
                return descriptors.pop() if descriptors else None
            raise OSError(f"it answered {said} with {len(descriptors)} descriptors")
        except (OSError, msgspec.DecodeError) as error:
            log.warning("no console from the worker", server=wanted.id, error=str(error))
            self._let_go()
            raise LostError from error
        except asyncio.CancelledError:
            self._let_go()
            raise
        finally:
            for each in descriptors:
                os.close(each)

    async def answer(self, request: Request) -> Response:
        """`GET /consoles/{server}/output?length=N` and `GET /consoles/{server}/figures`."""
        path, _, query = request.target.partition("?")
        found = PATH.fullmatch(path)
        if request.method != "GET" or found is None:
            return plain(404, "GET /consoles/{server}/output and …/figures are served here.")
        length = parse_qs(query).get("length", [""])[0]
        if length and not re.fullmatch(r"[0-9]{1,9}", length):
            return plain(400, f"length {length!r} is not valid: a number of lines from 0 is.")
        server_id = unquote(found[1])
        if not re.fullmatch(ID, server_id):
            return plain(404, "No server has such an id.")
        if found[2] == "figures":
            return await self._answer(Console(server_id, "figures"), _whole)
        lines = int(length) if length else None
        return await self._answer(Console(server_id), lambda descriptor: tail(descriptor, lines))

    async def _answer(self, wanted: Console, read: Callable[[int], str]) -> Response:
        """What is read from a descriptor on what is wanted."""
        try:
            descriptor = await self.opened(wanted)
        except AwayError as error:
            return plain(503, str(error))
        if descriptor is None:
            return plain(404, f"Server {wanted.id} has no {wanted.what}.")
        try:
            return Response(status=200, body=read(descriptor).encode())
        finally:
            os.close(descriptor)


def _whole(descriptor: int) -> str:
    """A document that is no longer than what is read of a log."""
    return os.pread(descriptor, MOST_BYTES, 0).decode("utf-8", "replace")


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
