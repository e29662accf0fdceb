"""The feed: the edge serves the networks that the engine has, whichever of the roles starts again."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from andromede.edge import feed as feeds
from andromede.edge.client import EdgeError
from andromede.edge.feed import Feed, reconciler
from andromede.engine.networks import NetworkSpec
from andromede.engine.simulated import SimulatedEngine
from tests.unit.edge.conftest import EdgeInThread


class Engine(SimulatedEngine):
    """The simulated engine with a listening socket in each network but the external one; like the
    host's, it gives a network's socket to one process at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: set[str] = set()

    def metadata_socket(self, network_id: str) -> int | None:
        self._enter("metadata_socket")
        if network_id not in self.networks or network_id == "n-external":
            return None
        if network_id in self.taken:
            raise OSError(98, "Address already in use")
        self.taken.add(network_id)
        return socket.create_server(("127.0.0.1", 0)).detach()

    def make(self, network_id: str) -> None:
        self.ensure_network(
            NetworkSpec(
                id=network_id, number=1, project_id="p", mtu=1500, external=False, subnets=(),
                dns_domain="", dhcp_mac="",
            )
        )  # fmt: skip


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    for name in ("n-1", "n-external"):
        engine.make(name)
    return engine


class Rows:
    """What the rows of a cloud name, and how often they were read."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.reads = 0

    def __call__(self) -> list[str]:
        self.reads += 1
        return list(self.engine.networks)


@pytest.fixture
def rows(engine: Engine) -> Rows:
    return Rows(engine)


@pytest.fixture
def feed(edge: EdgeInThread, engine: Engine, rows: Rows) -> Any:
    feed = Feed(engine, edge.control_path, rows)
    yield feed
    feed._drop()


def test_each_is_handed_over_once_and_forgotten_when_gone(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    feed.run()
    assert edge.metadata.ids() == ["n-1"]
    engine.make("n-2")
    feed.run()
    assert edge.metadata.ids() == ["n-1", "n-2"]
    engine.remove_network("n-1")
    feed.run()
    assert edge.metadata.ids() == ["n-2"]


def test_while_nothing_changes_nothing_is_read_and_nothing_asked(
    edge: EdgeInThread, engine: Engine, feed: Feed, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.run()
    assert (rows.reads, engine.calls["metadata_socket"]) == (1, 2)
    monkeypatch.setattr("andromede.edge.client.ControlClient._say", lambda *_: pytest.fail("said"))
    for _ in range(3):
        feed.run()
    assert (rows.reads, engine.calls["metadata_socket"]) == (1, 2)


def test_more_changes_than_are_kept_are_not_missed(
    edge: EdgeInThread, engine: Engine, feed: Feed, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.run()
    engine.remove_network("n-1")
    engine.make("n-2")
    for _ in range(5_000):
        engine.make("n-busy")
        engine.remove_network("n-busy")
    feed.run()
    assert edge.metadata.ids() == ["n-2"]
    assert rows.reads == 2


def test_an_edge_that_starts_again_gets_everything_again(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    feed.run()
    edge.stop()
    engine.taken.clear()
    with pytest.raises(EdgeError):
        feed.run()
    edge.start()
    feed.run()
    assert edge.metadata.ids() == ["n-1"]


def test_a_worker_that_starts_again_hands_no_network_twice(
    edge: EdgeInThread, engine: Engine, feed: Feed, rows: Rows
) -> None:
    feed.run()
    engine.remove_network("n-external")
    engine.calls.clear()
    again = Feed(engine, edge.control_path, rows)
    again.run()
    assert engine.calls["metadata_socket"] == 0
    engine.make("n-external")
    engine._metadata.note("n-1")  # as an engine does whose process is new
    again.run()
    again._drop()
    assert engine.calls["metadata_socket"] == 2
    assert edge.metadata.ids() == ["n-1"]


def test_a_network_that_was_made_anew_is_handed_over_anew(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    feed.run()
    before = edge.metadata._servers["n-1"]
    engine.taken.clear()
    engine._metadata.note("n-1")
    feed.run()
    assert edge.metadata._servers["n-1"] is not before


def test_an_edge_that_is_away_is_looked_for_again_before_a_guest_has_booted(
    edge: EdgeInThread, engine: Engine, rows: Rows
) -> None:
    paths = SimpleNamespace(run=edge.folder)
    fed = reconciler(SimpleNamespace(engine=engine, cloud=SimpleNamespace(paths=paths)), rows)
    assert fed.every <= 1
    edge.stop()
    fed.run()
    assert engine.calls["metadata_socket"] == 0
    edge.start()
    fed.run()
    assert edge.metadata.ids() == ["n-1"]
    edge.stop()
    fed.run()


def test_what_the_engine_cannot_give_is_asked_for_later(
    edge: EdgeInThread, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "AGAIN", 0.0)
    engine.faults.fail("metadata_socket", 2)
    feed.run()
    assert edge.metadata.ids() == []
    feed.run()
    assert edge.metadata.ids() == ["n-1"]


def test_a_refusal_starts_the_connection_anew(
    edge: EdgeInThread, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "metadata_socket", lambda _: socket.socket().detach())
    with pytest.raises(EdgeError, match="listens"):
        feed.run()
    monkeypatch.undo()
    feed.run()
    assert edge.metadata.ids() == ["n-1"]


def test_a_socket_that_cannot_be_had_keeps_no_other_away(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    engine.taken.add("n-1")
    engine.make("n-2")
    feed.run()
    assert edge.metadata.ids() == ["n-2"]
