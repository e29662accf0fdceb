"""What the network's extensions and placement have, one of each, for `stock`; and the bodies that
their rows accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from andromede.services.network.agents.store import beat
from tests.contract.whole.world import Whole
from tests.harness import Client

NETWORK = "/network/v2.0"
PLACEMENT = {"OpenStack-API-Version": "placement latest"}


def fill(whole: Whole, member: Client, manager: Client, admin: Client) -> None:
    """Make them, and write down their ids."""
    ids = whole.ids

    def new(path: str, noun: str, client: Client = member, **values: Any) -> str:
        made: str = client.post(f"{NETWORK}/{path}", {noun: values}).expect(201)[noun]["id"]
        return made

    group = new("address-groups", "address_group", name="g", addresses=["10.7.0.0/24"])
    scope = new("address-scopes", "address_scope", name="s", ip_version=4)
    pool = new("subnetpools", "subnetpool", name="p", prefixes=["10.64.0.0/16"])
    policy = new("qos/policies", "policy", manager, name="q")
    rules = f"qos/policies/{policy}"
    forwarding = {
        "protocol": "tcp", "internal_port_id": ids["network/ports"], "external_port": 2222,
        "internal_port": 22, "internal_ip_address": address(member, ids["network/ports"]),
    }  # fmt: skip
    whole.cloud.database.transact(lambda connection: beat(connection, "host", started=True))
    agents = admin.get(f"{NETWORK}/agents").expect(200)["agents"]
    dhcp = next(each["id"] for each in agents if "dhcp" in each["binary"])
    spare = ids["spare network"] = member.post(f"{NETWORK}/networks", {"network": {}}).json[
        "network"]["id"]  # fmt: skip
    shared = {"object_type": "network", "object_id": spare}
    unhosted = f"{NETWORK}/agents/{dhcp}/dhcp-networks/{spare}"
    assert admin.delete(unhosted).status == 204
    unmarked = new("qos/policies", "policy", manager, name="unmarked")
    ids.update({
        "network:qos_dscp_marking_rule:create/policies": unmarked,
        "network/address-groups": group, "network/address-scopes": scope,
        "network/subnetpools": pool, "network/policies": policy,
        "network/bandwidth_limit_rules": new(
            f"{rules}/bandwidth_limit_rules", "bandwidth_limit_rule", manager, max_kbps=1000),
        "network/dscp_marking_rules": new(
            f"{rules}/dscp_marking_rules", "dscp_marking_rule", manager, dscp_mark=8),
        "network/rbac-policies": new(
            "rbac-policies", "rbac_policy", **shared, target_tenant=ids["shop"],
            action="access_as_shared"),
        "network/default-security-group-rules": new(
            "default-security-group-rules", "default_security_group_rule", admin,
            direction="ingress"),
        "network/port_forwardings": new(
            f"floatingips/{ids['network/floatingips']}/port_forwardings", "port_forwarding",
            **forwarding),
        "network/rule-types": "bandwidth_limit", "network/agents": dhcp,
        "network/dhcp-networks": ids["network/networks"], "spare network": spare,
        "forwarded address": forwarding["internal_ip_address"],
    })  # fmt: skip
    _tagged(ids, member, manager)
    _idle(ids, member)
    _placement(ids, admin)


def _idle(ids: dict[str, str], member: Client) -> None:
    """A floating IP that may go, as the one that forwards may not."""
    wish = {"floatingip": {"floating_network_id": ids["external"]}}
    idle = member.post(f"{NETWORK}/floatingips", wish).expect(201)["floatingip"]["id"]
    ids["network:floatingip:delete/floatingips"] = idle
    ids["compute:floating-ip:delete/os-floating-ips"] = idle


def _tagged(ids: dict[str, str], member: Client, manager: Client) -> None:
    pool, policy = ids["network/subnetpools"], ids["network/policies"]
    for path, client in ((f"subnetpools/{pool}", member), (f"qos/policies/{policy}", manager)):
        assert client.put(f"{NETWORK}/{path}/tags/red").status == 201


def _placement(ids: dict[str, str], admin: Client) -> None:
    providers = admin.get("/placement/resource_providers", headers=PLACEMENT).expect(200)
    ids.update({
        "placement/resource_providers": providers["resource_providers"][0]["uuid"],
        "placement/allocations": ids["compute/servers"], "placement/inventories": "VCPU",
        "placement/resource_classes": "VCPU", "placement/traits": "COMPUTE_IMAGE_TYPE_RAW",
    })  # fmt: skip


def address(client: Client, port: str) -> str:
    found = client.get(f"{NETWORK}/ports/{port}").expect(200)["port"]["fixed_ips"]
    return str(found[0]["ip_address"])


def bodies(ids: Mapping[str, str]) -> dict[str, Any]:
    """By action, or by method and path."""
    owned = {"project_id": ids["web"]}
    shared = {"object_type": "network", "object_id": ids["network/networks"],
              "action": "access_as_shared", "target_tenant": ids["shop"]}  # fmt: skip
    forwarding = {
        "protocol": "udp", "internal_port_id": ids["network/ports"], "external_port": 2223,
        "internal_port": 23, "internal_ip_address": ids["forwarded address"],
    }  # fmt: skip
    made: dict[str, dict[str, Any]] = {
        "address_group": {"name": "n"}, "address_scope": {"name": "n", "ip_version": 4},
        "subnetpool": {"name": "n", "prefixes": ["10.65.0.0/16"]}, "rbac_policy": shared,
    }  # fmt: skip
    renamed = {"name": "new"}
    return {
        **{f"network:{noun}:create": {noun: {**values, **owned}} for noun, values in made.items()},
        "network:qos_policy:create": {"policy": {"name": "n", **owned}},
        "network:default_security_group_rule:create": {
            "default_security_group_rule": {"direction": "egress", "protocol": "udp"}},
        "network:port_forwarding:create": {"port_forwarding": forwarding},
        "network:port_forwarding:update": {"port_forwarding": {"external_port": 2224}},
        "network:address_group:update": {"address_group": renamed},
        "network:address_scope:update": {"address_scope": renamed},
        "network:subnetpool:update": {"subnetpool": renamed},
        "network:qos_policy:update": {"policy": renamed},
        "network:rbac_policy:update": {"rbac_policy": {"target_tenant": ids["shop"]}},
        "PUT /v2.0/address-groups/{id}/add_addresses": {"addresses": ["10.8.0.0/24"]},
        "PUT /v2.0/address-groups/{id}/remove_addresses": {"addresses": ["10.7.0.0/24"]},
        "PUT /v2.0/subnetpools/{id}/add_prefixes": {"prefixes": ["10.66.0.0/16"]},
        "PUT /v2.0/subnetpools/{id}/remove_prefixes": {"prefixes": ["10.64.0.0/16"]},
        "POST /v2.0/qos/policies/{policy_id}/bandwidth_limit_rules": {
            "bandwidth_limit_rule": {"max_kbps": 9, "direction": "ingress"}},
        "POST /v2.0/qos/policies/{policy_id}/dscp_marking_rules": {
            "dscp_marking_rule": {"dscp_mark": 10}},
        "PUT /v2.0/qos/policies/{policy_id}/bandwidth_limit_rules/{id}": {
            "bandwidth_limit_rule": {"max_kbps": 9}},
        "PUT /v2.0/qos/policies/{policy_id}/dscp_marking_rules/{id}": {
            "dscp_marking_rule": {"dscp_mark": 10}},
        "POST /v2.0/agents/{id}/dhcp-networks": {"network_id": ids["spare network"]},
    }  # fmt: skip
