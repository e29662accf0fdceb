"""Address groups, and what rules that name them let pass."""

from __future__ import annotations

from typing import Any

from tests.contract.network.kit import Net
from tests.harness import unknown_id


def made_of(net: Net, *addresses: str) -> Any:
    body = {"name": "a", "description": "d", "addresses": list(addresses)}
    return net.post("address-groups", {"address_group": body})["address_group"]


def test_a_group_lives(net: Net) -> None:
    made = made_of(net, "10.1.0.7/24", "fd00::1/128", "10.1.0.0/24")
    assert made["addresses"] == ["10.1.0.0/24", "fd00::1/128"]
    assert (made["project_id"], "shared" in made, made["revision_number"]) == ("p1", False, 0)
    path = f"address-groups/{made['id']}"
    assert net.get(path)["address_group"] == made
    assert net.put(path, {"address_group": {"name": "b"}})["address_group"]["name"] == "b"
    added = net.put(f"{path}/add_addresses", {"address_group": {"addresses": ["192.0.2.1/32"]}})
    assert added["address_group"]["addresses"][-1] == "fd00::1/128"
    assert "192.0.2.1/32" in added["address_group"]["addresses"]
    gone = {"addresses": ["10.1.0.0/24", "192.0.2.1/32"]}
    left = net.put(f"{path}/remove_addresses", gone)["address_group"]
    assert left["addresses"] == ["fd00::1/128"]
    same = net.put(f"{path}/remove_addresses", gone)["address_group"]
    assert same["revision_number"] == left["revision_number"]
    assert [each["id"] for each in net.get("address-groups?name=b")["address_groups"]] == [
        made["id"]
    ]
    Net(net.cloud, project="p2").refused("GET", path, None, 404, "AddressGroupNotFound")
    net.delete(path)
    net.refused("GET", path, None, 404, "AddressGroupNotFound")


def test_bad_groups_are_refused(net: Net) -> None:
    for addresses in ("10.0.0.0/8", ["x"], [f"10.{n >> 8}.{n & 255}.0/24" for n in range(1001)]):
        body = {"address_group": {"addresses": addresses}}
        net.refused("POST", "address-groups", body, 400, "HTTPBadRequest")
    path = f"address-groups/{made_of(net)['id']}"
    for sent in (None, {}, {"addresses": ["x"]}, {"address_group": {"addresses": [], "name": "b"}}):
        net.refused("PUT", f"{path}/add_addresses", sent, 400, "HTTPBadRequest")
    change = {"address_group": {"addresses": []}}
    net.refused("PUT", path, change, 400, "HTTPBadRequest")


def test_rules_follow_their_address_group(net: Net) -> None:
    listed, group = made_of(net, "10.9.0.0/24"), net.group()
    rule = net.rule(group, protocol="tcp", remote_address_group_id=listed["id"])
    assert (rule["remote_address_group_id"], rule["remote_group_id"]) == (listed["id"], None)
    body = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp",
            "remote_address_group_id": listed["id"]}  # fmt: skip
    net.refused("POST", "security-group-rules", {"security_group_rule": body}, 409,
                "SecurityGroupRuleExists")  # fmt: skip
    network = net.network()
    net.subnet(network)
    net.boot("s", network, security_groups=[group["id"]])
    net.cloud.settle()
    net.put(f"address-groups/{listed['id']}/add_addresses", {"addresses": ["10.8.0.0/24"]})
    net.cloud.settle()
    spec = net.cloud.engine.firewalls[network["id"]]
    held = {each.id: each for each in spec.groups}
    assert held[listed["id"]].members == ("10.8.0.0/24", "10.9.0.0/24")
    assert listed["id"] in [each.remote_group for each in held[group["id"]].rules]
    net.refused("DELETE", f"address-groups/{listed['id']}", None, 409, "AddressGroupInUse")
    net.delete(f"security-group-rules/{rule['id']}")
    net.delete(f"address-groups/{listed['id']}")


def test_one_remote_is_named(net: Net) -> None:
    listed, group = made_of(net), net.group()
    for values, status, name in (
        ({"remote_group_id": group["id"], "remote_address_group_id": listed["id"]}, 400,
         "SecurityGroupMultipleRemoteEntites"),
        ({"remote_address_group_id": unknown_id()}, 404, "AddressGroupNotFound"),
    ):  # fmt: skip
        rule = {"security_group_id": group["id"], "direction": "ingress", **values}
        body = {"security_group_rule": rule}
        net.refused("POST", "security-group-rules", body, status, name)


def test_a_prefix_is_kept_as_given(net: Net) -> None:
    group = net.group()
    rule = net.rule(group, remote_ip_prefix="10.0.0.7/24")
    assert (rule["remote_ip_prefix"], rule["normalized_cidr"]) == ("10.0.0.7/24", "10.0.0.0/24")
    body = {"security_group_id": group["id"], "direction": "ingress",
            "remote_ip_prefix": "10.0.0.0/24"}  # fmt: skip
    net.refused("POST", "security-group-rules", {"security_group_rule": body}, 409,
                "SecurityGroupRuleExists")  # fmt: skip
