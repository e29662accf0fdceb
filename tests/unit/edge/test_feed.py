"""The worker's feed: the edge holds what the engine has, whichever of them starts again."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from andromede.edge import feed as feeds
from andromede.edge.client import EdgeClient, EdgeError
from andromede.edge.feed import Feed, reconciler
from andromede.engine.protocol import (
    DiskSpec,
    NetworkSpec,
    ServerSpec,
)
from andromede.engine.simulated import SimulatedEngine
from tests.unit.edge.conftest import EdgeInThread


class Engine(SimulatedEngine):
    """The simulated engine with a listening socket in each network."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: dict[str, socket.socket] = {}

    def metadata_socket(self, network_id: str) -> int | None:
        self._enter("metadata_socket")
        if network_id == "n-external":
            return None
        made = socket.create_server(("127.0.0.1", 0))
        self.sockets[network_id] = made
        return made.detach()


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    for name in ("n-1", "n-external"):
        engine.ensure_network(
            NetworkSpec(
                id=name, number=1, project_id="p", mtu=1500, external=False, subnets=(),
                dns_domain="", dhcp_mac="",
            )
        )  # fmt: skip
    boot(engine, "s-1")
    return engine


def wanted(engine: Engine) -> tuple[list[str], list[str]]:
    """What the rows of a cloud would name."""
    return list(engine.networks), list(engine.servers)


def boot(engine: Engine, server_id: str) -> None:
    disk = DiskSpec(image_id=None, image_format=None, size=1)
    engine.ensure_server(
        ServerSpec(
            id=server_id, number=1, project_id="p", name=server_id, vcpus=1, memory=1, disk=disk,
            nics=(),
        )
    )  # fmt: skip


@pytest.fixture
def feed(edge: EdgeInThread, engine: Engine) -> Any:
    feed = Feed(engine, edge.control_path, lambda: wanted(engine))
    yield feed
    feed._drop()


def held(edge: EdgeInThread) -> tuple[list[str], list[str]]:
    return edge.metadata.ids(), edge.held.ids()


def test_each_is_handed_over_once_and_forgotten_when_gone(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    for _ in range(3):
        feed.run()
    assert held(edge) == (["n-1"], ["s-1"])
    assert engine.calls["metadata_socket"] == 2
    assert engine.calls["console_output"] == 1
    assert "booted" in EdgeClient(edge.console_path).console_output("s-1", None)
    boot(engine, "s-2")
    feed.run()
    assert held(edge) == (["n-1"], ["s-1", "s-2"])
    engine.remove_server("s-1")
    engine.remove_network("n-1")
    feed.run()
    assert held(edge) == ([], ["s-2"])


def test_an_edge_that_starts_again_gets_everything_again(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    feed.run()
    edge.stop()
    with pytest.raises(EdgeError):
        feed.run()
    edge.start()
    feed.run()
    assert held(edge) == (["n-1"], ["s-1"])


def test_a_worker_that_starts_again_hands_no_network_twice(
    edge: EdgeInThread, engine: Engine, feed: Feed
) -> None:
    feed.run()
    engine.calls.clear()
    engine.remove_server("s-1")
    again = Feed(engine, edge.control_path, lambda: wanted(engine))
    again.run()
    again._drop()
    assert engine.calls["metadata_socket"] == 1  # of the one that has none
    assert held(edge) == (["n-1"], [])


def test_it_runs_before_a_guest_has_booted(engine: Engine, tmp_path: Path) -> None:
    paths = SimpleNamespace(run=tmp_path)
    world = SimpleNamespace(engine=engine, cloud=SimpleNamespace(paths=paths))
    fed = reconciler(world, lambda: wanted(engine))
    assert fed.every <= 1
    with pytest.raises(EdgeError, match="connecting"):
        fed.run()


def test_a_new_log_of_a_server_replaces_the_old(
    edge: EdgeInThread, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RECHECK", 0.0)
    feed.run()
    engine.console["s-1"] = b"rebuilt"
    feed.run()
    assert EdgeClient(edge.console_path).console_output("s-1", None) == "rebuilt"


def test_what_the_engine_cannot_give_is_asked_for_later(
    edge: EdgeInThread, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "ABSENT", 0.0)
    engine.faults.fail("console_output")
    engine.faults.fail("metadata_socket", 2)
    feed.run()
    assert held(edge) == ([], [])
    feed.run()
    assert held(edge) == (["n-1"], ["s-1"])


def test_a_refusal_starts_the_connection_anew(
    edge: EdgeInThread, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "metadata_socket", lambda _: socket.socket().detach())
    with pytest.raises(EdgeError, match="listens"):
        feed.run()
    monkeypatch.undo()
    feed.run()
    assert "s-1" in edge.held.ids()


def test_a_socket_that_cannot_be_had_keeps_nothing_else_away(
    edge: EdgeInThread, engine: Engine, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(_: str) -> int:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(engine, "metadata_socket", taken)
    feed.run()
    assert held(edge) == ([], ["s-1"])
