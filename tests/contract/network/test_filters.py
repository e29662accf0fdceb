"""A port that joins a filtered network costs itself alone, and is filtered as its rows say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from andromede.engine.networks import FirewallSpec
from andromede.services.network import api, filters, steps
from andromede.services.network.ports import store as ports
from tests.contract.network.kit import Net, firewall, group_of
from tests.harness import HOST

READ = filters.firewall_spec
NAMES = ("a", "b", "c")
OPERATIONS = st.one_of(
    st.tuples(st.just("boot"), st.sets(st.sampled_from(NAMES), min_size=1)),
    st.tuples(st.just("rule"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("regroup"), st.integers(0, 9), st.sampled_from(NAMES)),
    st.tuples(st.just("pair"), st.integers(0, 9), st.integers(100, 120)),
    st.tuples(st.just("leave"), st.integers(0, 9)),
    st.tuples(st.just("settle")),
)


def whole(net: Net, lan: Any) -> FirewallSpec:
    with net.cloud.database.read() as connection:
        spec = READ(connection, lan["id"], [HOST])
    assert spec is not None
    return spec


def realise(net: Net, port_id: str) -> None:
    steps.realise(net.cloud.database, net.cloud.engine, [port_id])


def start(net: Net, lan: Any, server: str, *groups: str) -> str:
    """Boot a server with a card, as far as its filters; the port's id."""
    [port] = net.boot(server, lan, security_groups=list(groups))
    realise(net, port.id)
    return port.id


