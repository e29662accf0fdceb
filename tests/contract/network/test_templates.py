"""Default security group rules: what new groups begin with."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.network.kit import Net
from tests.harness import unknown_id

PATH = "default-security-group-rules"


@pytest.fixture
def admin(net: Net) -> Net:
    return Net(net.cloud, "admin", "ops")


def add(admin: Net, **values: Any) -> Any:
    body = {"direction": "ingress", **values}
    return admin.post(PATH, {"default_security_group_rule": body})["default_security_group_rule"]


def ways(group: Any) -> list[tuple[str, str, str | None]]:
    rules = group["security_group_rules"]
    return sorted((r["direction"], r["ethertype"], r["protocol"] or "") for r in rules)


def test_upstreams_are_there_from_the_beginning(net: Net) -> None:
    found = net.get(PATH)["default_security_group_rules"]
    assert [(r["direction"], r["ethertype"], r["remote_group_id"]) for r in found] == [
        ("egress", "IPv4", None), ("egress", "IPv6", None),
        ("ingress", "IPv4", "PARENT"), ("ingress", "IPv6", "PARENT"),
    ]  # fmt: skip
    shown = net.get(f"{PATH}/{found[2]['id']}")["default_security_group_rule"]
    assert (shown["used_in_default_sg"], shown["used_in_non_default_sg"]) == (True, False)
    assert net.get(f"{PATH}?direction=ingress&ethertype=IPv6&fields=id")[
        "default_security_group_rules"
    ] == [{"id": found[3]["id"]}]
    rules = net.default_group()["security_group_rules"]
    assert len(rules) == 4
    assert all(each["belongs_to_default_sg"] for each in rules)


def test_new_groups_begin_with_them(net: Net, admin: Net) -> None:
    before = net.group("before")
    for each in admin.get(f"{PATH}?direction=egress")["default_security_group_rules"]:
        admin.delete(f"{PATH}/{each['id']}")
    ssh = add(admin, protocol="tcp", port_range_min=22, port_range_max=22, description="ssh")
    add(admin, protocol="icmp", used_in_default_sg=True, used_in_non_default_sg=False)
    assert ways(net.group("after")) == [("ingress", "IPv4", "tcp")]
    assert ways(net.get(f"security-groups/{before['id']}")["security_group"]) == [
        ("egress", "IPv4", ""), ("egress", "IPv6", ""),
    ]  # fmt: skip
    other = Net(net.cloud, project="p2")
    assert ways(other.default_group()) == [
        ("ingress", "IPv4", ""), ("ingress", "IPv4", "icmp"), ("ingress", "IPv6", ""),
    ]  # fmt: skip
    admin.delete(f"{PATH}/{ssh['id']}")
    admin.refused("DELETE", f"{PATH}/{ssh['id']}", None, 404, "DefaultSecurityGroupRuleNotFound")
    assert ways(net.group("last")) == []


def test_equal_rules_are_made_once(net: Net, admin: Net) -> None:
    add(admin, protocol="tcp")
    add(admin, protocol="6", remote_group_id="PARENT")
    add(admin, protocol="6", remote_ip_prefix=None)
    assert [way[0] for way in ways(net.group())] == [
        "egress", "egress", "ingress", "ingress",
    ]  # fmt: skip


def test_bad_ones_are_refused(net: Net, admin: Net) -> None:
    add(admin, protocol="tcp")
    for values, status, name in (
        ({"protocol": "tcp"}, 409, "DefaultSecurityGroupRuleExists"),
        ({"direction": "up"}, 400, "HTTPBadRequest"),
        ({"remote_group_id": "x"}, 400, "HTTPBadRequest"),
        ({"remote_group_id": unknown_id()}, 404, "SecurityGroupNotFound"),
        ({"remote_address_group_id": unknown_id()}, 404, "AddressGroupNotFound"),
        ({"used_in_non_default_sg": False}, 400, "HTTPBadRequest"),
        ({"port_range_min": 3}, 400, "SecurityGroupProtocolRequiredWithPorts"),
    ):
        body = {"default_security_group_rule": {"direction": "ingress", **values}}
        admin.refused("POST", PATH, body, status, name)
    body = {"default_security_group_rule": {"direction": "ingress"}}
    net.call("POST", PATH, body).expect(403)
    many = [{"direction": "egress", "protocol": str(number)} for number in range(100, 196)]
    admin.refused("POST", PATH, {"default_security_group_rules": many}, 409, "OverQuota")
    made = admin.post(PATH, {"default_security_group_rules": many[:95]})
    assert len(made["default_security_group_rules"]) == 95


def test_what_they_name_stays_or_takes_them_along(net: Net, admin: Net) -> None:
    group = admin.group()
    body = {"address_group": {"addresses": ["10.0.0.0/8"]}}
    listed = admin.post("address-groups", body)["address_group"]
    add(admin, remote_group_id=group["id"])
    add(admin, remote_address_group_id=listed["id"])
    admin.refused("DELETE", f"address-groups/{listed['id']}", None, 409, "AddressGroupInUse")
    admin.delete(f"security-groups/{group['id']}")
    left = admin.get(f"{PATH}?direction=ingress")["default_security_group_rules"]
    assert [each["remote_address_group_id"] for each in left][-1] == listed["id"]
    assert group["id"] not in [each["remote_group_id"] for each in left]
