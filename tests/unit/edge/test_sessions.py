"""Sessions with screens and serial ports: what the edge joins, what it refuses, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.edge import consoles, sessions
from andromede.engine.protocol import EngineError
from tests.unit.edge.conftest import EdgeInThread, supplying


class Machine:
    """A machine whose consoles are the far ends of sockets that the test holds."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str, socket.socket]] = []
        self.came = threading.Condition()

    def open_console(self, server_id: str, kind: str) -> int | None:
        if server_id == "s-odd":
            raise EngineError("it cannot be opened")
        if server_id == "s-off":
            return None
        if server_id == "s-file":
            return os.open("/dev/null", os.O_RDONLY)
        ours, theirs = socket.socketpair()
        ours.settimeout(5)
        with self.came:
            self.opened.append((server_id, kind, ours))
            self.came.notify_all()
        return theirs.detach()

    def line(self, number: int = 0) -> socket.socket:
        """The machine's end of the console that was opened as the n-th."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.opened) > number, 5)
        return self.opened[number][2]


@pytest.fixture
def machine(edge: EdgeInThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A worker that supplies consoles of a machine."""
    monkeypatch.setattr(consoles, "SECONDS", 1.0)
    machine = Machine()
    with supplying(machine, edge):
        yield machine
    for _, _, line in machine.opened:
        line.close()


def call(path: Path, **asked: object) -> tuple[socket.socket, str | None]:
    """A session that was asked for, and why it was refused."""
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(5)
    line.connect(str(path))
    said = b""
    with contextlib.suppress(ConnectionError):
        line.sendall(json.dumps(asked).encode() + b"\n")
        while not said.endswith(b"\n") and (part := line.recv(1)):
            said += part
    return line, json.loads(said)["error"] if said else "nothing was said"


@pytest.mark.parametrize("kind", ["vnc", "serial"])
def test_bytes_pass_in_both_directions(edge: EdgeInThread, machine: Machine, kind: str) -> None:
    ours, refused = call(edge.session_path, id="s-1", kind=kind)
    assert refused is None
    theirs = machine.line()
    assert machine.opened[0][:2] == ("s-1", kind)
    theirs.sendall(b"RFB 003.008\n")
    assert ours.recv(100) == b"RFB 003.008\n"
    ours.sendall(b"\x00\xff")
    assert theirs.recv(100) == b"\x00\xff"
    ours.close()
    assert theirs.recv(1) == b"", "the machine's end is let go of when the viewer leaves"


def test_a_machine_that_ends_ends_the_session(edge: EdgeInThread, machine: Machine) -> None:
    ours, _ = call(edge.session_path, id="s-1", kind="vnc")
    machine.line().close()
    assert ours.recv(1) == b""
    ours.close()


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ("s-off", "Server s-off has no such console: its machine does not run"),
        ("s-odd", "Server s-odd has no such console"),
        ("s-file", "The worker gave no console within"),
    ],
)
def test_no_console_is_said_why(
    edge: EdgeInThread, machine: Machine, server: str, says: str
) -> None:
    ours, refused = call(edge.session_path, id=server, kind="vnc")
    assert says in str(refused)
    assert ours.recv(1) == b""
    ours.close()


@pytest.mark.parametrize(
    "asked",
    [
        {"id": "../etc", "kind": "vnc"},
        {"id": "s-1", "kind": "output"},
        {"id": "s-1"},
        {"x": "y" * 2000},
    ],
    ids=["path", "kind", "none", "long"],
)
def test_what_is_not_understood_opens_nothing(
    edge: EdgeInThread, machine: Machine, asked: dict[str, str]
) -> None:
    ours, refused = call(edge.session_path, **asked)
    assert refused == "nothing was said"
    assert machine.opened == []
    ours.close()


