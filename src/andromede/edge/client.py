"""The ways to the edge: the worker hands sockets over, the api reads consoles."""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import msgspec

from andromede.edge import protocol
from andromede.edge.protocol import Answer, Consoles, Forget, List, Message, Metadata
from andromede.figures import Figures

SECONDS = 5.0


class EdgeError(Exception):
    """The edge is away, or refused what it was given; the text says what was tried and why."""


class ControlClient:
    """One connection of the worker to the edge. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        """Errors: EdgeError when the edge does not listen."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise EdgeError(f"connecting to the edge at {path}: {error}") from error

    def close(self) -> None:
        self._socket.close()

    @property
    def alive(self) -> bool:
        """Whether the edge still holds the other end: it says nothing unasked, so what can be read
        is the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def hand_over(self, network_id: str, descriptor: int) -> None:
        """Give the edge a network's metadata socket; the caller keeps, and closes, its own.

        Errors: EdgeError.
        """
        self._say(Metadata(network_id), [descriptor])

    def forget(self, network_id: str) -> None:
        """Have the edge let go of a network's socket, if it holds one.

        Errors: EdgeError.
        """
        self._say(Forget(network_id))

    def held(self) -> set[str]:
        """The networks whose sockets the edge holds.

        Errors: EdgeError.
        """
        found: set[str] = set()
        after = ""
        while ids := self._say(List(after)).ids:
            found.update(ids)
            after = ids[-1]
        return found

    def take_consoles(self) -> socket.socket:
        """Have the edge ask for consoles here; the connection is the caller's from now on.

        Errors: EdgeError.
        """
        try:
            self._say(Consoles())
        except EdgeError:
            self.close()
            raise
        return self._socket

    def _say(self, message: Message, descriptors: Iterable[int] = ()) -> Answer:
        try:
            socket.send_fds(self._socket, [msgspec.json.encode(message)], list(descriptors))
            raw = self._socket.recv(protocol.PACKET)
        except OSError as error:
            raise EdgeError(f"telling the edge {message}: {error}") from error
        if not raw:
            raise EdgeError(f"telling the edge {message}: it closed the connection")
        answer = msgspec.json.decode(raw, type=Answer)
        if answer.error:
            raise EdgeError(f"telling the edge {message}: {answer.error}")
        return answer


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("edge", timeout=SECONDS)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class EdgeClient:
    """What the api asks of the edge. `path` is the console socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def console_output(self, server_id: str, length: int | None) -> str:
        """The last `length` lines of a server's console; None: as many as are kept.

        Errors: FileNotFoundError when the server has no console yet; ConnectionError when the edge
        or the worker is away; OSError when the edge refuses.
        """
        query = "" if length is None else f"?length={length}"
        found = self._read(
            f"reading the console of server {server_id}", server_id, f"output{query}"
        )
        if found is None:
            raise FileNotFoundError(f"server {server_id} has no console yet")
        return found

    def figures(self, server_id: str) -> Figures | None:
        """What a server's machine used since its start; None when it does not run.

        Errors: ConnectionError when the edge or the worker is away, or the machine does not say;
        OSError when the edge refuses.
        """
        doing = f"measuring server {server_id}"
        found = self._read(doing, server_id, "figures")
        if found is None:
            raise ConnectionError(f"{doing}: its machine does not say now")
        try:
            return msgspec.json.decode(found, type=Figures | None)
        except msgspec.DecodeError as error:
            raise OSError(f"{doing}: the edge answered {found[:80]!r}: {error}") from error

    def _read(self, doing: str, server_id: str, what: str) -> str | None:
        """What the edge answers about a server; None when there is nothing of that kind.

        Errors: ConnectionError, OSError.
        """
        connection = _Connection(self._path)
        try:
            connection.request("GET", f"/consoles/{quote(server_id, safe='')}/{what}")
            response = connection.getresponse()
            body = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionError(
                f"{doing}: the edge at {self._path} does not answer: {error}"
            ) from error
        finally:
            connection.close()
        if response.status == 404:
            return None
        if response.status == 503:
            raise ConnectionError(f"{doing}: {body.strip()}")
        if response.status != 200:
            raise OSError(f"{doing}: {body.strip()}")
        return body
