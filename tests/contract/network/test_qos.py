"""QoS: policies and their rules, what they are on, what the engine is told."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.engine.networks import QosSpec
from tests.contract.network.kit import Net, wired
from tests.contract.network.test_rbac import kept
from tests.contract.network.test_rbac import policy as share
from tests.harness import unknown_id

PATH = "qos/policies"


@pytest.fixture
def manager(net: Net) -> Net:
    return Net(net.cloud, "manager")


def made(net: Net, **values: Any) -> Any:
    return net.post(PATH, {"policy": {"name": "q", **values}})["policy"]


def limit(net: Net, policy: Any, kbps: int, **more: Any) -> Any:
    body = {"bandwidth_limit_rule": {"max_kbps": kbps, **more}}
    path = f"{PATH}/{policy['id']}/bandwidth_limit_rules"
    return net.post(path, body)["bandwidth_limit_rule"]


def mark(net: Net, policy: Any, value: int) -> Any:
    path = f"{PATH}/{policy['id']}/dscp_marking_rules"
    body = {"dscp_marking_rule": {"dscp_mark": value}}
    return net.post(path, body)["dscp_marking_rule"]


def test_a_policy_lives(net: Net, manager: Net) -> None:
    policy = made(manager, description="d")
    assert (policy["rules"], policy["shared"], policy["is_default"]) == ([], False, False)
    rule = limit(manager, policy, 1000, max_burst_kbps=100)
    assert rule == {"id": rule["id"], "max_kbps": 1000, "max_burst_kbps": 100,
                    "direction": "egress"}  # fmt: skip
    dscp = mark(manager, policy, 26)
    shown = net.get(f"{PATH}/{policy['id']}")["policy"]
    assert sorted(each["type"] for each in shown["rules"]) == ["bandwidth_limit", "dscp_marking"]
    assert {each["qos_policy_id"] for each in shown["rules"]} == {policy["id"]}
    assert shown["revision_number"] == 2
    limits = f"{PATH}/{policy['id']}/bandwidth_limit_rules"
    assert net.get(limits)["bandwidth_limit_rules"] == [rule]
    assert net.get(f"{limits}?direction=ingress")["bandwidth_limit_rules"] == []
    assert net.get(f"{limits}/{rule['id']}")["bandwidth_limit_rule"] == rule
    change = {"bandwidth_limit_rule": {"max_kbps": 5}}
    assert manager.put(f"{limits}/{rule['id']}", change)["bandwidth_limit_rule"]["max_kbps"] == 5
    manager.put(f"{limits}/{rule['id']}", {"bandwidth_limit_rule": {}})
    manager.delete(f"{limits}/{rule['id']}")
    net.refused("GET", f"{limits}/{rule['id']}", None, 404, "QosRuleNotFound")
    net.refused("GET", f"{limits}/{dscp['id']}", None, 404, "QosRuleNotFound")
    net.put(f"policies/{policy['id']}/tags/t", None, 201)
    assert len(net.get(f"{PATH}?tags=t&name=q")["policies"]) == 1
    manager.delete(f"{PATH}/{policy['id']}")
    net.refused("GET", f"{PATH}/{policy['id']}", None, 404, "QosPolicyNotFound")


def test_bad_rules_are_refused(net: Net, manager: Net) -> None:
    policy = made(manager)
    limit(manager, policy, 1000)
    ingress = limit(manager, policy, 1000, direction="ingress")
    path = f"{PATH}/{policy['id']}/bandwidth_limit_rules"
    body = {"bandwidth_limit_rule": {"max_kbps": 1}}
    manager.refused("POST", path, body, 409, "QoSRulesConflict")
    turned = {"bandwidth_limit_rule": {"direction": "egress"}}
    manager.refused("PUT", f"{path}/{ingress['id']}", turned, 409, "QoSRulesConflict")
    for values in ({}, {"max_kbps": -1}, {"max_kbps": 1, "direction": "up"}):
        body = {"bandwidth_limit_rule": values}
        manager.refused("POST", path, body, 400, "HTTPBadRequest")
    for value in (1, 64, "x"):
        body = {"dscp_marking_rule": {"dscp_mark": value}}
        marks = f"{PATH}/{policy['id']}/dscp_marking_rules"
        manager.refused("POST", marks, body, 400, "HTTPBadRequest")
    net.call("POST", PATH, {"policy": {"name": "q"}}).expect(403)
    manager.refused("POST", PATH, {"policy": {"shared": True}}, 403, "PolicyNotAuthorized")
    port = {"port": {"network_id": net.network()["id"], "qos_policy_id": unknown_id()}}
    net.refused("POST", "ports", port, 404, "QosPolicyNotFound")


def test_the_engine_limits_ports(net: Net, manager: Net) -> None:
    slow, marked = made(manager), made(manager)
    limit(manager, slow, 1000)
    rule = limit(manager, slow, 2000, direction="ingress", max_burst_kbps=7)
    mark(manager, marked, 46)
    network = net.network(qos_policy_id=slow["id"])
    net.subnet(network)
    port = net.port(network, qos_policy_id=marked["id"])
    plain = net.port(network)
    assert (port["qos_policy_id"], port["qos_network_policy_id"]) == (marked["id"], slow["id"])
    net.boot("s", None, port, plain)
    net.put(f"ports/{plain['id']}", {"port": {"admin_state_up": True}})
    net.cloud.settle()

    def told() -> dict[str, QosSpec | None]:
        net.cloud.settle()
        return {each.id: each.qos for each in net.cloud.engine.firewalls[network["id"]].ports}

    whole = QosSpec(egress_kbps=1000, ingress_kbps=2000, ingress_burst=7)
    assert told() == {port["id"]: QosSpec(dscp=46), plain["id"]: whole}
    assert net.cloud.engine.ports[plain["id"]].qos == whole
    path = f"{PATH}/{slow['id']}/bandwidth_limit_rules/{rule['id']}"
    manager.delete(path)
    assert told()[plain["id"]] == QosSpec(egress_kbps=1000)
    net.put(f"ports/{plain['id']}", {"port": {"qos_policy_id": marked["id"]}})
    assert told()[plain["id"]] == QosSpec(dscp=46)
    manager.refused("DELETE", f"{PATH}/{slow['id']}", None, 409, "QosPolicyInUse")
    net.put(f"ports/{plain['id']}", {"port": {"qos_policy_id": None}})
    net.put(f"networks/{network['id']}", {"network": {"qos_policy_id": None}})
    assert told()[plain["id"]] is None
    manager.delete(f"{PATH}/{slow['id']}")


def test_the_engine_limits_floating_ips(net: Net, manager: Net) -> None:
    external, router, network, _ = wired(net)
    policy, empty = made(manager), made(manager)
    rule = limit(manager, policy, 1000)
    port = net.port(network)
    floating = net.floating(external, port_id=port["id"], qos_policy_id=policy["id"])
    assert floating["qos_policy_id"] == policy["id"]
    net.cloud.settle()
    (told,) = net.cloud.engine.routers[router["id"]].limits
    assert (told.floating, told.fixed) == (floating["floating_ip_address"], "10.0.0.3")
    assert told.qos == QosSpec(egress_kbps=1000)
    change = {"bandwidth_limit_rule": {"max_kbps": 3}}
    manager.put(f"{PATH}/{policy['id']}/bandwidth_limit_rules/{rule['id']}", change)
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].limits[0].qos.egress_kbps == 3
    net.put(f"floatingips/{floating['id']}", {"floatingip": {"qos_policy_id": empty["id"]}})
    net.cloud.settle()
    assert net.cloud.engine.routers[router["id"]].limits == ()


def test_a_default_policy_is_on_new_networks(net: Net, manager: Net) -> None:
    assert net.network()["qos_policy_id"] is None
    policy, second = made(manager, is_default=True), made(manager)
    assert net.network()["qos_policy_id"] == policy["id"]
    assert net.network(qos_policy_id=second["id"])["qos_policy_id"] == second["id"]
    assert Net(net.cloud, project="p2").network()["qos_policy_id"] is None
    body = {"policy": {"name": "r", "is_default": True}}
    manager.refused("POST", PATH, body, 409, "QoSPolicyDefaultAlreadyExists")
    manager.refused("PUT", f"{PATH}/{second['id']}", body, 409, "QoSPolicyDefaultAlreadyExists")
    manager.put(f"{PATH}/{policy['id']}", {"policy": {"is_default": True, "name": "s"}})


def test_policies_are_lent(net: Net, manager: Net) -> None:
    other, admin = Net(net.cloud, project="p2"), Net(net.cloud, "admin", "ops")
    policy, network = made(manager), other.network()
    body = {"port": {"network_id": network["id"], "qos_policy_id": policy["id"]}}
    other.refused("POST", "ports", body, 404, "QosPolicyNotFound")
    lent = share(net, "qos_policy", policy)
    assert other.get(f"{PATH}/{policy['id']}")["policy"]["shared"] is True
    other.post("ports", body)
    kept(net, lent)
    limits = f"{PATH}/{policy['id']}/bandwidth_limit_rules"
    theirs = Net(net.cloud, "manager", "p2")
    rule = {"bandwidth_limit_rule": {"max_kbps": 1}}
    theirs.refused("POST", limits, rule, 403, "PolicyNotAuthorized")
    common = made(admin, shared=True)
    assert net.get(f"{PATH}/{common['id']}")["policy"]["shared"] is True
    admin.put(f"{PATH}/{common['id']}", {"policy": {"shared": False}})
    net.refused("GET", f"{PATH}/{common['id']}", None, 404, "QosPolicyNotFound")


def test_the_kinds_of_rules(net: Net) -> None:
    kinds = net.get("qos/rule-types")["rule_types"]
    assert [each["type"] for each in kinds] == ["bandwidth_limit", "dscp_marking"]
    shown = net.get("qos/rule-types/dscp_marking")["rule_type"]
    (parameter,) = shown["drivers"][0]["supported_parameters"]
    assert 46 in parameter["parameter_values"]
    net.refused("GET", "qos/rule-types/minimum_bandwidth", None, 404, "HTTPNotFound")
