"""Subnet pools and address scopes: what is cut from them, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.network.pools import plan
from tests.contract.network.kit import Net
from tests.harness import unknown_id


def pool(net: Net, *prefixes: str, **more: Any) -> Any:
    body = {"name": "p", "prefixes": list(prefixes or ["10.8.0.0/16"]), **more}
    return net.post("subnetpools", {"subnetpool": body})["subnetpool"]


def scope(net: Net, **more: Any) -> Any:
    body = {"name": "s", "ip_version": 4, **more}
    return net.post("address-scopes", {"address_scope": body})["address_scope"]


def cut(net: Net, network: Any, **more: Any) -> Any:
    body = {"network_id": network["id"], "ip_version": 4, **more}
    return net.post("subnets", {"subnet": body})["subnet"]


def admin(net: Net) -> Net:
    return Net(net.cloud, "admin", "ops")


def test_a_pool_lives(net: Net) -> None:
    made = pool(net, "10.8.1.0/24", "10.8.0.0/24", default_prefixlen=26, description="d")
    assert made["prefixes"] == ["10.8.0.0/23"]
    assert (made["ip_version"], made["shared"], made["is_default"]) == (4, False, False)
    lengths = ("min_prefixlen", "default_prefixlen", "max_prefixlen")
    assert [made[name] for name in lengths] == ["8", "26", "32"]
    path = f"subnetpools/{made['id']}"
    assert net.get(path)["subnetpool"] == made
    change = {"name": "q", "prefixes": ["10.8.0.0/22"], "default_prefixlen": "28"}
    changed = net.put(path, {"subnetpool": change})["subnetpool"]
    assert (changed["name"], changed["prefixes"], changed["default_prefixlen"]) == (
        "q", ["10.8.0.0/22"], "28",
    )  # fmt: skip
    assert changed["revision_number"] == 1
    net.put(f"{path}/tags/t", None, 201)
    assert net.get("subnetpools?tags=t&name=q")["subnetpools"][0]["tags"] == ["t"]
    net.delete(path)
    net.refused("GET", path, None, 404, "SubnetPoolNotFound")


def test_an_ipv6_pool_has_other_bounds(net: Net) -> None:
    made = pool(net, "fd00::/48")
    assert (made["ip_version"], made["min_prefixlen"], made["max_prefixlen"]) == (6, "64", "128")


BAD: list[tuple[Any, int, str]] = [
    ({"prefixes": []}, 400, "HTTPBadRequest"),
    ({"prefixes": ["10.0.0.0/8", "fd00::/8"]}, 400, "PrefixVersionMismatch"),
    ({"prefixes": ["x"]}, 400, "HTTPBadRequest"),
    ({"name": " "}, 400, "HTTPBadRequest"),
    ({"name": ""}, 400, "HTTPBadRequest"),
    ({"min_prefixlen": 33}, 400, "IllegalSubnetPoolPrefixBounds"),
    ({"max_prefixlen": 33}, 400, "IllegalSubnetPoolPrefixBounds"),
    ({"default_prefixlen": 7}, 400, "IllegalSubnetPoolPrefixBounds"),
    ({"default_prefixlen": 25, "max_prefixlen": 24}, 400, "IllegalSubnetPoolPrefixBounds"),
    ({"default_quota": -1}, 400, "HTTPBadRequest"),
    ({"is_default": True}, 403, "PolicyNotAuthorized"),
    ({"shared": True}, 403, "PolicyNotAuthorized"),
    ({"address_scope_id": unknown_id()}, 404, "AddressScopeNotFound"),
]


def test_bad_pools_are_refused(net: Net) -> None:
    for values, status, name in BAD:
        body = {"subnetpool": {"name": "p", "prefixes": ["10.0.0.0/8"], **values}}
        net.refused("POST", "subnetpools", body, status, name)
    assert net.get("subnetpools")["subnetpools"] == []


def test_subnets_are_cut(net: Net) -> None:
    network = net.network()
    made = pool(net, default_prefixlen=24, min_prefixlen=20, max_prefixlen=28)
    first = cut(net, network, subnetpool_id=made["id"])
    assert (first["cidr"], first["gateway_ip"]) == ("10.8.0.0/24", "10.8.0.1")
    assert first["subnetpool_id"] == made["id"]
    assert cut(net, network, subnetpool_id=made["id"], prefixlen=28)["cidr"] == "10.8.1.0/28"
    third = cut(net, network, subnetpool_id=made["id"], cidr="10.8.1.16/28")
    assert third["cidr"] == "10.8.1.16/28"
    assert cut(net, network, subnetpool_id=made["id"], prefixlen=23)["cidr"] == "10.8.2.0/23"
    net.delete(f"subnets/{first['id']}")
    assert cut(net, network, subnetpool_id=made["id"], prefixlen="25")["cidr"] == "10.8.0.0/25"
    message = net.refused("DELETE", f"subnetpools/{made['id']}", None, 400, "SubnetPoolDeleteError")
    assert "existing allocations" in message


def test_bad_cuts_are_refused(net: Net) -> None:
    network = net.network()
    made = pool(net, "10.8.0.0/24", default_prefixlen=24, min_prefixlen=24, max_prefixlen=28)
    key = {"subnetpool_id": made["id"]}
    for values, status, name in (
        ({}, 400, "BadRequest"),
        ({"prefixlen": 24, "cidr": "10.8.0.0/24"}, 400, "BadRequest"),
        ({"use_default_subnetpool": True}, 400, "BadRequest"),
        ({**key, "use_default_subnetpool": True}, 400, "BadRequest"),
        ({"subnetpool_id": unknown_id()}, 404, "SubnetPoolNotFound"),
        ({**key, "prefixlen": 23}, 400, "MinPrefixSubnetAllocationError"),
        ({**key, "prefixlen": 29}, 400, "MaxPrefixSubnetAllocationError"),
        ({**key, "prefixlen": 24, "cidr": "10.8.0.0/24"}, 400, "BadRequest"),
        ({**key, "cidr": "10.9.0.0/24"}, 409, "SubnetAllocationError"),
        ({**key, "ip_version": 6}, 400, "InvalidInput"),
        ({**key, "allocation_pools": []}, 400, "BadRequest"),
    ):
        body = {"network_id": network["id"], "ip_version": 4, **values}
        net.refused("POST", "subnets", {"subnet": body}, status, name)
    cut(net, network, **key)
    body = {"network_id": network["id"], "ip_version": 4, **key}
    net.refused("POST", "subnets", {"subnet": body}, 409, "SubnetAllocationError")
    net.refused("POST", "subnets", {"subnet": {**body, "cidr": "10.8.0.0/28"}}, 409,
                "SubnetAllocationError")  # fmt: skip
    plain = {"network_id": network["id"], "ip_version": 4, "cidr": "10.99.0.0/24"}
    net.refused("POST", "subnets", {"subnet": plain}, 400, "NetworkSubnetPoolAffinityError")


def test_a_quota_holds_each_project(net: Net) -> None:
    made = pool(admin(net), default_prefixlen=26, default_quota=128, shared=True)
    assert net.get("subnetpools?shared=true")["subnetpools"][0]["id"] == made["id"]
    assert net.get("subnetpools?shared=false")["subnetpools"] == []
    network = net.network()
    for _ in range(2):
        cut(net, network, subnetpool_id=made["id"])
    body = {"network_id": network["id"], "ip_version": 4, "subnetpool_id": made["id"]}
    net.refused("POST", "subnets", {"subnet": body}, 409, "SubnetPoolQuotaExceeded")
    other = Net(net.cloud, project="p2")
    assert cut(other, other.network(), subnetpool_id=made["id"])["cidr"] == "10.8.0.128/26"
    net.refused("PUT", f"subnetpools/{made['id']}", {"subnetpool": {}}, 403, "PolicyNotAuthorized")


def test_the_default_pool(net: Net) -> None:
    made = pool(admin(net), is_default=True, default_prefixlen=24, shared=True)
    found = cut(net, net.network(), use_default_subnetpool=True)
    assert found["subnetpool_id"] == made["id"]
    another = {"subnetpool": {"name": "b", "prefixes": ["10.9.0.0/16"], "is_default": True}}
    admin(net).refused("POST", "subnetpools", another, 400, "InvalidInput")
    change = {"subnetpool": {"description": "still the default"}}
    admin(net).put(f"subnetpools/{made['id']}", change)


def test_prefixes_come_and_go(net: Net) -> None:
    made = pool(net, "10.8.0.0/24", default_prefixlen=26)
    path = f"subnetpools/{made['id']}"
    added = net.put(f"{path}/add_prefixes", {"prefixes": ["10.8.1.0/24"]})
    assert added == {"prefixes": ["10.8.0.0/23"]}
    assert net.put(f"{path}/add_prefixes", {"prefixes": ["10.8.1.0/24"]}) == added
    cut(net, net.network(), subnetpool_id=made["id"])
    gone = {"prefixes": ["10.8.0.0/25"]}
    net.refused("PUT", f"{path}/remove_prefixes", gone, 400, "IllegalSubnetPoolPrefixUpdate")
    left = net.put(f"{path}/remove_prefixes", {"prefixes": ["10.8.0.128/25", "10.8.1.0/25"]})
    assert left == {"prefixes": ["10.8.0.0/25", "10.8.1.128/25"]}
    change = {"subnetpool": {"prefixes": ["10.8.0.0/25"]}}
    net.refused("PUT", path, change, 400, "IllegalSubnetPoolPrefixUpdate")
    for body in (None, {"prefixes": []}, {"prefixes": ["x"]}):
        net.refused("PUT", f"{path}/add_prefixes", body, 400, "HTTPBadRequest")


def test_scopes_hold_pools_apart(net: Net) -> None:
    made = scope(net)
    assert net.get(f"address-scopes/{made['id']}")["address_scope"] == made
    first = pool(net, address_scope_id=made["id"], default_prefixlen=24)
    body = {"name": "b", "prefixes": ["10.8.1.0/24"], "address_scope_id": made["id"]}
    net.refused("POST", "subnetpools", {"subnetpool": body}, 409, "AddressScopePrefixConflict")
    six = {**body, "prefixes": ["fd00::/48"]}
    net.refused(
        "POST", "subnetpools", {"subnetpool": six}, 400,
        "IllegalSubnetPoolIpVersionAssociationToAddressScope",
    )  # fmt: skip
    net.put(f"subnetpools/{first['id']}", {"subnetpool": {"name": "same scope"}})
    network = net.network()
    cut(net, network, subnetpool_id=first["id"])
    shown = net.get(f"networks/{network['id']}")["network"]
    assert (shown["ipv4_address_scope"], shown["ipv6_address_scope"]) == (made["id"], None)
    net.refused("DELETE", f"address-scopes/{made['id']}", None, 409, "AddressScopeInUse")
    net.put(f"subnetpools/{first['id']}", {"subnetpool": {"address_scope_id": None}})
    net.delete(f"address-scopes/{made['id']}")
    net.refused("GET", f"address-scopes/{made['id']}", None, 404, "AddressScopeNotFound")


def test_scopes_are_named_and_shared(net: Net) -> None:
    operator = admin(net)
    made, mine = scope(operator), scope(net)
    path = f"address-scopes/{made['id']}"
    net.refused("GET", path, None, 404, "AddressScopeNotFound")
    shared = operator.put(path, {"address_scope": {"shared": True, "name": "t"}})["address_scope"]
    assert (shared["shared"], shared["name"]) == (True, "t")
    assert net.get(path)["address_scope"]["shared"] is True
    assert [each["id"] for each in net.get("address-scopes?shared=True")["address_scopes"]] == [
        made["id"]
    ]
    operator.refused("PUT", path, {"address_scope": {"shared": False}}, 400,
                     "AddressScopeUpdateError")  # fmt: skip
    net.put(f"address-scopes/{mine['id']}", {"address_scope": {"name": "u"}})
    for values in ({"ip_version": 5}, {"ip_version": "x"}, {}):
        body = {"address_scope": {"name": "s", **values}}
        net.refused("POST", "address-scopes", body, 400, "HTTPBadRequest")
    assert scope(operator, shared=True, ip_version="6")["shared"] is True


def test_subnets_are_for_some_ports(net: Net) -> None:
    network = net.network()
    net.subnet(network, "10.0.0.0/24", service_types=["compute:"])
    shown = net.subnet(network, "10.1.0.0/24", service_types=["network:special"])
    assert shown["service_types"] == ["network:special"]
    body = {"port": {"network_id": network["id"]}}
    net.refused("POST", "ports", body, 409, "IpAddressGenerationFailureNoMatchingSubnet")
    assert [each.ip for each in net.boot("s", network)[0].addresses] == ["10.0.0.3"]
    net.put(f"subnets/{shown['id']}", {"subnet": {"service_types": []}})
    assert net.port(network)["fixed_ips"][0]["ip_address"] == "10.1.0.3"
    for kinds in (["x"], ["compute:a"] * 2, [f"compute:{n}" for n in range(21)]):
        body = {"subnet": {"service_types": kinds}}
        net.refused("PUT", f"subnets/{shown['id']}", body, 400, "HTTPBadRequest")


@pytest.mark.parametrize(
    ("prefixes", "taken", "length", "found"),
    [
        (["10.0.0.0/24"], [], 26, "10.0.0.0/26"),
        (["10.0.0.0/24"], ["10.0.0.0/30"], 26, "10.0.0.64/26"),
        (["10.0.0.0/24"], ["10.0.0.64/26", "10.0.0.0/30"], 26, "10.0.0.128/26"),
        (["10.0.0.0/26", "10.0.1.0/24"], ["10.0.0.0/26"], 25, "10.0.1.0/25"),
        (["10.0.1.0/24", "10.0.3.0/24"], ["10.0.1.0/24", "10.0.5.0/24"], 24, "10.0.3.0/24"),
        (["10.0.1.0/24"], ["9.0.0.0/24"], 24, "10.0.1.0/24"),
        (["fd00::/48"], ["fd00::/64"], 64, "fd00:0:0:1::/64"),
    ],
)  # fmt: skip
def test_the_first_free_block(
    prefixes: list[str], taken: list[str], length: int, found: str
) -> None:
    assert str(plan.first_free(prefixes, taken, length)) == found


def test_what_is_left_of_ranges() -> None:
    assert plan.without(["10.0.0.0/24", "10.2.0.0/24"], ["10.2.0.0/23"]) == ["10.0.0.0/24"]
    assert plan.without(["10.0.0.0/24"], ["10.0.0.0/25"]) == ["10.0.0.128/25"]


def test_routers_know_the_scopes_of_their_legs(net: Net) -> None:
    made, router = scope(net), net.router()
    first = pool(net, address_scope_id=made["id"], default_prefixlen=24)
    scoped, plain = net.network(), net.network()
    blocks = [
        cut(net, scoped, subnetpool_id=first["id"]), cut(net, plain, cidr="10.99.0.0/24"),
    ]  # fmt: skip
    for block in blocks:
        net.put(f"routers/{router['id']}/add_router_interface", {"subnet_id": block["id"]})

    def told() -> dict[str, str | None]:
        net.cloud.settle()
        legs = net.cloud.engine.routers[router["id"]].interfaces
        assert {each.scope6 for each in legs} == {None}
        return {each.network_id: each.scope4 for each in legs}

    assert told() == {scoped["id"]: made["id"], plain["id"]: None}
    net.put(f"subnetpools/{first['id']}", {"subnetpool": {"address_scope_id": None}})
    assert told() == {scoped["id"]: None, plain["id"]: None}
