"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net
from tests.harness import unknown_id


def said(rule: Any) -> tuple[Any, ...]:
    return tuple(
        rule[name]
        for name in (
            "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
            "remote_ip_prefix", "remote_group_id",
        )
    )  # fmt: skip


def test_the_default_group_is_upstreams(net: Net) -> None:
    group = net.default_group()
    assert (group["name"], group["project_id"], group["stateful"]) == ("default", "p1", True)
    assert sorted(map(said, group["security_group_rules"]), key=str) == [
        ("egress", "IPv4", None, None, None, None, None),
        ("egress", "IPv6", None, None, None, None, None),
        ("ingress", "IPv4", None, None, None, None, group["id"]),
        ("ingress", "IPv6", None, None, None, None, group["id"]),
    ]
    assert net.default_group()["id"] == group["id"]
    assert Net(net.cloud, project="p2").default_group()["id"] != group["id"]


def test_a_new_group_lets_out_only(net: Net) -> None:
    made = net.group("web")
    assert sorted(map(said, made["security_group_rules"])) == [
        ("egress", "IPv4", None, None, None, None, None),
        ("egress", "IPv6", None, None, None, None, None),
    ]
    assert net.get(f"security-groups/{made['id']}")["security_group"] == made
    names = [
        each["name"]
        for each in net.get("security-groups?sort_key=name&sort_dir=asc")["security_groups"]
    ]
    assert names == ["default", "web"]


def test_groups_change_and_go(net: Net) -> None:
    made = net.group()
    path = f"security-groups/{made['id']}"
    body = {"security_group": {"name": "x", "description": "d", "stateful": False}}
    changed = net.put(path, body)["security_group"]
    assert (changed["name"], changed["description"], changed["stateful"]) == ("x", "d", False)
    network = net.network()
    net.subnet(network)
    port = net.port(network, security_groups=[made["id"]])
    net.refused("DELETE", path, None, 409, "SecurityGroupInUse")
    body = {"security_group": {"stateful": True}}
    net.refused("PUT", path, body, 409, "SecurityGroupInUse")
    net.delete(f"ports/{port['id']}")
    net.delete(path)
    net.refused("GET", path, None, 404, "SecurityGroupNotFound")


def test_the_default_group_keeps_its_name_and_place(net: Net) -> None:
    path = f"security-groups/{net.default_group()['id']}"
    rename = {"security_group": {"name": "x"}}
    net.refused("PUT", path, rename, 409, "SecurityGroupCannotUpdateDefault")
    net.put(path, {"security_group": {"name": "default", "description": "mine"}})
    net.refused("DELETE", path, None, 409, "SecurityGroupCannotRemoveDefault")
    body = {"security_group": {"name": "Default"}}
    net.refused("POST", "security-groups", body, 409, "SecurityGroupDefaultAlreadyExists")
    other = net.group()
    net.refused(
        "PUT", f"security-groups/{other['id']}", body, 409, "SecurityGroupDefaultAlreadyExists"
    )
    Net(net.cloud, "admin", "ops").delete(path)
    assert f"security-groups/{net.default_group()['id']}" != path


BAD: list[tuple[Any, str]] = [
    ({"direction": "sideways"}, "HTTPBadRequest"),
    ({"direction": None}, "HTTPBadRequest"),
    ({"ethertype": "IPv5"}, "HTTPBadRequest"),
    ({"protocol": "carrier-pigeon"}, "HTTPBadRequest"),
    ({"protocol": 256}, "HTTPBadRequest"),
    ({"protocol": ["tcp"]}, "HTTPBadRequest"),
    ({"remote_ip_prefix": "10.0.0.0/33"}, "HTTPBadRequest"),
    ({"port_range_min": 1, "port_range_max": 2}, "SecurityGroupProtocolRequiredWithPorts"),
    ({"protocol": "tcp", "port_range_min": 2, "port_range_max": 1},
     "SecurityGroupInvalidPortRange"),
    ({"protocol": "tcp", "port_range_min": 2}, "SecurityGroupInvalidPortRange"),
    ({"protocol": "udp", "port_range_min": 0, "port_range_max": 1},
     "SecurityGroupInvalidPortValue"),
    ({"protocol": "tcp", "port_range_min": 1, "port_range_max": 70000}, "HTTPBadRequest"),
    ({"protocol": "icmp", "port_range_min": 256}, "SecurityGroupInvalidIcmpValue"),
    ({"protocol": "icmp", "port_range_max": 3}, "SecurityGroupMissingIcmpType"),
    ({"protocol": "vrrp", "port_range_min": 1, "port_range_max": 2},
     "SecurityGroupInvalidProtocolForPort"),
    ({"protocol": "ipv6-icmp"}, "SecurityGroupEthertypeConflictWithProtocol"),
    ({"remote_ip_prefix": "fd00::/64"}, "SecurityGroupRuleParameterConflict"),
    ({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "OWN"},
     "SecurityGroupMultipleRemoteEntites"),
]  # fmt: skip


