"""Addresses that machines form from their MACs: they come and go with their subnets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, wired
from tests.contract.network.test_ports import ips
from tests.contract.network.test_routers import leg

MAC = "fa:16:3e:00:00:01"
EUI = "fd00::f816:3eff:fe00:1"
SLAAC = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}


@pytest.fixture
def lan(net: Net) -> Any:
    network = net.network(name="lan")
    network["subnet"] = net.subnet(network)
    return network


def test_ports_get_theirs_whatever_else_they_are_given(net: Net, lan: Any) -> None:
    slaac = net.subnet(lan, "fd00::/64", **SLAAC)
    asked = net.port(lan, mac_address=MAC, fixed_ips=[{"ip_address": "10.0.0.9"}])
    assert ips(asked) == ["10.0.0.9", EUI]
    path = f"ports/{asked['id']}"
    change = {"port": {"fixed_ips": [{"ip_address": "10.0.0.10"}]}}
    assert ips(net.put(path, change)["port"]) == ["10.0.0.10", EUI]
    moved = {"port": {"mac_address": "fa:16:3e:00:00:02"}}
    assert ips(net.put(path, moved)["port"]) == ["10.0.0.10", "fd00::f816:3eff:fe00:2"]
    assert ips(net.put(path, {"port": {"fixed_ips": [], "security_groups": []}})["port"]) == []
    for ip in ("fd00::5", EUI):
        body = {
            "network_id": lan["id"],
            "fixed_ips": [{"subnet_id": slaac["id"], "ip_address": ip}],
        }
        net.refused("POST", "ports", {"port": body}, 400, "InvalidInput")
    body["mac_address"] = MAC
    net.post("ports", {"port": body})


def test_a_new_subnet_reaches_ports_that_are_there(net: Net, lan: Any) -> None:
    port = net.port(lan, mac_address=MAC)
    net.boot("s1", None, port)
    net.boot("s2", lan)
    net.cloud.settle()
    subnet = net.subnet(lan, "fd00::/64", **SLAAC)
    net.cloud.settle()
    assert ips(net.get(f"ports/{port['id']}")["port"]) == ["10.0.0.3", EUI]
    assert net.cloud.engine.ports[port["id"]].addresses == ("10.0.0.3", EUI)
    filtered = net.cloud.engine.firewalls[lan["id"]]
    assert EUI in filtered.groups[0].members
    net.delete(f"subnets/{subnet['id']}")
    net.cloud.settle()
    assert net.cloud.engine.ports[port["id"]].addresses == ("10.0.0.3",)
    message = net.refused("DELETE", f"networks/{lan['id']}", None, 409, "NetworkInUse")
    assert "There are one or more ports still in use on the network" in message


def test_a_router_keeps_its_automatic_subnet(net: Net) -> None:
    network, router = net.network(), net.router()
    subnet = net.subnet(network, "fd00::/64", **SLAAC)
    named = {"subnet_id": subnet["id"]}
    port = leg(net, router, "add", **named)["port_id"]
    assert ips(net.get(f"ports/{port}")["port"]) == ["fd00::1"]
    net.refused("DELETE", f"subnets/{subnet['id']}", None, 409, "SubnetInUse")


def test_a_legs_address_moves(net: Net) -> None:
    _, router, _, subnet = wired(net)
    net.cloud.settle()
    port = net.get(f"ports?device_id={router['id']}")["ports"][0]["id"]
    same = net.put(f"ports/{port}", {"port": {"fixed_ips": [{"subnet_id": subnet["id"]}]}})
    assert ips(same["port"]) == ["10.0.0.1"]
    to = {"fixed_ips": [{"subnet_id": subnet["id"], "ip_address": "10.0.0.77"}]}
    assert ips(net.put(f"ports/{port}", {"port": to})["port"]) == ["10.0.0.77"]
    net.cloud.settle()
    spec = net.cloud.engine.routers[router["id"]]
    assert spec.interfaces[0].addresses == ("10.0.0.77/24",)
    net.refused("PUT", f"ports/{port}", {"port": {"fixed_ips": []}}, 400, "BadRequest")


def test_a_leg_does_not_leave_what_needs_it_nor_meet_another(net: Net) -> None:
    external, router, network, subnet = wired(net)
    second = net.subnet(network, "10.1.0.0/24")
    port = net.get(f"ports?device_id={router['id']}")["ports"][0]["id"]
    inner = net.port(network, fixed_ips=[{"subnet_id": subnet["id"]}])
    net.floating(external, port_id=inner["id"])
    to = {"port": {"fixed_ips": [{"subnet_id": second["id"]}]}}
    net.refused("PUT", f"ports/{port}", to, 409, "RouterInterfaceInUseByFloatingIP")
    alone = net.network()
    one, two = net.subnet(alone, "10.6.0.0/24"), net.subnet(alone, "10.7.0.0/24")
    moving = leg(net, router, "add", subnet_id=one["id"])["port_id"]
    moved = net.put(f"ports/{moving}", {"port": {"fixed_ips": [{"subnet_id": two["id"]}]}})
    assert ips(moved["port"])[0].startswith("10.7.0.")
    beside = net.network()
    other = net.subnet(beside, "10.1.0.0/16")
    leg(net, router, "add", subnet_id=other["id"])
    both = {"port": {"fixed_ips": [{"subnet_id": subnet["id"]}, {"subnet_id": second["id"]}]}}
    net.refused("PUT", f"ports/{port}", both, 400, "BadRequest")


def test_an_external_network_goes_with_what_stands_for_nothing(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    external = admin.network(**{"router:external": True})
    subnet = admin.subnet(external, "172.30.0.0/24", enable_dhcp=False)
    floating = net.floating(external)
    admin.delete(f"networks/{external['id']}")
    net.refused("GET", f"floatingips/{floating['id']}", None, 404, "FloatingIPNotFound")
    admin.refused("GET", f"subnets/{subnet['id']}", None, 404, "SubnetNotFound")


def test_ports_of_rules_are_told_in_words_that_name_them(net: Net) -> None:
    group = net.group()
    any_port = net.rule(group, protocol="udp", port_range_min=None, port_range_max=None)
    assert any_port["port_range_min"] is None
    for low, high, told in ((-16, 80, "port -16"), (80, 65536, "port 65536"), ("x", 1, "port x")):
        rule = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp",
                "port_range_min": low, "port_range_max": high}  # fmt: skip
        body = {"security_group_rule": rule}
        message = net.refused("POST", "security-group-rules", body, 400, "HTTPBadRequest")
        assert f"Invalid value for {told}" in message


def test_the_engine_learns_how_ipv6_is_given(net: Net) -> None:
    external = Net(net.cloud, "admin", "ops").network(**{"router:external": True})
    admin = Net(net.cloud, "admin", "ops")
    admin.subnet(external, "172.30.0.0/24", enable_dhcp=False)
    admin.subnet(external, "fd00:99::/64", enable_dhcp=False)
    network = net.network()
    block = net.subnet(network, "fd00::/64", dns_nameservers=["fd00:9::53"], **SLAAC)
    options = [
        {"opt_name": "ntp-server", "opt_value": "fd00:9::1", "ip_version": 6},
        {"opt_name": "bootfile-name", "opt_value": "x"},
        {"opt_name": "tftp-server", "opt_value": None},
    ]
    port = net.port(network, extra_dhcp_opts=options)
    router = net.router(external_gateway_info={"network_id": external["id"]})
    leg(net, router, "add", subnet_id=block["id"])
    net.boot("s", None, port)
    net.put(f"ports/{port['id']}", {"port": {"admin_state_up": True}})
    net.cloud.settle()
    engine = net.cloud.engine
    held = engine.networks[network["id"]].subnets[0]
    assert (held.ra_mode, held.address_mode) == ("slaac", "slaac")
    for spec in (engine.ports[port["id"]], engine.firewalls[network["id"]].ports[0]):
        assert spec.dhcp_options == (("bootfile-name", "x"),)
        assert spec.dhcp_options6 == (("ntp-server", "fd00:9::1"),)
    made = engine.routers[router["id"]]
    assert (made.gateway_next_hop, made.gateway_next_hop6) == ("172.30.0.1", "fd00:99::1")
    (announced,) = made.interfaces[0].advertised
    assert (announced.prefix, announced.mode) == ("fd00::/64", "slaac")
    assert announced.dns_servers == ("fd00:9::53",)
    assert made.gateway is not None
    assert made.gateway.advertised == ()
