"""The control socket of the edge: takes sockets from the worker, and from nobody else; on a second
connection of the worker it asks for consoles."""

from __future__ import annotations

import asyncio
import bisect
import os
import socket
from collections.abc import Callable

import msgspec
import structlog

from andromede.edge import protocol
from andromede.edge.consoles import Consoles
from andromede.edge.metadata import MetadataServers
from andromede.edge.protocol import Answer, Forget, List, Message, Metadata, readable

log = structlog.get_logger("edge")


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
            data, descriptors, _, _ = socket.recv_fds(
                connection, protocol.PACKET, protocol.DESCRIPTORS
            )
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
            connection.send(msgspec.json.encode(answer or Answer()))
        except OSError:
            return False
        if answer is None:
            await self._consoles.supplied_by(connection)
            return False
        return True

    async def _answer(self, data: bytes, descriptors: list[int]) -> Answer | None:
        """None: the worker takes what the edge asks, and says no more itself."""
        try:
            message = msgspec.json.decode(data, type=Message)
        except msgspec.DecodeError as error:
            return Answer(error=f"the packet is not understood: {error}")
        if isinstance(message, Metadata):
            return await self._hold_metadata(message.id, descriptors)
        if isinstance(message, Forget):
            self._metadata.forget(message.id)
            return Answer()
        if isinstance(message, List):
            held = self._metadata.ids()
            start = bisect.bisect_right(held, message.after)
            return Answer(ids=held[start : start + protocol.LISTED])
        return None

    async def _hold_metadata(self, network_id: str, descriptors: list[int]) -> Answer:
        if len(descriptors) != 1 or not protocol.listens(descriptors[0]):
            return Answer(error="metadata comes with one TCP socket that listens")
        await self._metadata.hold(network_id, socket.socket(fileno=os.dup(descriptors[0])))
        return Answer()
