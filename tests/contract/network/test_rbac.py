"""Sharing policies: what projects let each other see and use, and what keeps a policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net, outside
from tests.contract.network.test_pools import cut, pool, scope
from tests.harness import unknown_id

SHARED, EXTERNAL = "access_as_shared", "access_as_external"


def policy(net: Net, kind: str, thing: Any, target: str = "p2", action: str = SHARED) -> Any:
    body = {
        "object_type": kind, "object_id": thing["id"], "target_tenant": target, "action": action,
    }  # fmt: skip
    return net.post("rbac-policies", {"rbac_policy": body})["rbac_policy"]


@pytest.fixture
def other(net: Net) -> Net:
    return Net(net.cloud, project="p2")


@pytest.fixture
def admin(net: Net) -> Net:
    return Net(net.cloud, "admin", "ops")


def kept(net: Net, made: Any) -> None:
    """The policy is in use, and stays."""
    path = f"rbac-policies/{made['id']}"
    net.refused("DELETE", path, None, 409, "RbacPolicyInUse")
    change = {"rbac_policy": {"target_tenant": "p3"}}
    net.refused("PUT", path, change, 409, "RbacPolicyInUse")


def test_a_network_is_shared_with_a_project(net: Net, other: Net) -> None:
    network = net.network()
    net.subnet(network)
    other.refused("GET", f"networks/{network['id']}", None, 404, "NetworkNotFound")
    made = policy(net, "network", network)
    assert (made["project_id"], made["tenant_id"], made["target_tenant"]) == ("p1", "p1", "p2")
    assert net.get(f"rbac-policies/{made['id']}")["rbac_policy"] == made
    assert net.get("rbac-policies?object_type=network")["rbac_policies"] == [made]
    assert other.get("rbac-policies")["rbac_policies"] == []
    seen = other.get(f"networks/{network['id']}")["network"]
    assert seen["shared"] is True
    assert net.get(f"networks/{network['id']}")["network"]["shared"] is False
    assert len(other.get("subnets")["subnets"]) == 1
    port = other.port(network)
    assert other.boot("s2", network)[0].project_id == "p2"
    kept(net, made)
    third = Net(net.cloud, project="p3")
    third.refused("GET", f"networks/{network['id']}", None, 404, "NetworkNotFound")
    with pytest.raises(Exception, match="could not be found"):
        third.boot("s3", network)
    other.delete(f"ports/{port['id']}")


def test_an_unused_policy_moves_and_goes(net: Net, other: Net) -> None:
    network = net.network()
    made = policy(net, "network", network)
    path = f"rbac-policies/{made['id']}"
    moved = net.put(path, {"rbac_policy": {"target_tenant": "p3"}})["rbac_policy"]
    assert moved["target_tenant"] == "p3"
    assert net.put(path, {"rbac_policy": {}})["rbac_policy"] == moved
    other.refused("GET", f"networks/{network['id']}", None, 404, "NetworkNotFound")
    net.delete(path)
    net.refused("GET", path, None, 404, "RbacPolicyNotFound")
    Net(net.cloud, project="p3").refused(
        "GET", f"networks/{network['id']}", None, 404, "NetworkNotFound"
    )


def test_every_project_is_an_operators_to_name(net: Net, other: Net, admin: Net) -> None:
    network = net.network()
    body = {"object_type": "network", "object_id": network["id"], "action": SHARED}
    every = {"rbac_policy": {**body, "target_tenant": "*"}}
    net.refused("POST", "rbac-policies", every, 403, "PolicyNotAuthorized")
    made = admin.post("rbac-policies", every)["rbac_policy"]
    assert made["project_id"] == "p1", "it is the network's project's"
    assert net.get(f"networks/{network['id']}")["network"]["shared"] is True
    admin.refused("POST", "rbac-policies", every, 409, "DuplicateRbacPolicy")
    net.subnet(network)
    other.port(network)
    admin.refused("DELETE", f"rbac-policies/{made['id']}", None, 409, "RbacPolicyInUse")
    named = policy(net, "network", network)
    admin.delete(f"rbac-policies/{made['id']}")
    kept(net, named)
    change = {"rbac_policy": {"target_tenant": "*"}}
    net.refused("PUT", f"rbac-policies/{named['id']}", change, 403, "PolicyNotAuthorized")
    admin.put(f"rbac-policies/{named['id']}", change)
    assert other.get(f"networks/{network['id']}")["network"]["shared"] is True


def test_the_shared_flag_is_a_policy(net: Net, admin: Net) -> None:
    network = admin.network(shared=True)
    held = admin.get(f"rbac-policies?object_id={network['id']}")["rbac_policies"]
    assert [(each["target_tenant"], each["action"]) for each in held] == [("*", SHARED)]
    path = f"networks/{network['id']}"
    admin.put(path, {"network": {"shared": True}})
    admin.put(path, {"network": {"shared": False}})
    assert admin.get(f"rbac-policies?object_id={network['id']}")["rbac_policies"] == []
    net.refused("GET", path, None, 404, "NetworkNotFound")
    admin.put(path, {"network": {"shared": True}})
    admin.delete(path)
    assert admin.get("rbac-policies")["rbac_policies"] == []


def test_an_external_network_for_one_project(net: Net, other: Net, admin: Net) -> None:
    network = admin.network()
    admin.subnet(network, "172.30.0.0/24", enable_dhcp=False)
    made = policy(admin, "network", network, "p1", EXTERNAL)
    net.cloud.settle()
    assert net.cloud.engine.networks[network["id"]].external
    shown = net.get("networks?router:external=True")["networks"]
    assert [each["id"] for each in shown] == [network["id"]]
    assert other.get("networks?router:external=True")["networks"] == []
    router = net.router(external_gateway_info={"network_id": network["id"]})
    admin.refused("DELETE", f"rbac-policies/{made['id']}", None, 409, "RbacPolicyInUse")
    net.delete(f"routers/{router['id']}")
    admin.delete(f"rbac-policies/{made['id']}")
    assert admin.get(f"networks/{network['id']}")["network"]["router:external"] is False
    net.cloud.settle()
    assert not net.cloud.engine.networks[network["id"]].external


def test_what_is_external_to_all_is_a_policy_too(net: Net, admin: Net) -> None:
    external = outside(net.cloud)
    held = admin.get(f"rbac-policies?object_id={external['id']}")["rbac_policies"]
    assert [(each["target_tenant"], each["action"]) for each in held] == [("*", EXTERNAL)]
    net.floating(external)
    admin.refused("DELETE", f"rbac-policies/{held[0]['id']}", None, 409, "RbacPolicyInUse")
    second = admin.network()
    admin.put(f"networks/{second['id']}", {"network": {"router:external": True}})
    assert second["id"] in [each["id"] for each in net.get("networks")["networks"]]
    admin.put(f"networks/{second['id']}", {"network": {"router:external": False}})
    assert second["id"] not in [each["id"] for each in net.get("networks")["networks"]]


def test_security_groups_are_lent(net: Net, other: Net) -> None:
    group = net.group("lent")
    network = other.network()
    other.subnet(network)
    body = {"port": {"network_id": network["id"], "security_groups": [group["id"]]}}
    other.refused("POST", "ports", body, 404, "SecurityGroupNotFound")
    made = policy(net, "security_group", group)
    seen = other.get(f"security-groups/{group['id']}")["security_group"]
    assert (seen["shared"], seen["project_id"]) == (True, "p1")
    assert other.get("security-groups?shared=true")["security_groups"] == []
    port = other.post("ports", body)["port"]
    kept(net, made)
    other.boot("s", network, security_groups=[group["id"]])
    other.cloud.settle()
    filtered = other.cloud.engine.firewalls[network["id"]]
    assert group["id"] in [each.id for each in filtered.groups]
    rule = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp"}
    other.call("POST", "security-group-rules", {"security_group_rule": rule}).expect(403)
    net.rule(group, protocol="udp")
    other.delete(f"ports/{port['id']}")


def test_pools_and_scopes_are_lent(net: Net, other: Net) -> None:
    lent = scope(net)
    made = pool(net, default_prefixlen=24)
    of_pool = policy(net, "subnetpool", made)
    cut(other, other.network(), subnetpool_id=made["id"])
    kept(net, of_pool)
    of_scope = policy(net, "address_scope", lent)
    pool(other, "10.77.0.0/16", address_scope_id=lent["id"])
    kept(net, of_scope)


def test_address_groups_are_lent(net: Net, other: Net) -> None:
    body = {"name": "a", "addresses": ["10.0.0.1/32"]}
    lent = net.post("address-groups", {"address_group": body})["address_group"]
    group = other.group()
    rule = {"security_group_id": group["id"], "direction": "ingress",
            "remote_address_group_id": lent["id"]}  # fmt: skip
    body = {"security_group_rule": rule}
    other.refused("POST", "security-group-rules", body, 404, "AddressGroupNotFound")
    made = policy(net, "address_group", lent)
    assert other.get(f"address-groups/{lent['id']}")["address_group"]["id"] == lent["id"]
    other.post("security-group-rules", body)
    kept(net, made)


def test_bad_policies_are_refused(net: Net, other: Net, admin: Net) -> None:
    network, group = net.network(), net.group()
    good = {"object_type": "network", "object_id": network["id"], "action": SHARED,
            "target_tenant": "p2"}  # fmt: skip
    for values, status, name in (
        ({"object_type": "volume"}, 400, "HTTPBadRequest"),
        ({"object_type": 3}, 400, "HTTPBadRequest"),
        ({"object_id": "x"}, 400, "HTTPBadRequest"),
        ({"object_id": unknown_id()}, 404, "ObjectNotFound"),
        ({"action": "take"}, 400, "HTTPBadRequest"),
        ({"target_tenant": ""}, 400, "HTTPBadRequest"),
        ({"object_type": "security_group", "object_id": group["id"], "action": EXTERNAL}, 400,
         "InvalidInput"),
    ):  # fmt: skip
        body = {"rbac_policy": {**good, **values}}
        net.refused("POST", "rbac-policies", body, status, name)
    policy(net, "network", network)
    other.refused("POST", "rbac-policies", {"rbac_policy": {**good, "target_tenant": "p3"}}, 400,
                  "InvalidInput")  # fmt: skip
    limit = {"quota": {"rbac_policy": 1}}
    admin.put("quotas/p1", limit)
    more = {"rbac_policy": {**good, "target_tenant": "p4"}}
    net.refused("POST", "rbac-policies", more, 409, "OverQuota")
