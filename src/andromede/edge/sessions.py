"""Sessions with a machine's screen or serial port: the edge joins a connection of the api to the one
that the worker gives, and passes bytes on as fast as the slower side takes them.

On `session.sock` the api says one line, {"id": server, "kind": "vnc" or "serial"}; the edge answers
with one, {"error": text or null}, and from then on both are as if connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from andromede.edge.consoles import AwayError, Consoles
from andromede.edge.protocol import Console, Id

log = structlog.get_logger("edge")

LINE = 1024  # bytes of what is said first
PIECE = 16 * 1024  # bytes that are held of each direction
FIRST = 5.0  # seconds for the api to say what it wants
STALLED = 30.0  # seconds that one side may take nothing
MOST = 256  # sessions at once
MOST_SCREENS = 8  # of one server

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Session(Struct, forbid_unknown_fields=True):
    id: Id
    kind: Literal["vnc", "serial"]


class Reply(Struct):
    error: str | None = None


class RefusedError(Exception):
    """No session; the text says why."""


class Sessions:
    """What is open now. A serial port has one session: the newest ends the one before."""

    def __init__(self, consoles: Consoles) -> None:
        self._consoles = consoles
        self._screens: Counter[str] = Counter()
        self._ports: dict[str, asyncio.Task[None]] = {}
        self._open = 0

    async def serve(self, api: Streams) -> None:
        """One connection of the api, until either side ends."""
        reader, writer = api
        try:
            async with asyncio.timeout(FIRST):
                asked = msgspec.json.decode(await reader.readline(), type=Session)
            with self._counted(asked):
                machine = await self._machine(asked)
                await _say(writer, None)
                await self._joined(asked, api, machine)
        except RefusedError as error:
            await _say(writer, str(error))
        except (OSError, ValueError, TimeoutError, msgspec.DecodeError) as error:
            log.warning("session ended", error=repr(error))
        finally:
            await _close(writer)

    @contextlib.contextmanager
    def _counted(self, asked: Session) -> Iterator[None]:
        """Errors: RefusedError when there are as many as there may be."""
        screen = asked.kind == "vnc"
        if self._open >= MOST:
            raise RefusedError(f"There are {MOST} consoles open, which is the most.")
        if screen and self._screens[asked.id] >= MOST_SCREENS:
            raise RefusedError(f"{MOST_SCREENS} look at this screen, which is the most.")
        self._open += 1
        self._screens[asked.id] += screen
        try:
            yield
        finally:
            self._open -= 1
            self._screens[asked.id] -= screen
            if not self._screens[asked.id]:
                del self._screens[asked.id]

    async def _machine(self, asked: Session) -> Streams:
        """The streams of a machine's console. Errors: RefusedError."""
        if asked.kind == "serial":
            await self._end_port(asked.id)
        try:
            descriptor = await self._consoles.opened(Console(asked.id, asked.kind))
        except AwayError as error:
            raise RefusedError(str(error)) from error
        if descriptor is None:
            raise RefusedError(
                f"Server {asked.id} has no such console: its machine does not run, or was started "
                f"before it had one."
            )
        return await asyncio.open_unix_connection(
            sock=socket.socket(fileno=descriptor), limit=PIECE
        )

    async def _end_port(self, server_id: str) -> None:
        """End the session that has a server's serial port."""
        before = self._ports.pop(server_id, None)
        if before is not None:
            before.cancel()
            await asyncio.wait({before})

    async def _joined(self, asked: Session, api: Streams, machine: Streams) -> None:
        joined = asyncio.create_task(_join(api, machine))
        if asked.kind == "serial":
            await self._end_port(asked.id)
            self._ports[asked.id] = joined
        try:
            await asyncio.wait({joined})
        finally:
            joined.cancel()
            if self._ports.get(asked.id) is joined:
                del self._ports[asked.id]
            await _close(machine[1])


async def _join(one: Streams, other: Streams) -> None:
    """Pass bytes on in both directions until either ends, fails, or takes nothing for too long."""
    ways = {
        asyncio.create_task(_pass_on(one[0], other[1])),
        asyncio.create_task(_pass_on(other[0], one[1])),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in ways:
            each.cancel()
        await asyncio.wait(ways)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        while data := await reader.read(PIECE):
            writer.write(data)
            async with asyncio.timeout(STALLED):
                await writer.drain()


async def _say(writer: asyncio.StreamWriter, error: str | None) -> None:
    with contextlib.suppress(OSError):
        writer.write(msgspec.json.encode(Reply(error)) + b"\n")
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def serve(
    sessions: Sessions, listening: socket.socket, trusted: Callable[[socket.socket], bool]
) -> asyncio.Server:
    """Serve on a unix socket those callers alone that `trusted` accepts."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=PIECE)
        if trusted(writer.get_extra_info("socket")):
            await sessions.serve((reader, writer))
        else:
            await _close(writer)

    return await asyncio.start_unix_server(connected, sock=listening, limit=PIECE)


async def join(path: Path, server_id: str, kind: str) -> Streams:
    """The api's side: streams to a server's screen ("vnc") or serial port ("serial").

    Errors: ConnectionError saying why there is none.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(str(path), limit=PIECE)
    except OSError as error:
        raise ConnectionError(f"The edge role at {path} does not answer: {error}.") from error
    try:
        writer.write(msgspec.json.encode({"id": server_id, "kind": kind}) + b"\n")
        said = msgspec.json.decode(await reader.readline(), type=Reply)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        await _close(writer)
        raise ConnectionError(f"The edge role opened no console: {error!r}.") from error
    if said.error is not None:
        await _close(writer)
        raise ConnectionError(said.error)
    writer.transport.set_write_buffer_limits(high=PIECE)
    return reader, writer
