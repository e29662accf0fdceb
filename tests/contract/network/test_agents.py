"""Agents, and the networks that have their DHCP from one."""

from __future__ import annotations

from typing import Any

import pytest

from andromede import clock
from andromede.services.network import reconcilers
from tests.contract.network.kit import Net
from tests.harness import TestCloud, caller, unknown_id

KINDS = ["DHCP agent", "L3 agent", "Linux bridge agent", "Metadata agent"]


@pytest.fixture
def admin(cloud: TestCloud) -> Net:
    reconcilers(cloud.runner.world)[0].run()
    return Net(cloud, "admin", "ops")


def dhcp_agent(admin: Net) -> Any:
    return admin.get("agents?agent_type=DHCP Agent&alive=true")["agents"][0]


def test_each_host_has_its_agents(admin: Net) -> None:
    found = admin.get("agents")["agents"]
    assert [each["agent_type"] for each in found] == KINDS
    assert {each["host"] for each in found} == {admin.cloud.config.place.host}
    assert all(each["alive"] and each["admin_state_up"] for each in found)
    shown = admin.get(f"agents/{found[0]['id']}")["agent"]
    assert (shown["binary"], shown["topic"]) == ("neutron-dhcp-agent", "dhcp_agent")
    assert admin.get(f"agents?id={unknown_id()}")["agents"] == []
    assert admin.get("agents?alive=false")["agents"] == []
    assert admin.get("agents?fields=host&binary=neutron-l3-agent")["agents"] == [
        {"host": admin.cloud.config.place.host}
    ]
    admin.refused("GET", "agents?alive=perhaps", None, 400, "HTTPBadRequest")
    admin.refused("GET", f"agents/{unknown_id()}", None, 404, "AgentNotFound")


def test_lists_of_few_are_paged_too(admin: Net, net: Net) -> None:
    every = [each["id"] for each in admin.get("agents")["agents"]]
    assert [each["id"] for each in admin.get("agents?limit=1")["agents"]] == every[:1]
    beyond = admin.get(f"agents?marker={every[0]}&fields=id")["agents"]
    assert beyond == [{"id": each} for each in every[1:]]
    for query in ("limit=-1", "limit=x", "marker=nothing", "sort_key=id&sort_dir=asc"):
        admin.refused("GET", f"agents?{query}", None, 400, "HTTPBadRequest")
    for path in ("availability_zones", "service-providers", "qos/rule-types"):
        net.refused("GET", f"{path}?limit=x", None, 400, "HTTPBadRequest")
        net.refused("GET", f"{path}?sort_key=colour&sort_dir=asc", None, 400, "HTTPBadRequest")


def test_customers_see_none(admin: Net, net: Net) -> None:
    assert net.get("agents") == {"agents": []}
    net.call("GET", f"agents/{unknown_id()}").expect(403)
    system = net.cloud.as_(caller("admin", None, system=True), private=True)
    assert len(system.get("/network/v2.0/agents").expect(200)["agents"]) == len(KINDS)


def test_a_silent_agent_is_not_alive(admin: Net) -> None:
    check = reconcilers(admin.cloud.runner.world)[0]
    before = admin.get("agents")["agents"]
    later = clock.now() + 80 * clock.SECOND
    clock.set_source(lambda: later)
    try:
        assert not any(each["alive"] for each in admin.get("agents")["agents"])
        check.run()
        after = admin.get("agents")["agents"]
        check.run()
    finally:
        clock.set_source(None)
    assert all(each["alive"] for each in after)
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert after[0]["started_at"] > before[0]["started_at"], "another worker began"
    assert after[0]["created_at"] == before[0]["created_at"]


def test_a_network_loses_its_dhcp_and_gets_it_again(admin: Net, net: Net) -> None:
    network = net.network()
    net.subnet(network)
    agent = dhcp_agent(admin)
    path = f"agents/{agent['id']}/dhcp-networks"
    net.cloud.settle()
    assert net.cloud.engine.networks[network["id"]].subnets[0].dhcp_address == "10.0.0.2"
    assert network["id"] in [each["id"] for each in admin.get(path)["networks"]]
    hosts = f"networks/{network['id']}/dhcp-agents"
    assert [each["id"] for each in admin.get(hosts)["agents"]] == [agent["id"]]
    body = {"network_id": network["id"]}
    admin.refused("POST", path, body, 409, "NetworkHostedByDHCPAgent")
    admin.delete(f"{path}/{network['id']}")
    net.cloud.settle()
    assert net.cloud.engine.networks[network["id"]].subnets[0].dhcp_address is None
    assert net.get("ports")["ports"] == []
    assert admin.get(path)["networks"] == []
    assert admin.get(hosts) == {"agents": []}
    admin.refused("DELETE", f"{path}/{network['id']}", None, 409, "NetworkNotHostedByDhcpAgent")
    admin.post(path, body)
    net.cloud.settle()
    assert net.cloud.engine.networks[network["id"]].subnets[0].dhcp_address == "10.0.0.2"


def test_bad_hostings_are_refused(admin: Net, net: Net) -> None:
    router = admin.get("agents?agent_type=L3 agent")["agents"][0]["id"]
    for body in (None, [], {"network_id": 3}):
        path = f"agents/{dhcp_agent(admin)['id']}/dhcp-networks"
        admin.refused("POST", path, body, 400, "HTTPBadRequest")
    admin.refused("GET", f"agents/{router}/dhcp-networks", None, 404, "AgentNotFound")
    body = {"network_id": unknown_id()}
    admin.refused("POST", path, body, 404, "NetworkNotFound")
    net.call("GET", path).expect(403)


def test_the_list_of_hosted_networks_has_pages(admin: Net, net: Net) -> None:
    for _ in range(3):
        net.network()
    path = f"agents/{dhcp_agent(admin)['id']}/dhcp-networks"
    first = admin.get(f"{path}?limit=2")
    assert len(first["networks"]) == 2
    link = first["networks_links"][0]["href"]
    assert f"/v2.0/{path}?" in link
    rest = admin.get(f"{path}?{link.partition('?')[2]}")["networks"]
    assert len(rest) == 1
