"""The edge role's entry: binds its three unix sockets and serves until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import structlog

from andromede.config import ROLE_UIDS, Config, Paths
from andromede.edge import consoles, protocol, sessions
from andromede.edge.consoles import Consoles
from andromede.edge.control import Control
from andromede.edge.metadata import MetadataServers
from andromede.edge.sessions import Sessions

log = structlog.get_logger("edge")
ROOT = 0


def serve(paths: Paths, config: Config) -> None:
    """Serve as the edge until SIGTERM. Call after privileges were dropped."""
    asyncio.run(_serve(paths, config))


def trusted_uids(config: Config) -> tuple[frozenset[int], frozenset[int]]:
    """The users who may use the control socket, and who may read and open consoles.

    Under its own user the edge hears root and the api; without privileges all roles are one user.
    """
    own = os.geteuid()
    if own == config.uid_base + ROLE_UIDS["edge"]:
        return frozenset({ROOT}), frozenset({ROOT, config.uid_base + ROLE_UIDS["api"]})
    return frozenset({own}), frozenset({own})


def only(uids: frozenset[int]) -> Callable[[socket.socket], bool]:
    """A check that the process at the other end is one of these users'."""
    return lambda connection: protocol.peer_uid(connection) in uids


async def _serve(paths: Paths, config: Config) -> None:
    _raise_descriptors()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker, readers = trusted_uids(config)
    held, metadata = Consoles(), MetadataServers(paths.run / "internal.sock")
    control = Control(metadata, held, only(worker))
    answering = await consoles.serve(
        held, bind(paths.run / "console.sock", socket.SOCK_STREAM), only(readers)
    )
    joining = await sessions.serve(
        Sessions(held), bind(paths.run / "session.sock", socket.SOCK_STREAM), only(readers)
    )
    listening = bind(paths.run / "edge.sock", socket.SOCK_SEQPACKET)
    accepting = asyncio.create_task(control.serve(listening))
    log.info("started")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({accepting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for each in (answering, joining, listening):
        each.close()
    if accepting.done():
        accepting.result()
    accepting.cancel()
    log.info("stopped")


def bind(path: Path, kind: socket.SocketKind) -> socket.socket:
    """A listening unix socket in the run folder, which only the cloud's roles may enter; each
    connection is checked for who is behind it."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, kind)
    listening.bind(str(path))
    path.chmod(0o666)
    listening.listen(128)
    listening.setblocking(False)
    return listening


def _raise_descriptors() -> None:
    """One descriptor for each network: as many as the host lets a process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
