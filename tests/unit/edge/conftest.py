"""A whole edge in a thread, on real unix sockets, with an api of the test behind it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from andromede.cli.client import poll
from andromede.edge import consoles, server, sessions, wire
from andromede.edge import supply as supplies
from andromede.edge.client import ControlClient, EdgeError
from andromede.edge.consoles import Consoles
from andromede.edge.control import Control
from andromede.edge.metadata import MetadataServers
from andromede.edge.sessions import Sessions
from andromede.edge.supply import Supply
from andromede.edge.wire import Request, Response

Trusted = Callable[[socket.socket], bool]


class EdgeInThread:
    """The edge's parts as `server.serve` puts them together, in a loop that the test can stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control_path = folder / "edge.sock"
        self.console_path = folder / "console.sock"
        self.session_path = folder / "session.sock"
        self.internal_path = folder / "internal.sock"
        self.trusted: Trusted = server.only(frozenset({os.geteuid()}))
        self.loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._ready.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))
        self._thread.start()
        assert self._ready.wait(5)

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.consoles = Consoles()
        self.metadata = MetadataServers(self.internal_path)
        control = Control(self.metadata, self.consoles, self._trusts)
        answering = await consoles.serve(
            self.consoles, server.bind(self.console_path, socket.SOCK_STREAM), self._trusts
        )
        joining = await sessions.serve(
            Sessions(self.consoles),
            server.bind(self.session_path, socket.SOCK_STREAM),
            self._trusts,
        )
        listening = server.bind(self.control_path, socket.SOCK_SEQPACKET)
        accepting = asyncio.create_task(control.serve(listening))
        self._ready.set()
        await self._stop.wait()
        accepting.cancel()
        await asyncio.wait({accepting})
        for each in (answering, joining, listening):
            each.close()
        for network in self.metadata.ids():
            self.metadata.forget(network)

    def _trusts(self, connection: socket.socket) -> bool:
        return self.trusted(connection)

    def stop(self) -> None:
        if self._thread is not None and self.loop is not None:
            self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(5)
            assert not self._thread.is_alive()
            self._thread = None


@contextmanager
def supplying(engine: Any, edge: EdgeInThread) -> Iterator[Supply]:
    """A worker's reconciler in a thread, which hands the edge what an engine opens."""
    supply, stop = Supply(engine, edge.control_path), threading.Event()

    def run() -> None:
        while not stop.is_set():
            supply.run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supplies, "QUIET", 0.05)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield supply
        finally:
            stop.set()
            thread.join()
            supply.close()


def connected(path: Path) -> ControlClient:
    """A connection to an edge that may still be starting."""

    def reach() -> ControlClient | None:
        try:
            return ControlClient(path)
        except EdgeError:
            return None

    reached: ControlClient = poll(reach, 20, f"no edge listens at {path}")
    return reached


class Api:
    """Stands for the api on the internal socket: keeps what it was asked, answers what it is told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[Request] = []
        self.response: Response | Awaitable[Response] = Response(status=200, body=b"facts")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server: Any = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(5)

    async def _serve(self) -> asyncio.Server:
        async def answer(request: Request) -> Response:
            self.asked.append(request)
            if isinstance(self.response, Response):
                return self.response
            return await self.response

        return await asyncio.start_unix_server(
            lambda r, w: wire.serve(r, w, answer, most=10_000), str(self.path)
        )

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[EdgeInThread]:
    edge = EdgeInThread(tmp_path)
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture
def api(edge: EdgeInThread) -> Iterator[Api]:
    api = Api(edge.internal_path)
    yield api
    api.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A TCP socket that listens, as one inside a network does."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made
