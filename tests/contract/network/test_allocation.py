"""Allocation: no value twice, none lost, whatever the order of taking and giving."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from andromede.db import Database, metadata
from andromede.services.network.ranges import store as ranges
from tests.contract.network.kit import Net
from tests.harness import TestCloud


class Ranges(RuleBasedStateMachine):
    """Free ranges against a set of numbers."""

    folder: Path

    @initialize(edges=st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True))
    def fill(self, edges: list[int]) -> None:
        self.free: set[int] = set()
        spans = [(first, last) for first, last in zip(*[iter(sorted(edges))] * 2, strict=False)]
        for first, last in spans:
            self.free |= set(range(first, last + 1))
        self.pool = set(self.free)
        DATABASE.transact(lambda c: ranges.replace(c, "s", spans))

    @rule()
    def lowest(self) -> None:
        got = DATABASE.transact(lambda c: ranges.take_lowest(c, "s"))
        assert got == (min(self.free) if self.free else None)
        self.free.discard(-1 if got is None else got)

    @rule(value=st.integers(0, 31))
    def exact(self, value: int) -> None:
        assert DATABASE.transact(lambda c: ranges.take(c, "s", value)) == (value in self.free)
        self.free.discard(value)

    @rule(value=st.integers(0, 31))
    def give(self, value: int) -> None:
        if value in self.pool:
            DATABASE.transact(lambda c: ranges.give(c, "s", value))
            self.free.add(value)

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "free"):
            return
        with DATABASE.read() as connection:
            rows = connection.execute(
                ranges.free_range.select()
                .where(ranges.free_range.c.scope == "s")
                .order_by(ranges.free_range.c.first)
            ).all()
        spans = [(int(row.first, 16), int(row.last, 16)) for row in rows]
        held = [value for first, last in spans for value in range(first, last + 1)]
        assert held == sorted(self.free)


@pytest.fixture(scope="module", autouse=True)
def _database(tmp_path_factory: pytest.TempPathFactory) -> Any:
    global DATABASE
    DATABASE = Database(f"sqlite:///{tmp_path_factory.mktemp('ranges') / 'r.sqlite'}")
    metadata.create_all(DATABASE.engine)
    yield
    DATABASE.dispose()


DATABASE: Database
Ranges.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestRanges = Ranges.TestCase


def test_giving_what_is_free_changes_nothing() -> None:
    DATABASE.transact(lambda c: ranges.replace(c, "beside", [(0, 1), (2, 3)]))
    DATABASE.transact(lambda c: ranges.give(c, "beside", 1))
    take = lambda: DATABASE.transact(lambda c: ranges.take_lowest(c, "beside"))  # noqa: E731
    assert [take() for _ in range(5)] == [0, 1, 2, 3, None]


def test_subtraction_leaves_the_rest() -> None:
    assert ranges.subtract([(1, 5), (9, 9)], [1, 3, 9, 7]) == [(2, 2), (4, 5)]
    assert ranges.subtract([(1, 2)], []) == [(1, 2)]


def test_numbers_are_used_again_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "LARGEST_NUMBER", 2)
    take = lambda: DATABASE.transact(lambda c: ranges.take_number(c, "k"))  # noqa: E731
    assert [take(), take()] == [1, 2]
    with pytest.raises(RuntimeError, match="every number"):
        take()
    DATABASE.transact(lambda c: ranges.give_number(c, "k", 1))
    assert take() == 1


def test_many_at_once_get_different_addresses(cloud: TestCloud) -> None:
    net = Net(cloud)
    network = net.network()
    net.subnet(network, "10.0.0.0/26", enable_dhcp=False)
    got: list[str] = []

    def work() -> None:
        mine = Net(TestCloudView(cloud))
        for _ in range(6):
            got.append(mine.port(network)["fixed_ips"][0]["ip_address"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=lambda ip: int(ip.split(".")[3])) == [
        f"10.0.0.{n}" for n in range(2, 26)
    ]


class TestCloudView:
    """The same cloud with a dispatcher of its own, for another thread's event loop."""

    __test__ = False

    def __init__(self, cloud: TestCloud) -> None:
        from andromede.http.dispatch import Dispatcher
        from andromede.services.network import SERVICE

        self._cloud = cloud
        self.public = Dispatcher(
            cloud.cloud, [SERVICE], listener="public", base_url="https://cloud.test"
        )

    def as_(self, who: Any, *, private: bool = False) -> Any:
        client = self._cloud.as_(who, private=private)
        client.app = self.public
        return client


def test_addresses_come_back(net: Net) -> None:
    network = net.network()
    net.subnet(network, "10.0.0.0/29")
    ports = [net.port(network) for _ in range(4)]
    body = {"port": {"network_id": network["id"]}}
    net.refused("POST", "ports", body, 409, "IpAddressGenerationFailure")
    for port in (ports[2], ports[0], ports[1]):
        net.delete(f"ports/{port['id']}")
    got = [net.port(network)["fixed_ips"][0]["ip_address"] for _ in range(3)]
    assert got == ["10.0.0.3", "10.0.0.4", "10.0.0.5"]
