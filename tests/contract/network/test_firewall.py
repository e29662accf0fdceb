"""What filters a network, as the engine is told: ports, groups, rules and members."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.engine.networks import AddressPair
from andromede.services.network import api
from tests.contract.network.kit import Net, firewall, group_of


def start(net: Net, server: str, network: Any, *ports: Any, **more: Any) -> list[api.Port]:
    """Accept a server and do what its boot does before the machine starts."""
    made = net.boot(server, network, *ports, **more)
    from andromede.services.network import steps

    steps.realise(net.cloud.database, net.cloud.engine, [each.id for each in made])
    return made


def test_a_boot_finds_its_filters_applied(net: Net, lan: Any) -> None:
    group = net.group()
    net.rule(group, protocol="tcp", port_range_min=22, port_range_max=22)
    [port] = start(net, "s1", lan, security_groups=["web"])
    spec = firewall(net, lan)
    [told] = spec.ports
    assert (told.id, told.groups, told.addresses, told.owner_uid, told.hostname) == (
        port.id, (group["id"],), ("10.0.0.3",), 77, "n-s1",
    )  # fmt: skip
    assert net.cloud.engine.ports[port.id] == told
    held = group_of(spec, group["id"])
    assert held.members == ("10.0.0.3",)
    assert {(r.direction, r.protocol, r.port_min) for r in held.rules} == {
        ("egress", None, None), ("ingress", "tcp", 22),
    }  # fmt: skip


def test_rules_reach_running_networks(net: Net, lan: Any) -> None:
    group = net.default_group()
    start(net, "s1", lan)
    rule = net.rule(group, protocol="icmp")
    net.cloud.settle()
    assert "icmp" in {r.protocol for r in group_of(firewall(net, lan), group["id"]).rules}
    net.delete(f"security-group-rules/{rule['id']}")
    net.cloud.settle()
    assert "icmp" not in {r.protocol for r in group_of(firewall(net, lan), group["id"]).rules}


def test_members_elsewhere_reach_networks_that_name_them(net: Net, lan: Any) -> None:
    front, back = net.group("front"), net.group("back")
    net.rule(back, remote_group_id=front["id"], protocol="tcp")
    start(net, "s1", lan, security_groups=["back"])
    elsewhere = net.network()
    net.subnet(elsewhere, "10.7.0.0/24")
    net.cloud.settle()
    assert group_of(firewall(net, lan), front["id"]).members == ()
    [port] = start(net, "s2", elsewhere, security_groups=["front"])
    net.cloud.settle()
    assert group_of(firewall(net, lan), front["id"]).members == ("10.7.0.3",)
    net.put(f"ports/{port.id}", {"port": {
        "allowed_address_pairs": [{"ip_address": "10.7.0.99"}]}})  # fmt: skip
    net.cloud.settle()
    assert group_of(firewall(net, lan), front["id"]).members == ("10.7.0.3", "10.7.0.99")
    pairs = net.cloud.engine.ports[port.id].pairs
    assert pairs == (AddressPair("10.7.0.99", port.mac),)
    net.cloud.database.transact(lambda c: api.release_ports(c, "s2", "req-2"))
    net.cloud.settle()
    assert group_of(firewall(net, lan), front["id"]).members == ()
    net.delete(f"security-groups/{front['id']}")
    net.cloud.settle()
    assert [each.id for each in firewall(net, lan).groups] == [back["id"]]


def test_ports_change_their_groups_while_they_run(net: Net, lan: Any) -> None:
    first, second = net.group("first"), net.group("second")
    [port] = start(net, "s1", lan, security_groups=["first"])
    net.put(f"ports/{port.id}", {"port": {"security_groups": [second["id"]]}})
    net.cloud.settle()
    assert firewall(net, lan).ports[0].groups == (second["id"],)
    context = net.context()

    def act(call: Any, name: str) -> None:
        def work(connection: Any) -> None:
            context.conn = connection
            call(connection, context, "s1", name)

        net.cloud.database.transact(work)

    act(api.add_security_group, "first")
    act(api.add_security_group, "first")
    net.cloud.settle()
    assert set(firewall(net, lan).ports[0].groups) == {first["id"], second["id"]}
    act(api.remove_security_group, "second")
    net.cloud.settle()
    assert firewall(net, lan).ports[0].groups == (first["id"],)
    for name in ("second", "unknown"):
        with pytest.raises(Exception, match=name):
            act(api.remove_security_group, name)
    net.group("first")
    with pytest.raises(Exception, match="Multiple security groups"):
        act(api.add_security_group, "first")


def test_a_port_that_leaves_is_no_longer_filtered(net: Net, lan: Any) -> None:
    kept = net.port(lan)
    start(net, "s1", lan, kept)
    net.cloud.settle()
    assert len(firewall(net, lan).ports) == 2
    net.cloud.database.transact(lambda c: api.release_ports(c, "s1", "req-2"))
    net.cloud.settle()
    assert firewall(net, lan).ports == ()
    assert net.cloud.engine.ports == {}
    left = net.get("ports?device_owner=")["ports"]
    assert [each["id"] for each in left] == [kept["id"]]
    assert (left[0]["device_id"], left[0]["status"]) == ("", "DOWN")
    net.delete(f"ports/{kept['id']}")


def test_an_insecure_port_is_told_so(net: Net, lan: Any) -> None:
    port = net.port(lan, port_security_enabled=False)
    start(net, "s1", None, port)
    assert (firewall(net, lan).ports[0].port_security, firewall(net, lan).groups) == (False, ())


def test_what_dhcp_and_the_port_may_is_firewall(net: Net, lan: Any) -> None:
    port = net.port(
        lan, dns_name="db", admin_state_up=False,
        extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400"},
                         {"opt_name": "tftp-server", "opt_value": None}],
    )  # fmt: skip
    start(net, "s1", None, port)
    spec = net.cloud.engine.ports[port["id"]]
    assert (spec.hostname, spec.enabled, spec.dhcp_options) == ("db", False, (("mtu", "1400"),))
    net.put(f"ports/{port['id']}", {"port": {"admin_state_up": True, "dns_name": "db2"}})
    net.cloud.settle()
    spec = net.cloud.engine.ports[port["id"]]
    assert (spec.hostname, spec.enabled) == ("db2", True)


def test_a_firewall_of_nothing_is_no_work(net: Net) -> None:
    from andromede.services.network import intents

    for kind in (intents.FIREWALL, intents.MEMBERS, intents.PORT, intents.NETWORK, intents.ROUTER):
        net.cloud.database.transact(
            lambda c, kind=kind: intents.converge(c, kind, "nothing", "p1", "req-1")
        )
    net.cloud.settle()
    assert net.cloud.engine.firewalls == {}
    assert net.cloud.engine.calls["remove_network"] == 1


def test_what_fails_for_good_shows_on_the_port_and_is_asked_again(net: Net, lan: Any) -> None:
    [port] = start(net, "s1", lan)
    net.cloud.engine.faults.fail("ensure_port", permanent=True)
    net.cloud.engine.faults.fail("ensure_firewall", permanent=True)
    net.put(f"ports/{port.id}", {"port": {"dns_name": "other"}})
    net.cloud.settle()
    assert net.get(f"ports/{port.id}")["port"]["status"] == "ERROR"
    net.put(f"ports/{port.id}", {"port": {"dns_name": "third"}})
    net.cloud.settle()
    assert net.cloud.engine.ports[port.id].hostname == "third"


def test_ports_and_filters_wait_for_their_network(net: Net) -> None:
    network = net.network()
    net.subnet(network)
    [port] = net.boot("s1", network)
    net.cloud.engine.faults.fail("ensure_network", 2)
    net.put(f"ports/{port.id}", {"port": {"dns_name": "other"}})
    net.cloud.settle()
    assert net.cloud.engine.ports[port.id].hostname == "other"
    assert net.cloud.engine.firewalls[network["id"]].ports[0].hostname == "other"


def test_groups_without_state_and_dns_domains_are_firewall(net: Net, lan: Any) -> None:
    made = net.group()
    body = {"security_group": {"stateful": False}}
    net.put(f"security-groups/{made['id']}", body)
    [port] = start(net, "s1", lan, security_groups=["web"])
    assert group_of(firewall(net, lan), made["id"]).stateful is False
    net.put(f"networks/{lan['id']}", {"network": {"dns_domain": "corp.example."}})
    net.cloud.settle()
    assert net.cloud.engine.networks[lan["id"]].dns_domain == "corp.example"
    names = net.get(f"ports/{port.id}")["port"]["dns_assignment"]
    assert names[0]["fqdn"] == "n-s1.corp.example"
