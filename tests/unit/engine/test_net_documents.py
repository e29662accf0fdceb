"""Tables, names and DHCP files as values: what a document becomes, without a host."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from andromede.config import new_config
from andromede.engine.embedded.net import cuts, dhcp_files, firewall, router_rules, uplink
from andromede.engine.embedded.net.names import Names
from andromede.engine.embedded.net.rules import Flow
from andromede.engine.networks import AddressPair, RuleSpec
from andromede.engine.protocol import EngineError
from tests.host import net_documents as doc

NAMES = Names("ab12")
NET = doc.network("net", 2)
A, B = doc.port(NET, 11), doc.port(NET, 12)


def test_link_names_fit_the_kernel() -> None:
    for name in (NAMES.tap(99_999_999), NAMES.bridge(99_999_999), NAMES.leg("any port at all")):
        assert len(name) == 15
        assert name.startswith("amab12")
    with pytest.raises(EngineError, match="numbers up to 99999999 are accepted"):
        NAMES.tap(100_000_000)


@pytest.mark.parametrize("bad", ["", "../up", "a/b", "-x", "a" * 65, "a\n"])
def test_ids_that_could_leave_their_folder_are_refused(bad: str) -> None:
    with pytest.raises(EngineError, match="letters, digits and hyphens"):
        NAMES.network_namespace(bad)


def test_link_local_addresses() -> None:
    assert firewall.link_local("fa:16:3e:00:00:0b") == "fe80::f816:3eff:fe00:b"


def test_ports_that_share_a_virtual_mac_share_its_rules() -> None:
    shared = AddressPair("10.0.0.9", "00:00:5e:00:01:01")
    ports = (
        doc.port(NET, 11, groups=("one",), pairs=(shared,)),
        doc.port(NET, 12, groups=("two",), pairs=(shared,)),
    )
    groups = (doc.group(doc.SSH, id="one"), doc.group(doc.PING, id="two"))
    table = firewall.filter_table(NAMES, NET, doc.firewall(NET, ports, *groups))
    (element,) = (
        each for each in table.sets["destinations"].elements if each.startswith("00:00:5e")
    )
    chain = table.chains[element.rpartition("goto ")[2]]
    assert "jump group_ingress_one" in chain.rules
    assert "jump group_ingress_two" in chain.rules


def test_router_legs_are_not_filtered_as_guests() -> None:
    leg = doc.port(NET, 1, mac="fa:16:3e:ee:00:01", owner_uid=None)
    table = firewall.filter_table(NAMES, NET, doc.firewall(NET, (A, leg), doc.group(doc.SSH)))
    assert [each.split()[0] for each in table.sets["destinations"].elements] == [A.mac]


def test_a_group_that_is_unknown_lets_nothing_in() -> None:
    table = firewall.filter_table(NAMES, NET, doc.firewall(NET, (A,)))
    assert table.chains["ingress_none"].rules[-1] == "drop"
    assert not any("jump" in rule for rule in table.chains["ingress_none"].rules)


def judge(*rules: RuleSpec) -> cuts.Judge:
    return cuts.Judge(NET, doc.firewall(NET, (A, B), doc.group(*rules, members=(A, B))))


def test_connections_are_judged_as_the_table_would() -> None:
    inside = Flow(source="10.0.0.11", destination="10.0.0.12", protocol=6, low=22)
    outside = Flow(source="198.51.100.2", destination="10.0.0.12", protocol=6, low=22)
    service = Flow(source="10.0.0.11", destination="10.0.0.2", protocol=17, low=53)
    assert judge(*doc.EGRESS, doc.SSH).allows(inside)
    assert not judge(doc.SSH).allows(inside)  # the sender may not send
    assert not judge(*doc.EGRESS).allows(inside)  # the receiver may not be reached
    assert judge(doc.SSH).allows(outside)
    assert judge().allows(service)


def test_only_what_narrows_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def cut(unwanted: object) -> int:
        asked.append(unwanted)
        return 0

    monkeypatch.setattr("andromede.engine.embedded.net.conntrack.cut", cut)
    group = doc.group(doc.SSH, members=(A,))
    before = doc.firewall(NET, (A,), group)
    wider = doc.firewall(NET, (A, B), doc.group(doc.SSH, doc.PING, members=(A, B)))
    cuts.enforce(NET, before, wider)
    assert asked == []
    narrower = (
        doc.firewall(NET, (A,), doc.group(members=(A,))),
        doc.firewall(NET, (A,), doc.group(doc.SSH)),
        doc.firewall(NET, (), group),
        doc.firewall(NET, (msgspec.structs.replace(A, groups=()),), group),
    )
    for number, each in enumerate(narrower, 1):
        cuts.enforce(NET, before, each)
        assert len(asked) == number


def test_dhcp_without_a_gateway_announces_none() -> None:
    subnet = msgspec.structs.replace(NET.subnets[0], gateway=None)
    spec = msgspec.structs.replace(NET, subnets=(subnet,))
    text = dhcp_files.configuration(spec, "bridge", Path("/run/x"), ())
    assert "dhcp-option=tag:s0,3\n" in text
    assert "0.0.0.0/0" not in text
    assert "169.254.169.254/32,10.0.0.2,198.18.0.0/15,10.0.0.3" in text


@pytest.mark.parametrize(
    ("named", "told", "told6"),
    [
        ((), ",10.0.0.2", ",[fd00::2]"),
        (("192.0.2.1", "192.0.2.2"), ",192.0.2.1,192.0.2.2", ",[192.0.2.1],[192.0.2.2]"),
        (("0.0.0.0",), "", ""),
        (("::",), "", ""),
    ],
)
def test_guests_ask_whom_their_subnet_names(named: tuple[str, ...], told: str, told6: str) -> None:
    four = msgspec.structs.replace(NET.subnets[0], dns_servers=named)
    six = msgspec.structs.replace(
        four, id="six", cidr="fd00::/64", dhcp_address="fd00::2", ra_mode="dhcpv6-stateful"
    )
    spec = msgspec.structs.replace(NET, subnets=(four, six))
    text = dhcp_files.configuration(spec, "bridge", Path("/run/x"), ())
    assert f"dhcp-option=tag:s0,6{told}\n" in text
    assert f"dhcp-option=tag:x0,option6:dns-server{told6}\n" in text


def test_a_card_with_two_subnets_gets_one_address_in_each() -> None:
    second = msgspec.structs.replace(
        NET.subnets[0], id="s2", cidr="10.0.9.0/24", dhcp_address="10.0.9.2"
    )
    spec = msgspec.structs.replace(NET, subnets=(*NET.subnets, second))
    port = doc.port(spec, 11, addresses=("10.0.0.11", "10.0.0.12", "10.0.9.11"), hostname="")
    assert dhcp_files.reservations(spec, [port]).splitlines() == [
        f"{port.mac},10.0.0.11",
        f"{port.mac},10.0.9.11",
    ]


@pytest.mark.parametrize("name", ["two words", "a,b", "x\ny", "-a", "é", "a..b"])
def test_names_that_would_break_a_file_are_refused(name: str) -> None:
    with pytest.raises(EngineError, match="RFC 1123"):
        dhcp_files.names(NET, [doc.port(NET, 11, hostname=name)])


@pytest.mark.parametrize("option", [("a b", "x"), ("mtu", "1\n2"), ("", "x"), ("MTU,1", "x")])
def test_options_that_would_break_a_file_are_refused(option: tuple[str, str]) -> None:
    with pytest.raises(EngineError, match="printable"):
        dhcp_files.options([doc.port(NET, 11, dhcp_options=(option,))])


GATEWAY = "ip daddr 172.24.4.1 tcp dport 443 accept"  # the listener on the external network


@pytest.mark.parametrize(
    ("public", "expected"),
    [
        ("127.0.0.1:443", [GATEWAY]),
        ("0.0.0.0:443", ["tcp dport 443 accept"]),
        ("192.0.2.7:443", [GATEWAY, "ip daddr 192.0.2.7 tcp dport 443 accept"]),
        ("[2001:db8::7]:443", [GATEWAY, "ip6 daddr 2001:db8::7 tcp dport 443 accept"]),
        ("cloud.example:443", ["tcp dport 443 accept"]),
    ],
)
def test_guests_reach_the_public_listener_alone(public: str, expected: list[str]) -> None:
    table = uplink.host_table(new_config(public=public), NAMES, [doc.EXTERNAL])
    found = [rule for rule in table.chains["guests_to_host"].rules if "dport" in rule]
    assert found == expected
    assert table.chains["guests_to_host"].rules[-1] == "drop"


def test_a_router_without_gateway_rewrites_nothing() -> None:
    spec = doc.router(1, (NET,), gateway=None)
    table = router_rules.table(NAMES, spec)
    assert "postrouting" not in table.chains
    assert table.chains["forward"].rules[-1] == "accept"
