"""Descriptors handed from the worker to the edge, and who may hand them."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

from andromede.config import Config
from andromede.edge import server
from andromede.edge.client import ControlClient, EdgeClient, EdgeError
from tests.unit.edge.conftest import EdgeInThread


@pytest.fixture
def control(edge: EdgeInThread) -> Any:
    client = ControlClient(edge.control_path)
    yield client
    client.close()


def test_what_is_handed_over_is_held_until_forgotten(
    control: ControlClient, listening: socket.socket
) -> None:
    with tempfile.TemporaryFile() as log:
        control.hand_over("console", "s-1", log.fileno())
        control.hand_over("console", "s-2", log.fileno())
    control.hand_over("metadata", "n-1", listening.fileno())
    assert control.held("console") == {"s-1", "s-2"}
    assert control.held("metadata") == {"n-1"}
    control.forget("console", "s-1")
    control.forget("metadata", "n-1")
    control.forget("metadata", "never-held")
    assert control.held("console") == {"s-2"}
    assert control.held("metadata") == set()


def test_long_lists_come_in_parts(control: ControlClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("andromede.edge.protocol.LISTED", 2)
    with tempfile.TemporaryFile() as log:
        for number in range(5):
            control.hand_over("console", f"s-{number}", log.fileno())
    assert len(control.held("console")) == 5


def test_only_what_is_due_is_taken(
    control: ControlClient, listening: socket.socket, tmp_path: Path
) -> None:
    with socket.socket() as deaf, pytest.raises(EdgeError, match="listens"):
        control.hand_over("metadata", "n-1", deaf.fileno())
    with tempfile.TemporaryFile() as file, pytest.raises(EdgeError, match="listens"):
        control.hand_over("metadata", "n-1", file.fileno())
    with pytest.raises(EdgeError, match="can be read"):
        control.hand_over("console", "s-1", listening.fileno())
    writable = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(EdgeError, match="can be read"):
        control.hand_over("console", "s-1", writable)
    os.close(writable)
    with tempfile.TemporaryFile() as log, pytest.raises(EdgeError, match="not understood"):
        control.hand_over("console", "../../etc", log.fileno())
    assert control.held("console") == control.held("metadata") == set()


@pytest.mark.parametrize(
    "packet", [b"{", b"[]", b'{"kind":"shell","id":"x"}', b'{"kind":"console"}', b"\xff"]
)
def test_odd_packets_are_refused_and_leak_nothing(edge: EdgeInThread, packet: bytes) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as odd:
        odd.settimeout(5)
        odd.connect(str(edge.control_path))
        with tempfile.TemporaryFile() as file:
            socket.send_fds(odd, [packet], [file.fileno()] * 3)
        assert "not understood" in json.loads(odd.recv(65536))["error"]
        odd.sendall(b'{"kind":"list","what":"console"}')
        assert json.loads(odd.recv(65536)) == {"error": None, "ids": []}
        # this process holds both ends of the connection, and nothing of what was sent
        assert len(os.listdir("/proc/self/fd")) <= before + 2


def test_others_than_the_worker_are_refused(edge: EdgeInThread) -> None:
    edge.trusted = server.only(frozenset({os.geteuid() + 1}))
    stranger = ControlClient(edge.control_path)
    with pytest.raises(EdgeError):
        stranger.held("console")
    stranger.close()
    with pytest.raises(ConnectionError):
        EdgeClient(edge.console_path).console_output("s-1", 10)


def test_an_absent_edge_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="connecting to the edge"):
        ControlClient(tmp_path / "nowhere.sock")
    with pytest.raises(ConnectionError, match="does not answer"):
        EdgeClient(tmp_path / "nowhere.sock").console_output("s-1", None)


def test_the_end_of_the_edge_is_seen(edge: EdgeInThread, control: ControlClient) -> None:
    assert control.held("console") == set()
    assert control.alive
    edge.stop()
    assert not control.alive
    with pytest.raises(EdgeError):
        control.forget("console", "s-1")


def test_trust_follows_the_user_the_edge_runs_as(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(short="test", uid_base=1_000_000)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000_003)
    assert server.trusted_uids(config) == (frozenset({0}), frozenset({0, 1_000_001}))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server.trusted_uids(config) == (frozenset({1000}), frozenset({1000}))


def test_consoles_are_read_from_their_end(
    edge: EdgeInThread, control: ControlClient, tmp_path: Path
) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"one\ntwo \x1b[1m\xff\nthree")
    with path.open("rb") as log:
        control.hand_over("console", "s-1", log.fileno())
    reader = EdgeClient(edge.console_path)
    assert reader.console_output("s-1", None) == "one\ntwo [1m\ufffd\nthree"
    assert reader.console_output("s-1", 2) == "two [1m\ufffd\nthree"
    assert reader.console_output("s-1", 0) == ""
    with path.open("ab") as log:
        log.write(b"\nfour")
    assert reader.console_output("s-1", 1) == "four"
    path.write_bytes(b"fresh")  # trimmed, the same file
    assert reader.console_output("s-1", None) == "fresh"
    path.write_bytes(b"\n".join(b"%09d" % number for number in range(50_000)))
    whole = reader.console_output("s-1", None)
    assert len(whole) == 100 * 1024
    assert whole.endswith("000049999")
    with pytest.raises(FileNotFoundError):
        reader.console_output("s-2", None)
    with pytest.raises(OSError, match="not valid"):
        reader.console_output("s-1", -1)
