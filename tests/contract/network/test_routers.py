"""Routers and floating IPs: legs, gateways, routes, what the engine is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, outside, wired
from tests.harness import unknown_id


def leg(net: Net, router: Any, act: str, status: int = 200, **named: str) -> Any:
    return net.put(f"routers/{router['id']}/{act}_router_interface", named, status)


def test_a_router_is_made_on_the_host(net: Net) -> None:
    external, router, network, subnet = wired(net)
    assert (router["status"], router["routes"], router["availability_zones"]) == (
        "ACTIVE", [], ["nova"],
    )  # fmt: skip
    net.cloud.settle()
    shown = net.get(f"routers/{router['id']}")["router"]
    info = shown["external_gateway_info"]
    assert shown["status"] == "ACTIVE"
    assert info["network_id"] == external["id"]
    assert info["enable_snat"] is True
    assert [each["ip_address"] for each in info["external_fixed_ips"]] == ["172.24.4.2"]
    spec = net.cloud.engine.routers[router["id"]]
    assert spec.enabled
    assert spec.snat
    assert spec.gateway is not None
    assert (spec.gateway.addresses, spec.gateway_next_hop) == (("172.24.4.2/24",), "172.24.4.1")
    [inside] = spec.interfaces
    assert (inside.network_id, inside.addresses) == (network["id"], ("10.0.0.1/24",))
    port = net.get(f"ports/{inside.port_id}")["port"]
    assert (port["device_owner"], port["device_id"], port["status"], port["mac_address"]) == (
        "network:router_interface", router["id"], "ACTIVE", inside.mac,
    )  # fmt: skip
    gateway = f"ports?device_id={router['id']}&device_owner=network:router_gateway"
    assert net.get(gateway)["ports"] == []  # the operator's
    assert len(Net(net.cloud, "admin", "ops").get(gateway)["ports"]) == 1
    assert net.get(f"subnets/{subnet['id']}")["subnet"]["gateway_ip"] == "10.0.0.1"


def test_legs_come_and_go(net: Net) -> None:
    router, network = net.router(), net.network()
    subnet = net.subnet(network)
    added = leg(net, router, "add", subnet_id=subnet["id"])
    assert added == {
        "id": router["id"], "project_id": "p1", "tenant_id": "p1", "network_id": network["id"],
        "port_id": added["port_id"], "subnet_id": subnet["id"], "subnet_ids": [subnet["id"]],
    }  # fmt: skip
    net.cloud.settle()
    assert len(net.cloud.engine.routers[router["id"]].interfaces) == 1
    net.refused("DELETE", f"routers/{router['id']}", None, 409, "RouterInUse")
    net.refused("DELETE", f"subnets/{subnet['id']}", None, 409, "SubnetInUse")
    net.refused("DELETE", f"networks/{network['id']}", None, 409, "NetworkInUse")
    removed = leg(net, router, "remove", subnet_id=subnet["id"])
    assert removed == added
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].interfaces == ()
    net.delete(f"routers/{router['id']}")
    net.refused("GET", f"routers/{router['id']}", None, 404, "RouterNotFound")
    net.cloud.settle()
    assert net.cloud.engine.routers == {}


def test_a_leg_by_port(net: Net) -> None:
    router, network = net.router(), net.network()
    subnet = net.subnet(network)
    port = net.port(network)
    added = leg(net, router, "add", port_id=port["id"])
    assert added["subnet_ids"] == [subnet["id"]]
    net.cloud.settle()
    spec = net.cloud.engine.routers[router["id"]]
    assert spec.interfaces[0].addresses == ("10.0.0.3/24",)
    leg(net, router, "remove", port_id=port["id"], subnet_id=subnet["id"])
    net.refused("GET", f"ports/{port['id']}", None, 404, "PortNotFound")


def test_bad_legs_are_refused(net: Net) -> None:
    router, network = net.router(), net.network()
    subnet, none = net.subnet(network), net.subnet(network, "10.0.1.0/24", gateway_ip=None)
    external_only = net.subnet(
        net.network(), "fd00::/64", ipv6_address_mode="slaac", ipv6_ra_mode=None
    )
    overlap = net.subnet(net.network(), "10.0.0.0/16")
    held = net.port(network, device_id="x")
    bare = net.port(network, fixed_ips=[])
    two = net.port(network, fixed_ips=[{"subnet_id": subnet["id"]}, {"subnet_id": none["id"]}])
    path = f"routers/{router['id']}/add_router_interface"
    leg(net, router, "add", subnet_id=subnet["id"])
    cases: list[tuple[Any, int, str]] = [
        (None, 400, "BadRequest"),
        ([], 400, "BadRequest"),
        ({}, 400, "BadRequest"),
        ({"subnet_id": "x"}, 400, "BadRequest"),
        ({"subnet_id": subnet["id"], "port_id": held["id"]}, 400, "BadRequest"),
        ({"subnet_id": unknown_id()}, 404, "SubnetNotFound"),
        ({"port_id": unknown_id()}, 404, "PortNotFound"),
        ({"subnet_id": subnet["id"]}, 400, "BadRequest"),
        ({"subnet_id": none["id"]}, 400, "BadRequest"),
        ({"subnet_id": overlap["id"]}, 400, "BadRequest"),
        ({"subnet_id": external_only["id"]}, 400, "BadRequest"),
        ({"port_id": held["id"]}, 409, "PortInUse"),
        ({"port_id": bare["id"]}, 400, "BadRequest"),
        ({"port_id": two["id"]}, 400, "BadRequest"),
    ]
    for body, status, name in cases:
        net.refused("PUT", path, body, status, name)
    path = f"routers/{router['id']}/remove_router_interface"
    port = net.get(f"ports?device_id={router['id']}")["ports"][0]
    for body, status, name in (
        ({"subnet_id": unknown_id()}, 404, "SubnetNotFound"),
        ({"subnet_id": none["id"]}, 404, "RouterInterfaceNotFoundForSubnet"),
        ({"port_id": held["id"]}, 404, "RouterInterfaceNotFound"),
        ({"port_id": port["id"], "subnet_id": none["id"]}, 400, "SubnetMismatchForPort"),
    ):
        net.refused("PUT", path, body, status, name)


def test_strangers_subnets_and_ports_are_not_joined(net: Net) -> None:
    admin, router = Net(net.cloud, "admin", "ops"), net.router()
    shared = admin.network(shared=True)
    subnet = admin.subnet(shared)
    path = f"routers/{router['id']}/add_router_interface"
    net.refused("PUT", path, {"subnet_id": subnet["id"]}, 400, "BadRequest")
    mine = net.network()
    net.subnet(mine)
    theirs = admin.port(mine)  # seen by the network's owner, and not its own
    net.refused("PUT", path, {"port_id": theirs["id"]}, 400, "BadRequest")
    other = Net(net.cloud, project="p2")
    other.refused("PUT", path, {"subnet_id": subnet["id"]}, 404, "RouterNotFound")


def test_gateways_change(net: Net) -> None:
    external, inner = outside(net.cloud), net.network()
    router = net.router(name="r")
    path = f"routers/{router['id']}"
    put = lambda info, status=200: net.put(  # noqa: E731
        path, {"router": {"external_gateway_info": info}}, status
    )
    assert router["external_gateway_info"] is None
    put({"network_id": inner["id"]}, 400)
    put({"network_id": unknown_id()}, 404)
    put({"colour": 1}, 400)
    info = put({"network_id": external["id"]})["router"]["external_gateway_info"]
    again = put({"network_id": external["id"], "enable_snat": True})["router"]
    assert again["external_gateway_info"] == info
    put({"network_id": external["id"], "enable_snat": False}, 403)
    put({"network_id": external["id"], "external_fixed_ips": [{"ip_address": "172.24.4.9"}]}, 403)
    admin = Net(net.cloud, "admin", "ops")
    body = {"network_id": external["id"], "enable_snat": False,
            "external_fixed_ips": [{"ip_address": "172.24.4.9"}]}  # fmt: skip
    changed = admin.put(path, {"router": {"external_gateway_info": body}})["router"]
    fixed = changed["external_gateway_info"]["external_fixed_ips"]
    assert [each["ip_address"] for each in fixed] == ["172.24.4.9"]
    body["external_fixed_ips"] = fixed
    same = admin.put(path, {"router": {"external_gateway_info": body}})["router"]
    assert same["external_gateway_info"]["external_fixed_ips"] == fixed
    net.cloud.settle()
    spec = net.cloud.engine.routers[router["id"]]
    assert not spec.snat
    assert spec.gateway is not None
    assert spec.gateway.addresses == ("172.24.4.9/24",)
    assert put({})["router"]["external_gateway_info"] is None
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].gateway is None


def test_a_gateway_needs_an_address_and_room(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    bare = admin.network(**{"router:external": True})
    body = {"router": {"external_gateway_info": {"network_id": bare["id"]}}}
    net.refused("POST", "routers", body, 400, "BadRequest")
    admin.subnet(bare, "10.0.0.0/24", enable_dhcp=False)
    router, subnet = net.router(), net.subnet(net.network(), "10.0.0.0/25")
    leg(net, router, "add", subnet_id=subnet["id"])
    net.refused("PUT", f"routers/{router['id']}", body, 400, "BadRequest")


def test_the_external_subnets_gateway_is_the_next_hop(net: Net) -> None:
    external, router, _, _ = wired(net)
    admin = Net(net.cloud, "admin", "ops")
    subnet = admin.get(f"subnets?network_id={external['id']}")["subnets"][0]
    pools = [{"start": "172.24.4.2", "end": "172.24.4.200"}]
    change = {"allocation_pools": pools, "gateway_ip": "172.24.4.254"}
    admin.put(f"subnets/{subnet['id']}", {"subnet": change})
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].gateway_next_hop == "172.24.4.254"


def test_static_routes(net: Net) -> None:
    _, router, _, subnet = wired(net)
    path = f"routers/{router['id']}"
    one = {"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}
    two = {"destination": "10.8.0.0/16", "nexthop": "10.0.0.8"}
    assert net.put(path, {"router": {"routes": [one]}})["router"]["routes"] == [one]
    added = net.put(f"{path}/add_extraroutes", {"router": {"routes": [one, two]}})["router"]
    assert added["routes"] == [one, two]
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].routes == (
        ("10.9.0.0/16", "10.0.0.9"), ("10.8.0.0/16", "10.0.0.8"),
    )  # fmt: skip
    body = {"subnet_id": subnet["id"]}
    net.refused("PUT", f"{path}/remove_router_interface", body, 409, "RouterInterfaceInUseByRoute")
    left = net.put(f"{path}/remove_extraroutes", {"router": {"routes": [one]}})["router"]
    assert left["routes"] == [two]
    for hop in ("10.7.0.1", "10.0.0.1"):
        bad = {"router": {"routes": [{"destination": "10.9.0.0/16", "nexthop": hop}]}}
        net.refused("PUT", path, bad, 400, "InvalidRoutes")
    many = [{"destination": f"10.{n}.0.0/16", "nexthop": "10.0.0.9"} for n in range(1, 32)]
    net.refused("PUT", path, {"router": {"routes": many}}, 400, "RoutesExhausted")
    net.refused("POST", "routers", {"router": {"routes": []}}, 400, "HTTPBadRequest")
    bad = {"router": {"routes": [], "name": "x"}}
    net.refused("PUT", f"{path}/add_extraroutes", bad, 400, "HTTPBadRequest")


def test_a_route_through_the_gateway_goes_with_it(net: Net) -> None:
    _, router, _, _ = wired(net)
    path = f"routers/{router['id']}"
    route = {"destination": "10.9.0.0/16", "nexthop": "172.24.4.99"}
    net.put(path, {"router": {"routes": [route]}})
    body = {"router": {"external_gateway_info": None}}
    net.refused("PUT", path, body, 400, "InvalidRoutes")
    net.put(path, {"router": {"external_gateway_info": None, "routes": []}})


def test_a_router_down_is_told(net: Net) -> None:
    _, router, _, _ = wired(net)
    net.put(f"routers/{router['id']}", {"router": {"admin_state_up": False, "name": "r"}})
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].enabled is False
    port = net.get(f"ports?device_id={router['id']}")["ports"][0]
    assert port["status"] == "ACTIVE", "it is wired, though nothing passes the router"
    assert net.get("routers?name=r")["routers"][0]["admin_state_up"] is False


@pytest.mark.parametrize("permanent", [True, False])
def test_failures_show_or_heal(net: Net, permanent: bool) -> None:
    net.cloud.engine.faults.fail("ensure_router", 1, permanent=permanent)
    router = net.router()
    net.cloud.settle()
    status = net.get(f"routers/{router['id']}")["router"]["status"]
    assert status == ("ERROR" if permanent else "ACTIVE")


def test_a_failed_router_shows_on_its_floating_ips(net: Net) -> None:
    external, router, network, _ = wired(net)
    net.cloud.settle()
    made = net.floating(external, port_id=net.port(network)["id"])
    net.cloud.engine.faults.fail("ensure_router", permanent=True)
    net.cloud.settle()
    assert net.get(f"floatingips/{made['id']}")["floatingip"]["status"] == "ERROR"
    assert net.get(f"routers/{router['id']}")["router"]["status"] == "ERROR"
    net.put(f"routers/{router['id']}", {"router": {"name": "again"}})
    net.cloud.settle()
    assert net.get(f"floatingips/{made['id']}")["floatingip"]["status"] == "ACTIVE"
