"""Subnets: what is valid, where pools and gateways lie, the DHCP port."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, wired
from tests.harness import unknown_id


def ips(port: Any) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


def dhcp(net: Net) -> list[Any]:
    found: list[Any] = net.get("ports?device_owner=network:dhcp")["ports"]
    return found


def test_a_plain_subnet(net: Net) -> None:
    network = net.network()
    made = net.subnet(network, "10.0.0.7/24", name="s")
    assert (made["cidr"], made["gateway_ip"], made["enable_dhcp"]) == (
        "10.0.0.0/24", "10.0.0.1", True,
    )  # fmt: skip
    assert made["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert (made["ip_version"], "shared" in made, made["subnetpool_id"]) == (4, False, None)
    assert net.get(f"subnets/{made['id']}")["subnet"] == made
    assert net.get("subnets?name=s")["subnets"] == [made]
    assert net.get(f"networks/{network['id']}")["network"]["subnets"] == [made["id"]]
    assert net.get("subnets?shared=true")["subnets"] == []
    assert net.get("subnets?router:external=false")["subnets"] == [made]


def test_dhcp_has_a_port_and_the_engine_its_address(net: Net) -> None:
    network = net.network()
    first = net.subnet(
        network,
        dns_nameservers=["9.9.9.9", "1.1.1.1"],
        host_routes=[{"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}],
    )
    second = net.subnet(network, "10.0.1.0/24", enable_dhcp=False, gateway_ip=None)
    net.cloud.settle()
    [port] = dhcp(net)
    assert (ips(port), port["status"]) == (["10.0.0.2"], "ACTIVE")
    spec = net.cloud.engine.networks[network["id"]]
    one, two = spec.subnets
    assert (one.id, one.cidr, one.gateway, one.dhcp, one.dhcp_address) == (
        first["id"], "10.0.0.0/24", "10.0.0.1", True, "10.0.0.2",
    )  # fmt: skip
    assert one.dns_servers == ("9.9.9.9", "1.1.1.1")
    assert one.routes == (("10.9.0.0/16", "10.0.0.9"),)
    assert (two.id, two.gateway, two.dhcp, two.dhcp_address) == (second["id"], None, False, None)
    assert spec.dhcp_mac == port["mac_address"]


def test_dhcp_follows_its_switch(net: Net) -> None:
    network = net.network()
    one, two = net.subnet(network), net.subnet(network, "10.0.1.0/24")
    assert ips(dhcp(net)[0]) == ["10.0.0.2", "10.0.1.2"]
    net.put(f"subnets/{one['id']}", {"subnet": {"enable_dhcp": False}})
    assert ips(dhcp(net)[0]) == ["10.0.1.2"]
    net.put(f"subnets/{one['id']}", {"subnet": {"enable_dhcp": True}})
    assert sorted(ips(dhcp(net)[0])) == ["10.0.0.2", "10.0.1.2"]
    net.delete(f"subnets/{two['id']}")
    assert ips(dhcp(net)[0]) == ["10.0.0.2"]
    net.put(f"subnets/{one['id']}", {"subnet": {"enable_dhcp": False}})
    assert dhcp(net) == []
    net.delete(f"subnets/{one['id']}")
    net.cloud.settle()
    assert net.cloud.engine.networks[network["id"]].subnets == ()


def test_the_last_subnet_takes_the_dhcp_port_along(net: Net) -> None:
    network = net.network()
    made = net.subnet(network)
    net.put(f"subnets/{made['id']}/tags", {"tags": ["x"]})
    net.delete(f"subnets/{made['id']}")
    assert dhcp(net) == []
    net.refused("GET", f"subnets/{made['id']}", None, 404, "SubnetNotFound")
    assert net.subnet(network)["allocation_pools"] == made["allocation_pools"]


def test_the_dhcp_port_yields_its_mac(net: Net) -> None:
    network = net.network()
    net.cloud.settle()
    mac = net.cloud.engine.networks[network["id"]].dhcp_mac
    net.port(network, mac_address=mac)
    net.subnet(network)
    net.cloud.settle()
    spec = net.cloud.engine.networks[network["id"]]
    assert spec.dhcp_mac == dhcp(net)[0]["mac_address"] != mac


BAD: list[tuple[Any, str, str]] = [
    ({"cidr": "nonsense"}, "HTTPBadRequest", "is not a valid IP subnet"),
    ({"cidr": "0.0.0.0/0"}, "InvalidInput", "0 is not allowed"),
    ({"cidr": "224.0.0.0/24"}, "InvalidInput", "reserved"),
    ({"cidr": "127.0.0.0/24"}, "InvalidInput", "reserved"),
    ({"cidr": "169.254.0.0/16"}, "InvalidInput", "reserved"),
    ({"cidr": "0.1.0.0/16"}, "InvalidInput", "reserved"),
    ({"cidr": "fd00::/64"}, "InvalidInput", "ip_version"),
    ({"cidr": "10.0.0.0/31"}, "InvalidInput", "incompatible with DHCP"),
    ({"ip_version": 5}, "InvalidInput", "[4, 6]"),
    ({"gateway_ip": "10.0.1.1"}, "InvalidInput", "is not valid on subnet"),
    ({"gateway_ip": "10.0.0.255"}, "InvalidInput", "is not valid on subnet"),
    ({"gateway_ip": "fd00::1"}, "InvalidInput", "ip_version"),
    ({"gateway_ip": "x"}, "HTTPBadRequest", "is not a valid IP address"),
    ({"allocation_pools": [{"start": "10.0.0.9"}]}, "HTTPBadRequest", "keys not found"),
    ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.2"}]}, "HTTPBadRequest", "ordered"),
    (
        {"allocation_pools": [{"start": "10.0.0.2", "end": "10.0.1.2"}]},
        "OutOfBoundsAllocationPool", "spans beyond",
    ),
    ({"allocation_pools": [{"start": "::1", "end": "::2"}]}, "InvalidAllocationPool", "not valid"),
    ({"dns_nameservers": ["x"]}, "HTTPBadRequest", "is not a valid IP address"),
    ({"dns_nameservers": ["::1"]}, "InvalidInput", "ip_version"),
    ({"dns_nameservers": ["9.9.9.9", "9.9.9.9"]}, "HTTPBadRequest", "duplicate"),
    (
        {"dns_nameservers": [f"9.9.9.{n}" for n in range(6)]},
        "DNSNameServersExhausted", "limit 5",
    ),
    ({"host_routes": [{"destination": "10.1.0.0/24"}]}, "HTTPBadRequest", "keys not found"),
    ({"host_routes": [{"a": 1}]}, "HTTPBadRequest", "unexpected keys"),
    ({"host_routes": ["a"]}, "HTTPBadRequest", "not a dictionary"),
    (
        {"host_routes": [{"destination": "fd00::/64", "nexthop": "fd01::1"}]},
        "InvalidInput", "ip_version",
    ),
    (
        {"host_routes": [{"destination": f"10.{n}.0.0/16", "nexthop": "10.0.0.9"}
                         for n in range(1, 22)]},
        "HostRoutesExhausted", "limit 20",
    ),
    ({"ipv6_ra_mode": "slaac"}, "InvalidInput", "ip_version is 4"),
    ({"subnetpool_id": "x"}, "HTTPBadRequest", "subnetpool_id"),
]  # fmt: skip


def test_bad_subnets_are_refused(net: Net) -> None:
    network = net.network()
    for values, name, says in BAD:
        body = {"network_id": network["id"], "cidr": "10.0.0.0/24", "ip_version": 4, **values}
        assert says in net.refused("POST", "subnets", {"subnet": body}, 400, name), values
    assert net.get("subnets")["subnets"] == net.get("ports")["ports"] == []


def test_required_attributes(net: Net) -> None:
    network = net.network()
    for body in ({}, {"network_id": network["id"]}, {"cidr": "10.0.0.0/24"}):
        message = net.refused("POST", "subnets", {"subnet": body}, 400, "HTTPBadRequest")
        assert "Required attribute" in message
    body = {"network_id": unknown_id(), "ip_version": 4, "cidr": "10.0.0.0/24"}
    net.refused("POST", "subnets", {"subnet": body}, 404, "NetworkNotFound")


@pytest.mark.parametrize(
    ("pools", "name"),
    [
        ([("10.0.0.1", "10.0.0.9")], "GatewayConflictWithAllocationPools"),
        ([("10.0.0.2", "10.0.0.9"), ("10.0.0.9", "10.0.0.20")], "OverlappingAllocationPools"),
    ],
)
def test_pools_that_conflict(net: Net, pools: list[tuple[str, str]], name: str) -> None:
    values = {
        "network_id": net.network()["id"], "cidr": "10.0.0.0/24", "ip_version": 4,
        "allocation_pools": [{"start": start, "end": end} for start, end in pools],
    }  # fmt: skip
    net.refused("POST", "subnets", {"subnet": values}, 409, name)


def test_overlap_is_refused_on_one_network_and_fine_on_two(net: Net) -> None:
    network = net.network()
    net.subnet(network, "10.0.0.0/24")
    body = {"network_id": network["id"], "cidr": "10.0.0.128/25", "ip_version": 4}
    assert "overlaps" in net.refused("POST", "subnets", {"subnet": body}, 400, "InvalidInput")
    net.subnet(net.network(), "10.0.0.0/24")
    other = Net(net.cloud, project="p2")
    other.subnet(other.network(), "10.0.0.0/24")


def test_pools_are_followed_and_changed(net: Net) -> None:
    network = net.network()
    made = net.subnet(
        network, enable_dhcp=False, gateway_ip="10.0.0.254",
        allocation_pools=[{"start": "10.0.0.20", "end": "10.0.0.20"},
                          {"start": "10.0.0.10", "end": "10.0.0.11"}],
    )  # fmt: skip
    got = [ips(net.port(network))[0] for _ in range(3)]
    assert got == ["10.0.0.10", "10.0.0.11", "10.0.0.20"]
    body = {"port": {"network_id": network["id"]}}
    net.refused("POST", "ports", body, 409, "IpAddressGenerationFailure")
    pools = [{"start": "10.0.0.10", "end": "10.0.0.12"}]
    net.put(f"subnets/{made['id']}", {"subnet": {"allocation_pools": pools}})
    assert ips(net.port(network)) == ["10.0.0.12"]


def test_gateways_change_unless_a_router_holds_them(net: Net) -> None:
    _, _, _, subnet = wired(net)
    path = f"subnets/{subnet['id']}"
    body = {"subnet": {"gateway_ip": "10.0.0.9"}}
    net.refused("PUT", path, body, 409, "GatewayIpInUse")
    network = net.network()
    free = net.subnet(network, "10.5.0.0/24", allocation_pools=[
        {"start": "10.5.0.100", "end": "10.5.0.200"}])  # fmt: skip
    path = f"subnets/{free['id']}"
    assert (
        net.put(path, {"subnet": {"gateway_ip": "10.5.0.9"}})["subnet"]["gateway_ip"] == "10.5.0.9"
    )
    assert net.put(path, {"subnet": {"gateway_ip": None}})["subnet"]["gateway_ip"] is None
    assert (
        net.put(path, {"subnet": {"gateway_ip": "10.5.0.8"}})["subnet"]["gateway_ip"] == "10.5.0.8"
    )
    for gateway, status, name in (
        ("10.5.0.150", 409, "GatewayConflictWithAllocationPools"),
        ("10.6.0.1", 400, "InvalidInput"),
    ):
        net.refused("PUT", path, {"subnet": {"gateway_ip": gateway}}, status, name)
    net.refused("PUT", path, {"subnet": {"cidr": "10.5.0.0/16"}}, 400, "HTTPBadRequest")
    net.cloud.settle()
    assert net.cloud.engine.networks[network["id"]].subnets[0].gateway == "10.5.0.8"


def test_updates_are_checked_as_creations(net: Net) -> None:
    network = net.network()
    tiny = net.subnet(network, "10.0.0.0/31", enable_dhcp=False)
    assert tiny["gateway_ip"] is None
    assert tiny["allocation_pools"] == [{"start": "10.0.0.0", "end": "10.0.0.1"}]
    path = f"subnets/{tiny['id']}"
    net.refused("PUT", path, {"subnet": {"enable_dhcp": True}}, 400, "InvalidInput")
    net.refused("PUT", path, {"subnet": {"dns_nameservers": ["::1"]}}, 400, "InvalidInput")
    routes = [{"destination": "10.2.0.0/16", "nexthop": "10.0.0.1"}]
    changed = net.put(
        path, {"subnet": {"host_routes": routes, "dns_nameservers": ["9.9.9.9"], "name": "t"}}
    )["subnet"]
    assert (changed["host_routes"], changed["name"]) == (routes, "t")
    assert ips(net.port(network)) == ["10.0.0.0"]


def test_ipv6_is_stored_with_its_modes(net: Net) -> None:
    network = net.network()
    made = net.subnet(network, "fd00::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    assert made["gateway_ip"] == "fd00::1"
    port = net.port(network, mac_address="fa:16:3e:00:00:01")
    assert ips(port) == ["fd00::f816:3eff:fe00:1"]
    net.refused(
        "PUT", f"subnets/{made['id']}", {"subnet": {"enable_dhcp": False}}, 400, "InvalidInput"
    )
    net.subnet(network, "fd01::/64", ipv6_ra_mode="dhcpv6-stateful",
               ipv6_address_mode="dhcpv6-stateful")  # fmt: skip
    net.subnet(network, "10.0.0.0/24")
    both = net.port(network)
    assert [":" in each for each in ips(both)] == [False, True, True]


@pytest.mark.parametrize(
    "values",
    [
        {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"},
        {"ipv6_ra_mode": "slaac", "enable_dhcp": False},
        {"ipv6_ra_mode": "slaac", "cidr": "fd00::/60"},
        {"cidr": "fd00::/127"},
    ],
)
def test_bad_ipv6_modes_are_refused(net: Net, values: Any) -> None:
    body = {"network_id": net.network()["id"], "cidr": "fd00::/64", "ip_version": 6, **values}
    net.refused("POST", "subnets", {"subnet": body}, 400, "InvalidInput")


def test_ipv6_needs_its_mtu(net: Net) -> None:
    network = net.network(mtu=1000)
    body = {"network_id": network["id"], "cidr": "fd00::/64", "ip_version": 6}
    net.refused("POST", "subnets", {"subnet": body}, 409, "NetworkMTUSubnetConflict")


def test_a_subnet_in_use_stays(net: Net) -> None:
    network = net.network()
    made = net.subnet(network)
    port = net.port(network)
    net.refused("DELETE", f"subnets/{made['id']}", None, 409, "SubnetInUse")
    net.delete(f"ports/{port['id']}")
    net.delete(f"subnets/{made['id']}")


def test_subnets_are_their_projects(net: Net) -> None:
    made, other = net.subnet(net.network()), Net(net.cloud, project="p2")
    path = f"subnets/{made['id']}"
    for method, body in (("GET", None), ("PUT", {"subnet": {}}), ("DELETE", None)):
        other.refused(method, path, body, 404, "SubnetNotFound")
    shared = Net(net.cloud, "admin", "ops")
    theirs = shared.subnet(shared.network(shared=True), "10.8.0.0/24")
    assert other.get(f"subnets/{theirs['id']}")["subnet"]["project_id"] == "ops"
    other.refused("DELETE", f"subnets/{theirs['id']}", None, 403, "PolicyNotAuthorized")


def test_use_of_addresses_is_counted(net: Net) -> None:
    network = net.network(name="n")
    net.subnet(network)
    net.port(network)
    admin = Net(net.cloud, "admin", "ops")
    one = admin.get(f"network-ip-availabilities/{network['id']}")["network_ip_availability"]
    assert (one["total_ips"], one["used_ips"]) == (253, 2)
    found = admin.get("network-ip-availabilities?network_name=n&ip_version=4")
    assert found["network_ip_availabilities"] == [one]
    net.call("GET", "network-ip-availabilities").expect(403)
