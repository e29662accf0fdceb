"""The monitor's client against a peer that answers, floods, falls silent or goes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from andromede.engine.embedded.machine import qmp
from andromede.engine.embedded.machine.qmp import Monitor, MonitorError

GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\r\n'
OK = b'{"return": {}}\r\n'
EVENT = b'{"event": "SHUTDOWN", "data": {"guest": true}, "timestamp": {}}\r\n'
Peer = Callable[[bytes], tuple[Monitor, socket.socket]]


@pytest.fixture
def peer() -> Iterator[Peer]:
    ends: list[socket.socket] = []

    def start(said: bytes) -> tuple[Monitor, socket.socket]:
        ours, theirs = socket.socketpair()
        ends.extend((ours, theirs))
        theirs.sendall(said)
        return Monitor(ours, patience=0.5), theirs

    yield start
    for end in ends:
        end.close()


def test_a_command_is_answered_whatever_comes_between(peer: Peer) -> None:
    monitor, theirs = peer(GREETING + OK + EVENT + b'{"return": {"status": "running"}}\n')
    assert monitor.execute("query-status", x=1) == {"status": "running"}
    assert [event["event"] for event in monitor.events()] == ["SHUTDOWN"]
    assert monitor.events() == []
    sent = [json.loads(line) for line in theirs.recv(4_096).splitlines()]
    assert sent[1] == {"execute": "query-status", "arguments": {"x": 1}}


def test_a_refusal_names_the_command(peer: Peer) -> None:
    monitor, _ = peer(GREETING + OK + b'{"error": {"class": "x", "desc": "not now"}}\n')
    with pytest.raises(MonitorError, match="cont: not now"):
        monitor.execute("cont")


def test_silence_ends(peer: Peer) -> None:
    monitor, _ = peer(GREETING + OK)
    start = time.monotonic()
    with pytest.raises(MonitorError, match=r"no answer within 0.5 s"):
        monitor.execute("query-status")
    assert time.monotonic() - start < 5


def test_a_stream_of_events_does_not_outlast_the_patience(peer: Peer) -> None:
    monitor, theirs = peer(GREETING + OK)
    stop = threading.Event()

    def flood() -> None:
        try:
            while not stop.is_set():
                theirs.sendall(EVENT)
        except OSError:
            return

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        with pytest.raises(MonitorError, match="no answer"):
            monitor.execute("query-status")
        assert len(monitor.events()) <= 2_000
    finally:
        stop.set()
        monitor.close()
        flooding.join()


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (b"", "no answer"),
        (b'{"return": {}}\n', "greeting"),
        (b"not json\n", "not json"),
        (b"[1]\n", "Expected `object`"),
    ],
)
def test_what_is_no_monitor_is_refused(peer: Peer, said: bytes, named: str) -> None:
    with pytest.raises(MonitorError, match=named):
        peer(said)


def test_a_message_without_end_is_not_kept(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qmp, "LONGEST", 1_000)
    with pytest.raises(MonitorError, match="without an end"):
        peer(b"x" * 100_000)


def test_the_peers_end_is_an_error(peer: Peer) -> None:
    monitor, theirs = peer(GREETING + OK)
    theirs.close()
    with pytest.raises(MonitorError):
        monitor.execute("query-status")
    with pytest.raises(MonitorError):
        monitor.events()


def test_no_socket_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match=r"nobody.sock"):
        Monitor.connect(tmp_path, "nobody.sock")


def test_a_path_longer_than_a_sockets_may_be_is_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 150)
    folder.mkdir()
    with pytest.raises(MonitorError, match="No such file"):
        Monitor.connect(folder, "s")
