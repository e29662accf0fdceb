"""The control socket of the edge: takes descriptors from the worker, and from nobody else."""

from __future__ import annotations

import asyncio
import bisect
import fcntl
import os
import socket
import stat
from collections.abc import Callable

import msgspec
import structlog

from andromede.edge import protocol
from andromede.edge.consoles import Consoles
from andromede.edge.metadata import MetadataServers
from andromede.edge.protocol import Answer, Console, Forget, Message, Metadata

log = structlog.get_logger("edge")
DESCRIPTORS = 4  # taken from one packet; all but one that is due are closed


class Control:
    """Serves connections on the control socket, a packet at a time."""

    def __init__(
        self,
        metadata: MetadataServers,
        consoles: Consoles,
        trusted: Callable[[socket.socket], bool],
    ) -> None:
        self._metadata = metadata
        self._consoles = consoles
        self._trusted = trusted

    async def serve(self, listening: socket.socket) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        async with asyncio.TaskGroup() as connections:
            while True:
                connection, _ = await loop.sock_accept(listening)
                if not self._trusted(connection):
                    log.warning("control refused", uid=protocol.peer_uid(connection))
                    connection.close()
                    continue
                connections.create_task(self._connected(connection))

    async def _connected(self, connection: socket.socket) -> None:
        with connection:
            connection.setblocking(False)
            while await self._packet(connection):
                pass

    async def _packet(self, connection: socket.socket) -> bool:
        """Whether another packet may come."""
        await readable(connection)
        try:
            data, descriptors, _, _ = socket.recv_fds(connection, protocol.PACKET, DESCRIPTORS)
        except OSError:
            return False
        try:
            if not data:
                return False
            answer = await self._answer(data, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        try:
            connection.send(msgspec.json.encode(answer))
        except OSError:
            return False
        return True

    async def _answer(self, data: bytes, descriptors: list[int]) -> Answer:
        try:
            message = msgspec.json.decode(data, type=Message)
        except msgspec.DecodeError as error:
            return Answer(error=f"the packet is not understood: {error}")
        if isinstance(message, Metadata):
            return await self._hold_metadata(message.id, descriptors)
        if isinstance(message, Console):
            return self._hold_console(message.id, descriptors)
        holder = self._metadata if message.what == "metadata" else self._consoles
        if isinstance(message, Forget):
            holder.forget(message.id)
            return Answer()
        held = holder.ids()
        start = bisect.bisect_right(held, message.after)
        return Answer(ids=held[start : start + protocol.LISTED])

    async def _hold_metadata(self, network_id: str, descriptors: list[int]) -> Answer:
        if len(descriptors) != 1 or not protocol.listens(descriptors[0]):
            return Answer(error="metadata comes with one TCP socket that listens")
        await self._metadata.hold(network_id, socket.socket(fileno=os.dup(descriptors[0])))
        return Answer()

    def _hold_console(self, server_id: str, descriptors: list[int]) -> Answer:
        if len(descriptors) != 1 or not _readable_file(descriptors[0]):
            return Answer(error="console comes with one descriptor of a file that can be read")
        self._consoles.hold(server_id, os.dup(descriptors[0]))
        return Answer()


def _readable_file(descriptor: int) -> bool:
    mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and mode != os.O_WRONLY


async def readable(connection: socket.socket) -> None:
    """Wait until something can be read."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, wake)
    try:
        await ready
    finally:
        loop.remove_reader(connection)
