"""Port forwardings: what they ask, what routers do of them, and what ends them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, wired
from tests.contract.network.test_routers import leg
from tests.harness import unknown_id


class Site:
    """A router with a gateway, a server's port behind it, a floating IP."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.external, self.router, self.network, self.subnet = wired(net)
        self.port = net.port(self.network)
        self.inner = self.port["fixed_ips"][0]["ip_address"]
        self.floating = net.floating(self.external)
        self.path = f"floatingips/{self.floating['id']}/port_forwardings"

    def add(self, **values: Any) -> Any:
        body = {"protocol": "tcp", "internal_port_id": self.port["id"], "external_port": 2222,
                "internal_port": 22, "internal_ip_address": self.inner, **values}  # fmt: skip
        wanted = {k: v for k, v in body.items() if v is not None}
        return self.net.post(self.path, {"port_forwarding": wanted})["port_forwarding"]

    def refused(self, status: int, name: str, **values: Any) -> None:
        body = {"protocol": "tcp", "internal_port_id": self.port["id"], "external_port": 80,
                "internal_port": 80, "internal_ip_address": self.inner, **values}  # fmt: skip
        self.net.refused("POST", self.path, {"port_forwarding": body}, status, name)

    def shown(self) -> Any:
        return self.net.get(f"floatingips/{self.floating['id']}")["floatingip"]

    def told(self) -> list[tuple[str, int, str, int]]:
        self.net.cloud.settle()
        forwards = self.net.cloud.engine.routers[self.router["id"]].forwards
        return [(each.protocol, each.port, each.fixed, each.fixed_port) for each in forwards]


@pytest.fixture
def site(net: Net) -> Site:
    return Site(net)


def test_a_forwarding_lives(site: Site) -> None:
    net = site.net
    made = site.add(description="ssh")
    assert made == {
        "id": made["id"], "description": "ssh", "protocol": "tcp", "external_port": 2222,
        "external_port_range": "2222:2222", "internal_port": 22, "internal_port_range": "22:22",
        "internal_port_id": site.port["id"], "internal_ip_address": site.inner,
    }  # fmt: skip
    assert net.get(f"{site.path}/{made['id']}")["port_forwarding"] == made
    assert net.get(f"{site.path}?protocol=tcp&external_port=2222")["port_forwardings"] == [made]
    assert net.get(f"{site.path}?protocol=udp")["port_forwardings"] == []
    shown = site.shown()
    assert (shown["router_id"], shown["port_id"]) == (site.router["id"], None)
    assert [each["id"] for each in shown["port_forwardings"]] == [made["id"]]
    assert site.told() == [("tcp", 2222, site.inner, 22)]
    assert site.shown()["status"] == "ACTIVE"
    changed = net.put(f"{site.path}/{made['id']}",
                      {"port_forwarding": {"external_port": 2200, "protocol": "udp"}})  # fmt: skip
    assert changed["port_forwarding"]["external_port"] == 2200
    assert site.told() == [("udp", 2200, site.inner, 22)]
    net.delete(f"{site.path}/{made['id']}")
    assert site.told() == []
    net.refused("GET", f"{site.path}/{made['id']}", None, 404, "PortForwardingNotFound")
    assert (site.shown()["router_id"], site.shown()["status"]) == (None, "DOWN")


def test_ranges_are_port_by_port(site: Site) -> None:
    ranged = {"external_port": None, "internal_port": None}
    site.add(external_port_range="8000:8002", internal_port_range="80:82", **ranged)
    site.add(protocol="udp", external_port_range="53", internal_port_range="5353", **ranged)
    body = {"protocol": "tcp", "internal_port_id": site.port["id"], "internal_port": 90,
            "external_port_range": "9000:9001", "internal_port_range": None,
            "internal_ip_address": site.inner}  # fmt: skip
    site.net.post(site.path, {"port_forwarding": body})
    assert sorted(site.told()) == [
        ("tcp", 8000, site.inner, 80), ("tcp", 8001, site.inner, 81), ("tcp", 8002, site.inner, 82),
        ("tcp", 9000, site.inner, 90), ("tcp", 9001, site.inner, 90),
        ("udp", 53, site.inner, 5353),
    ]  # fmt: skip


def test_bad_forwardings_are_refused(site: Site) -> None:
    site.add(external_port=80)
    site.refused(400, "BadRequest")
    site.refused(400, "BadRequest", external_port=None, external_port_range="70:90")
    for status, name, values in (
        (400, "HTTPBadRequest", {"protocol": "icmp"}),
        (400, "HTTPBadRequest", {"internal_ip_address": None}),
        (400, "HTTPBadRequest", {"external_port": 0}),
        (400, "HTTPBadRequest", {"external_port_range": "9:8"}),
        (400, "HTTPBadRequest", {"external_port_range": "1:2000"}),
        (400, "BadRequest", {"external_port_range": "81:82"}),
        (400, "BadRequest", {"external_port": None}),
        (400, "BadRequest", {"external_port": None, "external_port_range": "81:83",
                             "internal_port": None, "internal_port_range": "81:82"}),
        (400, "BadRequest", {"external_port": 81, "internal_ip_address": "10.0.0.99"}),
        (404, "PortNotFound", {"internal_port_id": unknown_id()}),
    ):  # fmt: skip
        site.refused(status, name, **values)
    bare = site.net.port(site.net.network())
    site.refused(400, "BadRequest", external_port=81, internal_port_id=bare["id"])
    gate = site.net.get(f"ports?device_id={site.router['id']}")["ports"][0]["id"]
    site.refused(400, "BadRequest", external_port=81, internal_port_id=gate)
    site.net.refused(
        "POST", f"floatingips/{unknown_id()}/port_forwardings",
        {"port_forwarding": {"protocol": "tcp"}}, 404, "FloatingIPNotFound",
    )  # fmt: skip