def test_a_port_has_one_session_and_the_newest_has_it(edge: EdgeInThread, machine: Machine) -> None:
    first, _ = call(edge.session_path, id="s-1", kind="serial")
    other, _ = call(edge.session_path, id="s-2", kind="serial")
    second, refused = call(edge.session_path, id="s-1", kind="serial")
    assert refused is None
    assert first.recv(1) == b"", "the first is ended"
    assert machine.line(0).recv(1) == b""
    for ours, theirs in ((second, machine.line(2)), (other, machine.line(1))):
        theirs.sendall(b"login:")
        assert ours.recv(100) == b"login:"
        ours.close()
    first.close()


def test_screens_are_looked_at_by_several_but_not_by_many(
    edge: EdgeInThread, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SCREENS", 2)
    monkeypatch.setattr(sessions, "MOST", 3)
    asked = [("s-1", "vnc"), ("s-1", "vnc"), ("s-1", "vnc"), ("s-2", "vnc"), ("s-3", "vnc")]
    lines = [call(edge.session_path, id=server, kind=kind) for server, kind in asked]
    refused = [why for _, why in lines]
    assert refused[:2] == [None, None]
    assert refused[2] == "2 look at this screen, which is the most."
    assert refused[3] is None
    assert refused[4] == "There are 3 consoles open, which is the most."
    lines[0][0].close()
    assert machine.line(0).recv(1) == b""
    lines.append(_until_let_in(edge))
    for line, _ in lines:
        line.close()


def _until_let_in(edge: EdgeInThread) -> tuple[socket.socket, str | None]:
    """A session in the place of one that ended: its end is counted a moment after it is seen."""
    for _ in range(1000):
        line, refused = call(edge.session_path, id="s-1", kind="vnc")
        if refused is None:
            return line, None
        line.close()
    raise AssertionError("the place of a session that ended stays taken")


def test_a_slow_reader_slows_the_machine_down(edge: EdgeInThread, machine: Machine) -> None:
    """What the edge and two sockets hold between them is bounded."""
    ours, _ = call(edge.session_path, id="s-1", kind="vnc")
    theirs = machine.line()
    theirs.setblocking(False)
    sent, quiet = 0, 0
    while quiet < 50:  # the edge takes what it can in the meantime
        try:
            sent += theirs.send(b"x" * 65536)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            assert sent < 4 << 20
            _ours_and_edge_had_a_turn(edge)
    got = 0
    while got < sent:
        got += len(ours.recv(65536))
    assert got == sent, "and nothing is lost"
    ours.close()


def _ours_and_edge_had_a_turn(edge: EdgeInThread) -> None:
    turn = threading.Event()
    assert edge.loop is not None
    edge.loop.call_soon_threadsafe(turn.set)
    assert turn.wait(5)


def test_who_takes_nothing_for_too_long_is_left(
    edge: EdgeInThread, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "STALLED", 0.05)
    ours, _ = call(edge.session_path, id="s-1", kind="serial")
    theirs = machine.line()
    with pytest.raises(OSError, match=r"pipe|reset"):  # noqa: PT012
        while True:
            theirs.sendall(b"x" * 65536)
    ours.close()


def test_a_stranger_gets_no_session(edge: EdgeInThread, machine: Machine) -> None:
    edge.trusted = lambda _: False
    ours, refused = call(edge.session_path, id="s-1", kind="vnc")
    assert refused == "nothing was said"
    assert machine.opened == []
    ours.close()


def test_who_says_nothing_is_left(edge: EdgeInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "FIRST", 0.05)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(edge.session_path))
        assert line.recv(1) == b""


def test_the_api_is_told_why_there_is_no_session(
    edge: EdgeInThread, machine: Machine, tmp_path: Path
) -> None:
    async def join(path: Path, server: str) -> None:
        await sessions.join(path, server, "vnc")

    with pytest.raises(ConnectionError, match="does not answer"):
        asyncio.run(join(tmp_path / "none", "s-1"))
    with pytest.raises(ConnectionError, match="has no such console"):
        asyncio.run(join(edge.session_path, "s-off"))
    with pytest.raises(ConnectionError, match="opened no console"):
        asyncio.run(join(edge.session_path, "../odd"))