@pytest.fixture
def whole_runs(net: Net, lan: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks whose filters are read as a whole, after a first server of groups `a` and `b`,
    of which `b` lets `a` in."""
    a, b = net.group("a"), net.group("b")
    net.group("c")
    net.rule(b, remote_group_id=a["id"])
    start(net, lan, "s1", "a", "b")
    net.cloud.settle()
    runs: list[str] = []

    def counted(connection: Any, network_id: str, hosts: Any) -> FirewallSpec | None:
        runs.append(network_id)
        return READ(connection, network_id, hosts)

    monkeypatch.setattr(filters, "firewall_spec", counted)
    return runs


def test_a_port_of_known_groups_costs_itself(net: Net, lan: Any, whole_runs: list[str]) -> None:
    port_id = start(net, lan, "s2", "a", "b")
    assert whole_runs == []
    assert firewall(net, lan) == whole(net, lan)
    assert len(firewall(net, lan).ports) == 2
    realise(net, port_id)
    assert (whole_runs, firewall(net, lan)) == ([], whole(net, lan))


def test_an_unknown_group_takes_the_whole(net: Net, lan: Any, whole_runs: list[str]) -> None:
    start(net, lan, "s2", "a", "c")
    assert len(whole_runs) == 1
    assert firewall(net, lan) == whole(net, lan)


def test_rules_that_changed_take_the_whole(net: Net, lan: Any, whole_runs: list[str]) -> None:
    found = net.get("security-groups?name=a")["security_groups"][0]
    net.rule(found, protocol="icmp")
    start(net, lan, "s2", "a")
    assert len(whole_runs) == 1
    assert "icmp" in {each.protocol for each in group_of(firewall(net, lan), found["id"]).rules}


def test_a_port_that_changed_takes_the_whole(net: Net, lan: Any, whole_runs: list[str]) -> None:
    port_id = start(net, lan, "s2", "a")
    pairs = [{"ip_address": "10.0.0.99"}]
    net.put(f"ports/{port_id}", {"port": {"allowed_address_pairs": pairs}})
    realise(net, port_id)
    assert len(whole_runs) == 1
    assert firewall(net, lan) == whole(net, lan)


def test_what_failed_is_read_as_a_whole(net: Net, lan: Any, whole_runs: list[str]) -> None:
    net.cloud.engine.faults.fail("ensure_firewall")
    [port] = net.boot("s2", lan, security_groups=["a"])
    with pytest.raises(Exception, match="ensure_firewall"):
        realise(net, port.id)
    assert whole_runs == []
    realise(net, port.id)
    assert len(whole_runs) == 1


def test_a_port_that_left_does_not_join(net: Net, lan: Any, whole_runs: list[str]) -> None:
    kept = net.port(lan, security_groups=[])
    net.boot("s2", None, kept)
    net.cloud.database.transact(lambda c: api.release_ports(c, "s2", "req-2"))
    realise(net, kept["id"])
    assert whole_runs == []
    assert len(firewall(net, lan).ports) == 1


def test_ports_on_other_hosts_are_members_alone(net: Net, lan: Any, whole_runs: list[str]) -> None:
    def move(connection: Any) -> None:
        ports.update(connection, port_id, {"host_id": "elsewhere"})

    port_id = start(net, lan, "s2", "a")
    net.cloud.database.transact(move)
    assert steps.apply_firewall(net.cloud.database, net.cloud.engine, lan["id"])
    [here] = firewall(net, lan).ports
    assert here.id != port_id
    [group] = net.get("security-groups?name=a")["security_groups"]
    assert group_of(firewall(net, lan), group["id"]).members == ("10.0.0.3", "10.0.0.4")
    realise(net, port_id)
    assert firewall(net, lan).ports == (here,)


def test_a_network_that_is_gone_has_no_filters(net: Net) -> None:
    assert not steps.apply_firewall(net.cloud.database, net.cloud.engine, "gone")
    assert not steps.apply_firewall(net.cloud.database, net.cloud.engine, "gone", "port")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(OPERATIONS, min_size=3, max_size=12))
def test_whatever_changed_before(net: Net, operations: list[Any]) -> None:
    """A booted port is filtered by its own rows at once, and in the end all are."""
    world = World(net)
    try:
        for name, *values in operations:
            getattr(world, name)(*values)
        world.settle()
    finally:
        world.end()


class World:
    """A network whose servers come, change and leave, in any order."""

    def __init__(self, net: Net) -> None:
        self.net, self.lan = net, net.network()
        net.subnet(self.lan)
        net.cloud.settle()
        self.groups = {name: net.group(f"{name}-{self.lan['id']}") for name in NAMES}
        self.ports: dict[str, str] = {}  # by server

    def boot(self, names: set[str]) -> None:
        server = f"s{len(self.ports)}-{self.lan['id']}"
        held = [self.groups[name]["name"] for name in sorted(names)]
        self.ports[server] = port_id = start(self.net, self.lan, server, *held)
        spec, rows = firewall(self.net, self.lan), whole(self.net, self.lan)
        [mine] = (each for each in spec.ports if each.id == port_id)
        assert mine in rows.ports
        for key in mine.groups:
            assert group_of(spec, key).rules == group_of(rows, key).rules
            assert set(mine.addresses) <= set(group_of(spec, key).members)

    def rule(self, name: str, remote: str) -> None:
        known = self.net.get(f"security-groups/{self.groups[name]['id']}")["security_group"]
        remotes = {each["remote_group_id"]: each["id"] for each in known["security_group_rules"]}
        wanted = self.groups[remote]["id"]
        if wanted in remotes:
            self.net.delete(f"security-group-rules/{remotes[wanted]}")
        else:
            self.net.rule(known, remote_group_id=wanted)

    def regroup(self, at: int, name: str) -> None:
        self._change(at, security_groups=[self.groups[name]["id"]])

    def pair(self, at: int, last: int) -> None:
        self._change(at, allowed_address_pairs=[{"ip_address": f"10.0.0.{last}"}])

    def _change(self, at: int, **values: Any) -> None:
        if self.ports:
            port_id = list(self.ports.values())[at % len(self.ports)]
            self.net.put(f"ports/{port_id}", {"port": values})

    def leave(self, at: int) -> None:
        if self.ports:
            server = list(self.ports)[at % len(self.ports)]
            self.net.cloud.database.transact(lambda c: api.release_ports(c, server, "req-2"))
            del self.ports[server]

    def settle(self) -> None:
        self.net.cloud.settle()
        if self.lan["id"] in self.net.cloud.engine.firewalls:  # from the first boot on
            assert firewall(self.net, self.lan) == whole(self.net, self.lan)

    def end(self) -> None:
        """Leave room, within the project's quotas, for the next world."""
        while self.ports:
            self.leave(0)
        self.net.cloud.settle()
        for name in self.groups.values():
            self.net.delete(f"security-groups/{name['id']}")
        self.net.delete(f"networks/{self.lan['id']}")