def test_bad_rules_are_refused(net: Net) -> None:
    group = net.group()
    for values, name in BAD:
        values = {k: group["id"] if v == "OWN" else v for k, v in values.items()}
        body = {"security_group_id": group["id"], "direction": "ingress", **values}
        net.refused("POST", "security-group-rules", {"security_group_rule": body}, 400, name)
    found = net.get(f"security-group-rules?security_group_id={group['id']}")
    assert len(found["security_group_rules"]) == 2


@pytest.mark.parametrize("name", ["security_group_id", "remote_group_id"])
def test_rules_name_groups_that_one_sees(net: Net, name: str) -> None:
    theirs = Net(net.cloud, project="p2").group()
    for key in (unknown_id(), theirs["id"]):
        body = {"security_group_id": net.default_group()["id"], "direction": "egress", name: key}
        net.refused(
            "POST", "security-group-rules", {"security_group_rule": body},
            404, "SecurityGroupNotFound",
        )  # fmt: skip


def test_a_rule_needs_the_name_of_a_group(net: Net) -> None:
    rule = {"security_group_id": "", "direction": "egress"}
    body = {"security_group_rule": rule}
    net.refused("POST", "security-group-rules", body, 404, "SecurityGroupNotFound")


def test_rules_say_what_they_were_told(net: Net) -> None:
    group = net.group()
    made = net.rule(
        group, ethertype="ipv4", protocol="TCP", port_range_min=22, port_range_max="22",
        remote_ip_prefix="10.1.2.3", description="ssh",
    )  # fmt: skip
    assert said(made) == ("ingress", "IPv4", "tcp", 22, 22, "10.1.2.3/32", None)
    assert net.get(f"security-group-rules/{made['id']}")["security_group_rule"] == made
    ping = net.rule(group, protocol="icmp", port_range_min=8, port_range_max=0)
    assert said(ping)[2:5] == ("icmp", 8, 0)
    whole = net.rule(group, protocol="udp", port_range_min=1, port_range_max=65535)
    assert said(whole)[2:5] == ("udp", None, None)
    assert said(net.rule(group, protocol=-1, ethertype="IPv6"))[2] is None
    assert said(net.rule(group, protocol=112))[2] == "112"
    path = f"security-group-rules/{made['id']}"
    changed = net.put(path, {"security_group_rule": {"description": "x"}})["security_group_rule"]
    assert changed["description"] == "x"
    net.refused("PUT", path, {"security_group_rule": {"protocol": "udp"}}, 400, "HTTPBadRequest")
    net.delete(path)
    net.refused("GET", path, None, 404, "SecurityGroupRuleNotFound")
    found = net.get("security-group-rules?protocol=icmp&direction=ingress")
    assert [each["id"] for each in found["security_group_rules"]] == [ping["id"]]


def test_rules_of_equal_meaning_are_one(net: Net) -> None:
    group = net.group()
    first = net.rule(group, protocol="tcp", port_range_min=80, port_range_max=80)
    for values in (
        {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80},
        {"protocol": "6", "port_range_min": 80, "port_range_max": 80},
        {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80,
         "remote_ip_prefix": "0.0.0.0/0"},
    ):  # fmt: skip
        body = {"security_group_id": group["id"], "direction": "ingress", **values}
        message = net.refused(
            "POST", "security-group-rules", {"security_group_rule": body},
            409, "SecurityGroupRuleExists",
        )  # fmt: skip
        assert first["id"] in message


def test_several_rules_at_once(net: Net) -> None:
    group = net.group()
    rules = [
        {"security_group_id": group["id"], "direction": "ingress", "protocol": name}
        for name in ("tcp", "udp")
    ]
    made = net.post("security-group-rules", {"security_group_rules": rules})
    assert [each["protocol"] for each in made["security_group_rules"]] == ["tcp", "udp"]
    rules = [{**rules[0], "protocol": "sctp"}, rules[1]]
    net.call("POST", "security-group-rules", {"security_group_rules": rules}).expect(409)
    assert len(net.get(f"security-groups/{group['id']}")["security_group"][
        "security_group_rules"]) == 4  # fmt: skip


def test_groups_are_their_projects(net: Net) -> None:
    group, other = net.group(), Net(net.cloud, project="p2")
    rule = group["security_group_rules"][0]["id"]
    for path, name in (
        (f"security-groups/{group['id']}", "SecurityGroupNotFound"),
        (f"security-group-rules/{rule}", "SecurityGroupRuleNotFound"),
    ):
        other.refused("GET", path, None, 404, name)
        other.refused("DELETE", path, None, 404, name)
    admin = Net(net.cloud, "admin", "ops")
    body = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp"}
    made = admin.post("security-group-rules", {"security_group_rule": body})
    assert made["security_group_rule"]["project_id"] == "p1"


def test_a_groups_end_ends_rules_that_name_it(net: Net) -> None:
    one, two = net.group("one"), net.group("two")
    made = net.rule(two, remote_group_id=one["id"])
    net.delete(f"security-groups/{one['id']}")
    net.refused("GET", f"security-group-rules/{made['id']}", None, 404, "SecurityGroupRuleNotFound")
