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
    for network in ("n-1", "n-2"):
        control.hand_over(network, listening.fileno())
    assert control.held() == {"n-1", "n-2"}
    control.forget("n-1")
    control.forget("never-held")
    assert control.held() == {"n-2"}


def test_long_lists_come_in_parts(
    control: ControlClient, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andromede.edge.protocol.LISTED", 2)
    for number in range(5):
        control.hand_over(f"n-{number}", listening.fileno())
    assert len(control.held()) == 5


def test_only_what_is_due_is_taken(control: ControlClient, listening: socket.socket) -> None:
    with socket.socket() as deaf, pytest.raises(EdgeError, match="listens"):
        control.hand_over("n-1", deaf.fileno())
    with tempfile.TemporaryFile() as file, pytest.raises(EdgeError, match="listens"):
        control.hand_over("n-1", file.fileno())
    with pytest.raises(EdgeError, match="not understood"):
        control.hand_over("../../etc", listening.fileno())
    assert control.held() == set()


@pytest.mark.parametrize(
    "packet", [b"{", b"[]", b'{"kind":"shell","id":"x"}', b'{"kind":"metadata"}', b"\xff"]
)
def test_odd_packets_are_refused_and_leak_nothing(edge: EdgeInThread, packet: bytes) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as odd:
        odd.settimeout(5)
        odd.connect(str(edge.control_path))
        with tempfile.TemporaryFile() as file:
            socket.send_fds(odd, [packet], [file.fileno()] * 3)
        assert "not understood" in json.loads(odd.recv(65536))["error"]
        odd.sendall(b'{"kind":"list"}')
        assert json.loads(odd.recv(65536)) == {"error": None, "ids": []}
        # this process holds both ends of the connection, and nothing of what was sent
        assert len(os.listdir("/proc/self/fd")) <= before + 2


def test_others_than_the_worker_are_refused(edge: EdgeInThread) -> None:
    edge.trusted = server.only(frozenset({os.geteuid() + 1}))
    stranger = ControlClient(edge.control_path)
    with pytest.raises(EdgeError):
        stranger.held()
    stranger.close()
    with pytest.raises(ConnectionError):
        EdgeClient(edge.console_path).console_output("s-1", 10)


def test_an_absent_edge_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="connecting to the edge"):
        ControlClient(tmp_path / "nowhere.sock")
    with pytest.raises(ConnectionError, match="does not answer"):
        EdgeClient(tmp_path / "nowhere.sock").console_output("s-1", None)


def test_the_end_of_the_edge_is_seen(edge: EdgeInThread, control: ControlClient) -> None:
    assert control.held() == set()
    assert control.alive
    edge.stop()
    assert not control.alive
    with pytest.raises(EdgeError):
        control.forget("n-1")


def test_trust_follows_the_user_the_edge_runs_as(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(short="test", uid_base=1_000_000)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000_003)
    assert server.trusted_uids(config) == (frozenset({0}), frozenset({0, 1_000_001}))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server.trusted_uids(config) == (frozenset({1000}), frozenset({1000}))