def test_what_goes_through_one_router_goes_through_no_other(site: Site) -> None:
    net = site.net
    other, network = net.router(), net.network()
    block = net.subnet(network, "10.5.0.0/24")
    port = net.port(network)
    there = {"internal_port_id": port["id"],
             "internal_ip_address": port["fixed_ips"][0]["ip_address"]}  # fmt: skip
    site.refused(404, "ExternalGatewayForFloatingIPNotFound", **there)
    leg(net, other, "add", subnet_id=block["id"])
    gateway = {"router": {"external_gateway_info": {"network_id": site.external["id"]}}}
    net.put(f"routers/{other['id']}", gateway)
    site.add()
    site.refused(400, "BadRequest", **there)
    second = site.add(external_port=81)
    change = {"port_forwarding": {"internal_port_id": port["id"]}}
    net.refused("PUT", f"{site.path}/{second['id']}", change, 400, "BadRequest")


def test_a_floating_ip_does_one_or_the_other(site: Site) -> None:
    net = site.net
    whole = net.floating(site.external, port_id=site.port["id"])
    body = {"port_forwarding": {"protocol": "tcp", "internal_port_id": site.port["id"],
                                "external_port": 1, "internal_port": 1,
                                "internal_ip_address": site.inner}}  # fmt: skip
    net.refused(
        "POST",
        f"floatingips/{whole['id']}/port_forwardings",
        body,
        409,
        "FloatingIPPortAlreadyAssociated",
    )
    site.refused(409, "PortHasBindingFloatingIP")
    net.put(f"floatingips/{whole['id']}", {"floatingip": {"port_id": None}})
    made = site.add()
    path = f"floatingips/{site.floating['id']}"
    target = {"floatingip": {"port_id": site.port["id"]}}
    net.refused("PUT", path, target, 409, "FipInUseByPortForwarding")
    net.refused("DELETE", path, None, 409, "FipInUseByPortForwarding")
    assert [each[1] for each in site.told()] == [2222]
    assert net.put(path, {"floatingip": {"port_id": None}})["floatingip"]["router_id"] is not None
    foreign = f"floatingips/{whole['id']}/port_forwardings/{made['id']}"
    net.refused("GET", foreign, None, 404, "PortForwardingNotFound")
    net.delete(f"{site.path}/{made['id']}")
    net.delete(path)
    assert site.told() == []


def test_a_forwarding_is_turned_to_no_port_that_has_a_floating_ip(site: Site) -> None:
    net = site.net
    made = site.add()
    second = net.port(site.network)
    net.floating(site.external, port_id=second["id"])
    change = {"port_forwarding": {"internal_port_id": second["id"]}}
    net.refused("PUT", f"{site.path}/{made['id']}", change, 409, "PortHasBindingFloatingIP")
    other = {"port_forwarding": {"external_port": 2223}}
    assert net.put(f"{site.path}/{made['id']}", other)["port_forwarding"]["external_port"] == 2223


def test_a_port_that_is_forwarded_to_may_have_a_floating_ip_as_well(site: Site) -> None:
    """As upstream where routers are of one place."""
    made = site.add()
    whole = site.net.floating(site.external, port_id=site.port["id"])
    assert whole["fixed_ip_address"] == site.inner
    other = {"port_forwarding": {"external_port": 2223}}
    site.net.put(f"{site.path}/{made['id']}", other)


def test_a_port_takes_its_forwardings_along(site: Site) -> None:
    net = site.net
    second = net.port(site.network)
    site.add()
    site.add(
        external_port=81,
        internal_port_id=second["id"],
        internal_ip_address=second["fixed_ips"][0]["ip_address"],
    )
    net.refused("DELETE", f"subnets/{site.subnet['id']}", None, 409, "SubnetInUse")
    named = {"subnet_id": site.subnet["id"]}
    path = f"routers/{site.router['id']}/remove_router_interface"
    net.refused("PUT", path, named, 409, "RouterInterfaceInUseByFloatingIP")
    net.delete(f"ports/{second['id']}")
    assert [each[1] for each in site.told()] == [2222]
    net.put(f"ports/{site.port['id']}", {"port": {"fixed_ips": [{"ip_address": "10.0.0.200"}]}})
    assert site.told() == []
    assert site.shown()["router_id"] is None
    net.put(path, named)


def test_strangers_have_no_part_in_it(site: Site) -> None:
    other = Net(site.net.cloud, project="p2")
    made = site.add()
    for method, body in (("GET", None), ("PUT", {"port_forwarding": {}}), ("DELETE", None)):
        other.refused(method, f"{site.path}/{made['id']}", body, 404, "FloatingIPNotFound")
    mine = other.floating(site.external)
    body = {"port_forwarding": {"protocol": "tcp", "internal_port_id": site.port["id"],
                                "external_port": 1, "internal_port": 1,
                                "internal_ip_address": site.inner}}  # fmt: skip
    path = f"floatingips/{mine['id']}/port_forwardings"
    other.refused("POST", path, body, 404, "PortNotFound")


def test_a_shown_field(site: Site) -> None:
    made = site.add()
    path = f"{site.path}/{made['id']}?fields=external_port"
    assert site.net.get(path) == {"port_forwarding": {"external_port": 2222}}
