"""The worker's side of consoles: hands the edge a server's log, its figures, or its machine's screen
or serial port, when it is asked."""

from __future__ import annotations

import os
import select
import socket
from pathlib import Path
from typing import Any

import msgspec
import structlog

from andromede.edge import protocol
from andromede.edge.client import ControlClient, EdgeError
from andromede.edge.protocol import Console
from andromede.engine.protocol import EngineError
from andromede.work import Reconciler

log = structlog.get_logger("edge-supply")

EVERY = 0.5  # seconds until an edge that is away is looked for again
QUIET = 1.0  # seconds one look waits for the edge to ask


class Supply:
    """One connection on which the edge asks and this worker answers."""

    def __init__(self, engine: Any, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._asking: socket.socket | None = None

    def run(self) -> None:
        """Answer until the edge has been quiet for a while, or is away: it is looked for again."""
        try:
            while self._asked():
                self._answer()
        except EdgeError as error:
            log.warning("no edge asks", error=str(error))
            self.close()

    def close(self) -> None:
        if self._asking is not None:
            self._asking.close()
        self._asking = None

    def _asked(self) -> bool:
        if self._asking is None:
            self._asking = ControlClient(self._path).take_consoles()
        poll = select.poll()  # takes any descriptor's number, which select does not
        poll.register(self._asking, select.POLLIN)
        return bool(poll.poll(QUIET * 1000))

    def _answer(self) -> None:
        assert self._asking is not None
        try:
            raw = self._asking.recv(protocol.PACKET)
            if not raw:
                raise EdgeError("waiting for the edge to ask for a console: it went away")
            asked = msgspec.json.decode(raw, type=Console)
            descriptor = self._open(asked)
            try:
                held = [] if descriptor is None else [descriptor]
                socket.send_fds(self._asking, [msgspec.json.encode(asked)], held)
            finally:
                if descriptor is not None:
                    os.close(descriptor)
        except (OSError, msgspec.DecodeError) as error:
            raise EdgeError(f"handing a console to the edge: {error}") from error

    def _open(self, asked: Console) -> int | None:
        found: int | None
        try:
            if asked.what == "figures":
                return _document(self._engine.figures(asked.id))
            if asked.what == "log":
                found = self._engine.console_output(asked.id)
            else:
                found = self._engine.open_console(asked.id, asked.what)
        except (EngineError, OSError) as error:
            log.warning("not opened", what=asked.what, server=asked.id, error=str(error))
            return None
        return found


def _document(content: object) -> int:
    """A readable descriptor, owned by the caller, on a document of its own."""
    descriptor = os.memfd_create("figures", os.MFD_CLOEXEC)
    os.write(descriptor, msgspec.json.encode(content))
    return descriptor


def reconciler(world: Any) -> Reconciler:
    """The supply of a worker's world (its cloud and its engine)."""
    supply = Supply(world.engine, world.cloud.paths.run / "edge.sock")
    return Reconciler(name="edge-supply", every=EVERY, run=supply.run)
