"""The api role: serves both listeners and the internal socket from one process of its own user."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from andromede.cloud import Cloud
from andromede.config import Config, Paths
from andromede.console.door import LARGEST, Door
from andromede.http.dispatch import Dispatcher
from andromede.http.operation import Service
from andromede.roles import assembly, certificate, health
from andromede.roles.listen import Sockets
from andromede.services.identity.api import make_authenticate
from andromede.services.image.api import clean
from andromede.work.store import set_wake

log = structlog.get_logger("api")
BACKLOG = 1024
KEEP_ALIVE = 75


class Server(uvicorn.Server):
    """A uvicorn server among others in one loop: signals are this module's affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def serve(config: Config, paths: Paths, sockets: Sockets, urls: dict[str, str]) -> None:
    """Serve until SIGTERM. `sockets` holds listening sockets by listener: public, private,
    internal; `urls` each listener's own base URL."""
    cloud = assembly.cloud(config, paths)
    assert cloud.keys is not None
    cloud.authenticate = make_authenticate(cloud.keys)
    assembly.connect_roles(cloud)
    log.info("cleaned", uploads=clean(paths, cloud.database))
    set_wake(Wake(paths.run / "wake.sock"))
    services = [*cloud.catalog, *assembly.uncatalogued_services(), health.service(paths)]
    apps = {
        "public": (services, urls["public"]),
        "private": ([*services, health.metrics_service()], urls["private"]),
        "internal": (assembly.internal_services(), "http://internal"),
    }
    servers = [
        (_server(_application(cloud, *each, name), _tls(paths, name)), sockets[name])
        for name, each in apps.items()
    ]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve_all(servers, paths.tls))


def _application(cloud: Cloud, services: list[Service], url: str, listener: str) -> Any:
    """What a listener serves; the internal one has no consoles."""
    dispatcher = Dispatcher(cloud, services, listener=listener, base_url=url)
    if listener == "internal":
        return dispatcher
    return Door(cloud, dispatcher, listener=listener, base_url=url)


def _tls(paths: Paths, listener: str) -> Path | None:
    return paths.tls if listener != "internal" else None


def _loop_factory() -> Any:
    import uvloop

    return uvloop.new_event_loop


def _server(app: Any, tls: Path | None) -> Server:
    files: dict[str, Any] = {}
    if tls is not None:
        files = {"ssl_certfile": str(tls / "server.pem"), "ssl_keyfile": str(tls / "server.key")}
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        lifespan="off",
        http="httptools",
        ws="none" if tls is None else "auto",  # websockets
        ws_max_size=LARGEST,
        ws_per_message_deflate=False,  # screens come compressed, and it costs memory
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=10,
        **files,
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    return Server(config)


async def _serve_all(servers: list[tuple[Server, list[socket.socket]]], tls: Path) -> None:
    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    contexts = [server.config.ssl for server, _ in servers if server.config.ssl is not None]
    following = asyncio.create_task(certificate.follow(contexts, tls))
    await asyncio.gather(*(server.serve(sockets=held) for server, held in servers))
    following.cancel()


class Wake:
    """Tells the worker that work was committed; a worker that is away finds it by itself."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def __call__(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendto(b"w", self._path)
