"""Floating IPs: addresses of the external network that stand for a port's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, outside, wired
from tests.harness import unknown_id


def test_one_is_made_mapped_and_parted(net: Net) -> None:
    external, router, network, subnet = wired(net)
    port = net.port(network, name="p")
    made = net.floating(external, port_id=port["id"], description="d")
    assert (made["floating_ip_address"], made["fixed_ip_address"], made["router_id"]) == (
        "172.24.4.3", "10.0.0.3", router["id"],
    )  # fmt: skip
    assert (made["status"], made["port_details"]["name"]) == ("DOWN", "p")
    assert "name" not in made
    path = f"floatingips/{made['id']}"
    net.cloud.settle()
    assert net.get(path)["floatingip"]["status"] == "ACTIVE"
    [told] = net.cloud.engine.routers[router["id"]].floating
    assert (told.id, told.floating, told.fixed) == (made["id"], "172.24.4.3", "10.0.0.3")
    body = {"subnet_id": subnet["id"]}
    net.refused(
        "PUT", f"routers/{router['id']}/remove_router_interface", body,
        409, "RouterInterfaceInUseByFloatingIP",
    )  # fmt: skip
    net.refused(
        "PUT", f"routers/{router['id']}", {"router": {"external_gateway_info": {}}},
        409, "RouterExternalGatewayInUseByFloatingIp",
    )  # fmt: skip
    parted = net.put(path, {"floatingip": {"port_id": None}})["floatingip"]
    assert (parted["port_id"], parted["fixed_ip_address"], parted["status"]) == (None, None, "DOWN")
    assert parted["port_details"] is None
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].floating == ()


def test_a_description_leaves_the_mapping(net: Net) -> None:
    external, _, network, _ = wired(net)
    made = net.floating(external, port_id=net.port(network)["id"])
    net.cloud.settle()
    path = f"floatingips/{made['id']}"
    changed = net.put(path, {"floatingip": {"description": "x"}})["floatingip"]
    assert (changed["port_id"], changed["status"], changed["description"]) == (
        made["port_id"], "ACTIVE", "x",
    )  # fmt: skip
    same = net.put(path, {"floatingip": {"port_id": made["port_id"]}})["floatingip"]
    assert same["status"] == "ACTIVE"


def test_deletion_frees_the_address(net: Net) -> None:
    external, router, network, _ = wired(net)
    made = net.floating(external, port_id=net.port(network)["id"])
    net.delete(f"floatingips/{made['id']}")
    net.refused("GET", f"floatingips/{made['id']}", None, 404, "FloatingIPNotFound")
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].floating == ()
    assert net.floating(external)["floating_ip_address"] == made["floating_ip_address"]


def test_a_ports_end_parts_it(net: Net) -> None:
    external, router, network, _ = wired(net)
    port = net.port(network)
    made = net.floating(external, port_id=port["id"])
    net.cloud.settle()
    net.delete(f"ports/{port['id']}")
    assert net.get(f"floatingips/{made['id']}")["floatingip"]["port_id"] is None
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].floating == ()


def test_an_address_that_leaves_its_port_parts_it(net: Net) -> None:
    external, _, network, _ = wired(net)
    port = net.port(network, fixed_ips=[{"ip_address": "10.0.0.7"}, {"ip_address": "10.0.0.8"}])
    made = net.floating(external, port_id=port["id"], fixed_ip_address="10.0.0.8")
    keep = {"port": {"fixed_ips": [{"ip_address": "10.0.0.8"}]}}
    net.put(f"ports/{port['id']}", keep)
    assert net.get(f"floatingips/{made['id']}")["floatingip"]["fixed_ip_address"] == "10.0.0.8"
    net.put(f"ports/{port['id']}", {"port": {"fixed_ips": [{"ip_address": "10.0.0.7"}]}})
    assert net.get(f"floatingips/{made['id']}")["floatingip"]["port_id"] is None


def test_it_moves(net: Net) -> None:
    external, router, network, _ = wired(net)
    one, two = net.port(network), net.port(network)
    made = net.floating(external, port_id=one["id"])
    moved = net.put(f"floatingips/{made['id']}", {"floatingip": {"port_id": two["id"]}})
    assert moved["floatingip"]["fixed_ip_address"] == "10.0.0.4"
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].floating[0].fixed == "10.0.0.4"
    other = net.floating(external)
    body = {"floatingip": {"port_id": two["id"]}}
    path = f"floatingips/{other['id']}"
    net.refused("PUT", path, body, 409, "FloatingIPPortAlreadyAssociated")


def test_bad_mappings_are_refused(net: Net) -> None:
    external, router, network, _ = wired(net)
    lonely = net.network()
    net.subnet(lonely, "10.3.0.0/24")
    two = net.port(network, fixed_ips=[{"ip_address": "10.0.0.7"}, {"ip_address": "10.0.0.8"}])
    six = net.network()
    net.subnet(six, "fd00::/64")
    leg = net.get(f"ports?device_id={router['id']}")["ports"][0]
    cases: list[tuple[Any, int, str]] = [
        ({"port_id": unknown_id()}, 404, "PortNotFound"),
        ({"fixed_ip_address": "10.0.0.3"}, 400, "BadRequest"),
        ({"port_id": two["id"]}, 400, "BadRequest"),
        ({"port_id": two["id"], "fixed_ip_address": "10.0.0.9"}, 400, "BadRequest"),
        ({"port_id": two["id"], "fixed_ip_address": "fd00::1"}, 400, "BadRequest"),
        ({"port_id": net.port(six)["id"]}, 400, "BadRequest"),
        ({"port_id": leg["id"]}, 400, "BadRequest"),
        ({"port_id": net.port(lonely)["id"]}, 404, "ExternalGatewayForFloatingIPNotFound"),
        ({"floating_ip_address": "172.24.4.50"}, 403, "PolicyNotAuthorized"),
        ({"subnet_id": unknown_id()}, 400, "InvalidInput"),
        ({"colour": "red"}, 400, "HTTPBadRequest"),
    ]
    for values, status, name in cases:
        body = {"floatingip": {"floating_network_id": external["id"], **values}}
        net.refused("POST", "floatingips", body, status, name)
    body = {"floatingip": {"floating_network_id": network["id"]}}
    net.refused("POST", "floatingips", body, 400, "BadRequest")
    assert net.get("floatingips")["floatingips"] == []
    assert net.floating(external)["floating_ip_address"] == "172.24.4.3"  # none was lost


def test_operators_choose_addresses(net: Net) -> None:
    external, admin = outside(net.cloud), Net(net.cloud, "admin", "p1")
    subnet = admin.get(f"subnets?network_id={external['id']}")["subnets"][0]
    made = admin.floating(external, floating_ip_address="172.24.4.50", subnet_id=subnet["id"])
    assert made["floating_ip_address"] == "172.24.4.50"
    found = net.get("floatingips?floating_ip_address=172.24.4.50")["floatingips"]
    assert [each["id"] for each in found] == [made["id"]]
    port = admin.get("ports?device_owner=network:floatingip")["ports"][0]
    assert (port["status"], port["device_id"], port["project_id"]) == ("N/A", made["id"], "")


def test_an_external_network_may_be_empty_or_used_up(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    empty = admin.network(**{"router:external": True})
    body = {"floatingip": {"floating_network_id": empty["id"]}}
    net.refused("POST", "floatingips", body, 400, "BadRequest")
    admin.subnet(empty, "172.30.0.0/30", enable_dhcp=False)
    net.floating(empty)
    net.refused("POST", "floatingips", body, 409, "IpAddressGenerationFailure")


def test_the_subnets_own_gateway_router_is_preferred(net: Net) -> None:
    external, router, network, _ = wired(net)
    second = net.router(external_gateway_info={"network_id": external["id"]})
    by_port = net.port(network)
    net.put(f"routers/{second['id']}/add_router_interface", {"port_id": by_port["id"]})
    port = net.port(network)
    assert net.floating(external, port_id=port["id"])["router_id"] == router["id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_they_are_their_projects(net: Net, method: str) -> None:
    made = net.floating(outside(net.cloud))
    other = Net(net.cloud, project="p2")
    body = {"floatingip": {}} if method == "PUT" else None
    other.refused(method, f"floatingips/{made['id']}", body, 404, "FloatingIPNotFound")


def test_anothers_port_is_not_reached(net: Net) -> None:
    external, _, network, _ = wired(net)
    admin = Net(net.cloud, "admin", "p9")
    theirs = admin.port(network)
    body = {"floatingip": {"floating_network_id": external["id"], "port_id": theirs["id"]}}
    net.refused("POST", "floatingips", body, 400, "BadRequest")
