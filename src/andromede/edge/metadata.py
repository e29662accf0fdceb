"""The metadata address inside networks: takes a guest's request on a handed socket and asks the api
what that guest may read. Who asks is told by the socket and the source address alone; whatever the
request says of itself is not heard.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import h11
import msgspec
import structlog

from andromede.edge import wire
from andromede.edge.bucket import Buckets
from andromede.edge.wire import Request, Response, plain

log = structlog.get_logger("edge")

LARGEST_REQUEST = 2048  # bytes; only a password is ever sent
LARGEST_ANSWER = 1024 * 1024
SECONDS = 10.0  # for the api to answer
CONNECTIONS = 64  # of one network at once
ALL_CONNECTIONS = 1024
RATE, BURST = 20.0, 200.0  # requests of one guest


class MetadataServers:
    """One server for each network, on the socket that was handed for it."""

    def __init__(self, internal: Path) -> None:
        self._internal = internal
        self._servers: dict[str, asyncio.Server] = {}
        self._open: Counter[str] = Counter()
        self._buckets = Buckets(RATE, BURST)

    def ids(self) -> list[str]:
        return sorted(self._servers)

    async def hold(self, network_id: str, listening: socket.socket) -> None:
        """Serve a network on a listening socket inside it, instead of on an earlier one."""
        self.forget(network_id)
        listening.setblocking(False)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connected(network_id, reader, writer)

        self._servers[network_id] = await asyncio.start_server(connected, sock=listening)
        log.info("metadata served", network=network_id)

    def forget(self, network_id: str) -> None:
        """Serve a network no more; requests under way are answered."""
        server = self._servers.pop(network_id, None)
        if server is not None:
            server.close()

    async def _connected(
        self, network_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._open[network_id] >= CONNECTIONS or self._open.total() >= ALL_CONNECTIONS:
            writer.close()
            return
        self._open[network_id] += 1
        address = str(writer.get_extra_info("peername")[0])
        try:
            await wire.serve(
                reader,
                writer,
                lambda request: self._answer(network_id, address, request),
                most=LARGEST_REQUEST,
            )
        finally:
            self._open[network_id] -= 1
            if not self._open[network_id]:
                del self._open[network_id]

    async def _answer(self, network_id: str, address: str, request: Request) -> Response:
        if not self._buckets.take((network_id, address)):
            return plain(429, "You ask too often; slow down.")
        if request.method not in ("GET", "HEAD", "POST"):
            return plain(405, "GET reads metadata; POST sets the password.")
        path = request.target.partition("?")[0]
        query = urlencode({"network": network_id, "address": address, "path": path})
        method = "POST" if request.method == "POST" else "GET"
        body = b""
        if method == "POST":
            body = msgspec.json.encode({"password": request.body.decode("utf-8", "replace")})
        try:
            return await wire.ask(
                self._internal,
                method,
                f"/internal/v1/metadata?{query}",
                body,
                most=LARGEST_ANSWER,
                seconds=SECONDS,
            )
        except (OSError, TimeoutError, h11.ProtocolError, wire.TooLongError) as error:
            log.warning("metadata not answered", network=network_id, error=repr(error))
            return plain(503, "The metadata service is away; try again.")
