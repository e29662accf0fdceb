"""What compute's older microversions reach through it, and what operators make of hosts: one of each,
and the bodies that their rows accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.image.helpers import create
from tests.contract.whole.world import Whole
from tests.harness import Client

COMPUTE, NETWORK = "/compute/v2.1", "/network/v2.0"
NEWEST = {"OpenStack-API-Version": "compute latest"}
DESCRIBED = {"name": "new", "description": "new"}


def fill(whole: Whole, member: Client, admin: Client) -> None:
    """After the networks, the images and the hosts."""
    ids = whole.ids
    host = ids["host"] = whole.cloud.engine.hosts()[0].name
    image = ids["compute/images"] = create(member, k="v")["id"]
    ids["compute:image:delete/images"] = create(member)["id"]
    ids["compute:image-metadata:list/images"] = image
    ids["compute/os-networks"] = ids["compute/os-tenant-networks"] = ids["network/networks"]
    ids["compute/os-security-groups"] = ids["network/security-groups"]
    ids["compute:group:delete/os-security-groups"] = ids["extra group"]
    ids["compute/os-security-group-rules"] = ids["network/security-group-rules"]
    floating = ids["compute/os-floating-ips"] = ids["network/floatingips"]
    shown = member.get(f"{NETWORK}/floatingips/{floating}").expect(200)["floatingip"]
    ids["floating address"] = shown["floating_ip_address"]
    for name in ("mine", "with host"):
        made = admin.post(f"{COMPUTE}/os-aggregates", {"aggregate": {"name": name}})
        ids[name] = str(made.expect(200)["aggregate"]["id"])
    path = f"{COMPUTE}/os-aggregates/{ids['with host']}/action"
    assert admin.post(path, {"add_host": {"host": host}}).status == 200
    services = f"{COMPUTE}/os-services"
    [new] = admin.get(services, headers=NEWEST).expect(200)["services"]
    [old] = admin.get(services).expect(200)["services"]
    ids.update({
        "compute/os-aggregates": ids["mine"], "compute/os-hosts": host,
        "compute:aggregate:remove-host/os-aggregates": ids["with host"],
        "compute/os-services": new["id"], "compute/os-services to 2.52": str(old["id"]),
        "compute:hypervisor:search/os-hypervisors": host,
        "compute:hypervisor:servers/os-hypervisors": host,
        "compute/os-instance_usage_audit_log": "2026-01-01 00:00:00",
    })  # fmt: skip


def bodies(ids: Mapping[str, str]) -> dict[str, Any]:
    """Bodies that rows accept, by action."""
    host, service = {"host": ids["host"]}, {"host": ids["host"], "binary": "nova-compute"}
    rule = {"parent_group_id": ids["network/security-groups"], "ip_protocol": "udp",
            "from_port": 53, "to_port": 53}  # fmt: skip
    address = {"address": ids["floating address"]}
    return {
        "compute:image-metadata:create": {"metadata": {"n": "v"}},
        "compute:image-metadata:replace": {"metadata": {"n": "v"}},
        "compute:image-metadata:update": {"meta": {"k": "w"}},
        "compute:group:create": {"security_group": DESCRIBED},
        "compute:group:update": {"security_group": DESCRIBED},
        "compute:group-rule:create": {"security_group_rule": rule},
        "compute:floating-ip:create": {"pool": "public"},
        "compute:server:add-floating-ip": {"addFloatingIp": address},
        "compute:server:remove-floating-ip": {"removeFloatingIp": address},
        "compute:aggregate:update": {"aggregate": {"name": "new"}},
        "compute:aggregate:add-host": {"add_host": host},
        "compute:aggregate:remove-host": {"remove_host": host},
        "compute:aggregate:set-metadata": {"set_metadata": {"metadata": {"k": "v"}}},
        "compute:service:update": {"status": "enabled"},
        "compute:service:enable": service,
        "compute:service:disable": service,
        "compute:service:disable-log-reason": {**service, "disabled_reason": "why"},
        "compute:service:force-down": {**service, "forced_down": False},
        "compute:host:update": {"status": "enable"},
    }
