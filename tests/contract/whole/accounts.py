"""What identity has besides accounts and roles, one of each, for `stock`; and the bodies that its
rows accept."""

from __future__ import annotations

from typing import Any

from tests.contract.identity.making import V3
from tests.contract.whole.world import Whole
from tests.harness import Client


def fill(whole: Whole, member: Client, admin: Client) -> None:
    """Make them, and write down their ids."""
    ids, user, web = whole.ids, whole.ids["user member"], whole.ids["web"]

    def new(path: str, noun: str, client: Client = admin, **values: Any) -> Any:
        return client.post(f"{V3}/{path}", {noun: values}).expect(201)[noun]

    assert admin.put(f"{V3}/regions/spare", {"region": {}}).status == 201
    service = new("services", "service", type="extra", name="extra")["id"]
    endpoint = new("endpoints", "endpoint", service_id=service, interface="public",
                   url="https://extra.test/")["id"]  # fmt: skip
    path = f"{V3}/OS-EP-FILTER/projects/{web}/endpoints/{ids['identity/endpoints']}"
    assert admin.put(path).status == 204
    ids.update({
        "extra service": service, "identity:region:create/regions": "new",
        "identity:region:delete/regions": "spare", "identity:service:delete/services": service,
        "identity:endpoint:delete/endpoints": endpoint,
        "identity/policies": new("policies", "policy", blob="{}", type="application/json")["id"],
        "identity/trusts": new("OS-TRUST/trusts", "trust", member, **trust(whole))["id"],
    })  # fmt: skip
    ec2 = member.post(f"{V3}/users/{user}/credentials/OS-EC2", {"tenant_id": web})
    ids["identity/OS-EC2"] = ec2.expect(201)["credential"]["access"]


def trust(whole: Whole) -> dict[str, Any]:
    ids = whole.ids
    return {
        "trustor_user_id": ids["user member"], "trustee_user_id": ids["user other"],
        "impersonation": False, "project_id": ids["web"],
        "roles": [{"id": whole.world.first.roles["member"]}],
    }  # fmt: skip


def bodies(whole: Whole) -> dict[str, Any]:
    """By action."""
    ids = whole.ids
    endpoint = {"service_id": ids["extra service"], "interface": "admin", "url": "https://x.test/"}
    limit = {"service_id": ids["extra service"], "resource_name": "x", "default_limit": 1}
    return {
        "identity:trust:create": {"trust": trust(whole)},
        "identity:endpoint:create": {"endpoint": endpoint},
        "identity:registered_limit:create": {"registered_limits": [limit]},
        "identity:endpoint_group:create": {
            "endpoint_group": {"name": "x", "filters": {"interface": "public"}}},
        "identity:ec2_credential:create": {"tenant_id": ids["web"]},
        "image:member:create": {"member": ids["shop"]},
        "image:metadef-namespace:create": {"namespace": "new"},
    }  # fmt: skip
