"""Quotas, discovery and the small lists beside the nouns."""

from __future__ import annotations

from typing import Any

from tests.contract.network.kit import Net, outside

DEFAULTS = {
    "network": 100, "subnet": 100, "port": 500, "router": 10, "floatingip": 50,
    "security_group": 10, "security_group_rule": 100, "subnetpool": -1, "rbac_policy": 10,
}  # fmt: skip


def test_defaults_are_upstreams(net: Net) -> None:
    assert net.get("quotas/p1") == {"quota": DEFAULTS}
    assert net.get("quotas/p1/default") == {"quota": DEFAULTS}
    net.call("GET", "quotas/p2").expect(403)
    net.call("GET", "quotas").expect(403)
    net.call("PUT", "quotas/p1", {"quota": {"port": 1}}).expect(403)
    net.call("DELETE", "quotas/p1").expect(403)


def test_operators_set_and_reset(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    assert admin.put("quotas/p1", {"quota": {"port": 3, "router": "-1"}}) == {
        "quota": {**DEFAULTS, "port": 3, "router": -1}
    }
    listed = admin.get("quotas")["quotas"]
    assert [(each["project_id"], each["port"]) for each in listed] == [("p1", 3)]
    admin.delete("quotas/p1")
    assert net.get("quotas/p1") == {"quota": DEFAULTS}


def test_bad_quotas_are_refused(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    bodies: list[Any] = [
        None, {}, {"quota": 1}, {"quota": {"colour": 1}}, {"quota": {"port": -2}},
        {"quota": {"port": "x"}}, {"quota": {"port": 1, "force": "perhaps"}},
    ]  # fmt: skip
    for body in bodies:
        admin.call("PUT", "quotas/p1", body).expect(400)
    assert net.get("quotas/p1") == {"quota": DEFAULTS}


def test_a_project_whose_id_none_has_gets_no_quotas(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    for method, body in (("PUT", {"quota": {"port": 3}}), ("DELETE", None)):
        admin.refused(method, f"quotas/{'p' * 65}", body, 400, "HTTPBadRequest")
    assert admin.get("quotas") == {"quotas": []}
    admin.put(f"quotas/{'p' * 64}", {"quota": {"port": 3}})


def test_limits_are_not_set_below_use_when_checked(net: Net) -> None:
    admin = Net(net.cloud, "admin", "ops")
    net.network()
    net.network()
    body = {"quota": {"network": 1, "check_limit": True}}
    admin.refused("PUT", "quotas/p1", body, 400, "HTTPBadRequest")
    admin.put("quotas/p1", {"quota": {"network": 1, "check_limit": True, "force": True}})
    details = net.get("quotas/p1/details.json")["quota"]
    assert details["network"] == {"limit": 1, "used": 2, "reserved": 0}


def test_every_limit_holds(net: Net) -> None:
    external, network = outside(net.cloud), net.network()
    net.subnet(network, enable_dhcp=False)
    net.group()
    limits = dict.fromkeys(DEFAULTS, 0)
    Net(net.cloud, "admin", "ops").put("quotas/p1", {"quota": limits})
    subnet = {"network_id": network["id"], "ip_version": 4, "cidr": "10.1.0.0/24"}
    rule = {"security_group_id": net.default_group()["id"], "direction": "ingress",
            "protocol": "tcp"}  # fmt: skip
    cases: list[tuple[str, Any]] = [
        ("networks", {"network": {}}),
        ("subnets", {"subnet": subnet}),
        ("subnetpools", {"subnetpool": {"name": "p", "prefixes": ["10.0.0.0/8"]}}),
        (
            "rbac-policies",
            {
                "rbac_policy": {
                    "object_type": "network",
                    "object_id": network["id"],
                    "target_tenant": "p2",
                    "action": "access_as_shared",
                }
            },
        ),
        ("ports", {"port": {"network_id": network["id"]}}),
        ("routers", {"router": {}}),
        ("floatingips", {"floatingip": {"floating_network_id": external["id"]}}),
        ("security-groups", {"security_group": {"name": "x"}}),
        ("security-group-rules", {"security_group_rule": rule}),
    ]
    for path, body in cases:
        assert "Quota exceeded" in net.refused("POST", path, body, 409, "OverQuota")


def test_discovery_is_open(net: Net) -> None:
    anyone = net.cloud.as_()
    [version] = anyone.get("/network/").expect(200)["versions"]
    assert (version["id"], version["status"]) == ("v2.0", "CURRENT")
    assert version["links"][0]["href"] == "https://cloud.test:8443/network/v2.0/"
    resources = anyone.get("/network/v2.0/").expect(200)["resources"]
    assert "networks" in {each["collection"] for each in resources}
    assert anyone.get("/network/v2.0/networks").status == 401


def test_extensions_are_those_served(net: Net) -> None:
    found = {each["alias"] for each in net.get("extensions")["extensions"]}
    assert {"router", "security-group", "quotas", "dns-integration"} <= found
    assert "dvr" not in found
    assert net.get("extensions/router")["extension"]["alias"] == "router"
    net.get("extensions/dvr", 404)


def test_one_provider_realises_routers(net: Net) -> None:
    (found,) = net.get("service-providers")["service_providers"]
    assert (found["service_type"], found["default"]) == ("L3_ROUTER_NAT", True)
    assert len(net.get("service-providers?default=true")["service_providers"]) == 1
    assert net.get("service-providers?service_type=VPN")["service_providers"] == []


def test_zones(net: Net) -> None:
    zones = net.get("availability_zones")["availability_zones"]
    assert [(each["name"], each["resource"], each["state"]) for each in zones] == [
        ("nova", "network", "available"), ("nova", "router", "available"),
    ]  # fmt: skip
    assert len(net.get("availability_zones?resource=router")["availability_zones"]) == 1
