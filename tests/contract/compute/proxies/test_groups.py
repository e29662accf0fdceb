"""Security groups and their rules as compute showed them until microversion 2.35."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compute.proxies.older import Older
from tests.contract.compute.servers.helpers import ROOT

GROUPS, RULES = "os-security-groups", "os-security-group-rules"
NOBODY = "00000000-0000-4000-8000-000000000000"


def make(older: Older, name: str = "web", description: str = "d") -> dict[str, Any]:
    body = {"security_group": {"name": name, "description": description}}
    made: dict[str, Any] = older.call("POST", GROUPS, body).expect(200)["security_group"]
    return made


def rule(older: Older, group: str, status: int = 200, **more: Any) -> Any:
    wanted = {"ip_protocol": "tcp", "from_port": 22, "to_port": "23", **more}
    body = {"security_group_rule": {"parent_group_id": group, **wanted}}
    answer = older.call("POST", RULES, body).expect(status)
    return answer["security_group_rule"] if status == 200 else answer


def test_one_is_made_changed_and_deleted(older: Older) -> None:
    made = make(older)
    assert made == {
        "id": made["id"], "name": "web", "description": "d", "tenant_id": "p1", "rules": [],
    }  # fmt: skip
    path = f"{GROUPS}/{made['id']}"
    assert older.get(path) == {"security_group": made}
    body = {"security_group": {"name": " new ", "description": ""}}
    changed = older.call("PUT", path, body).expect(200)["security_group"]
    assert (changed["name"], changed["description"]) == (" new ", "")
    assert older.call("DELETE", path).status == 202
    older.get(path, 404)
    assert older.call("PUT", path, body).status == 404
    assert older.call("DELETE", path).status == 404
    assert older.call("DELETE", f"{GROUPS}/").status == 404


def test_a_list_begins_with_the_default_one(older: Older) -> None:
    listed = older.get(GROUPS)["security_groups"]
    assert [each["name"] for each in listed] == ["default"]
    make(older)
    assert len(older.get(GROUPS)["security_groups"]) == 2
    assert len(older.get(f"{GROUPS}?limit=1&offset=1")["security_groups"]) == 1
    older.get(f"{GROUPS}?offset=-1", 400)
    mine = older.admin.get(f"{ROOT}/{GROUPS}").expect(200)["security_groups"]
    assert [each["tenant_id"] for each in mine] == ["ops"]
    everyone = older.admin.get(f"{ROOT}/{GROUPS}?all_tenants=1").expect(200)["security_groups"]
    assert {each["tenant_id"] for each in everyone} == {"ops", "p1"}


@pytest.mark.parametrize(
    "asked",
    [
        {"name": " ", "description": "d"},
        {"name": "x" * 256, "description": "d"},
        {"name": "x", "description": "d" * 256},
        {"name": "default", "description": "d"},
        {"name": "x"},
    ],
    ids=["blank", "long", "long description", "default", "no description"],
)
def test_faulty_ones_are_refused(older: Older, asked: dict[str, str]) -> None:
    assert older.call("POST", GROUPS, {"security_group": asked}).status == 400


def test_the_default_one_and_used_ones_stay(older: Older) -> None:
    [default] = older.get(GROUPS)["security_groups"]
    assert older.call("DELETE", f"{GROUPS}/{default['id']}").status == 400
    server = older.site.build()
    used = make(older)
    assert older.site.act(server["id"], "addSecurityGroup", {"name": used["name"]}).status == 202
    assert older.call("DELETE", f"{GROUPS}/{used['id']}").status == 400
    older.get(f"{GROUPS}/none", 400)


def test_a_quota_is_told_as_such(older: Older) -> None:
    quota = {"quota": {"security_group": 1}}
    older.admin.put("/network/v2.0/quotas/p1", quota).expect(200)
    older.get(GROUPS)
    body = {"security_group": {"name": "more", "description": ""}}
    assert older.call("POST", GROUPS, body).status == 403


def test_rules_let_in_by_address_and_by_group(older: Older) -> None:
    group, other = make(older), make(older, "db")
    made = rule(older, group["id"])
    assert made == {
        "id": made["id"], "parent_group_id": group["id"], "ip_protocol": "tcp", "from_port": 22,
        "to_port": 23, "ip_range": {"cidr": "0.0.0.0/0"}, "group": {},
    }  # fmt: skip
    assert rule(older, group["id"], cidr="10.2.3.124/24")["ip_range"] == {"cidr": "10.2.3.124/24"}
    assert rule(older, group["id"], cidr="fd00::/8")["ip_range"] == {"cidr": "fd00::/8"}
    named = rule(older, group["id"], group_id=other["id"])
    assert (named["group"], named["ip_range"]) == ({"name": "db", "tenant_id": "p1"}, {})
    ping = rule(older, group["id"], ip_protocol="ICMP", from_port=-1, to_port=-1)
    assert (ping["ip_protocol"], ping["from_port"], ping["to_port"]) == ("icmp", -1, -1)
    whole = rule(older, group["id"], ip_protocol="udp", from_port=1, to_port=65535)
    assert (whole["from_port"], whole["to_port"]) == (1, 65535)
    everything = rule(
        older, group["id"], ip_protocol=None, from_port=None, to_port=None, group_id=other["id"]
    )
    assert (everything["ip_protocol"], everything["from_port"]) == (None, None)
    shown = older.get(f"{GROUPS}/{group['id']}")["security_group"]["rules"]
    assert len(shown) == 7
    assert named in shown
    assert older.call("DELETE", f"{RULES}/{made['id']}").status == 202
    assert older.call("DELETE", f"{RULES}/{made['id']}").status == 404
    assert older.call("DELETE", f"{GROUPS}/{other['id']}").status == 202
    left = older.get(f"{GROUPS}/{group['id']}")["security_group"]["rules"]
    assert len(left) == 4


@pytest.mark.parametrize(
    "asked",
    [
        {"ip_protocol": "999"},
        {"from_port": 65536},
        {"to_port": 0},
        {"from_port": 24},
        {"from_port": None},
        {"ip_protocol": None},
        {"cidr": "here"},
        {"group_id": "none"},
        {"parent_group_id": "none"},
    ],
    ids=["protocol", "high", "low", "empty", "portless", "nothing", "cidr", "group", "parent"],
)
def test_faulty_rules_are_refused(older: Older, asked: dict[str, Any]) -> None:
    group = make(older)["id"]
    rule(older, group, 400, **asked)
    assert older.get(f"{GROUPS}/{group}")["security_group"]["rules"] == []


def test_a_rule_is_there_once_and_in_a_group_that_is(older: Older) -> None:
    group = make(older)["id"]
    rule(older, group)
    rule(older, group, 400)
    rule(older, NOBODY, 404)
    rule(older, group, 404, group_id=NOBODY)
    assert older.call("DELETE", f"{RULES}/none").status == 400
