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
    filters = {"interface": "public"}
    group = new("OS-EP-FILTER/endpoint_groups", "endpoint_group", name="all", filters=filters)["id"]
    path = f"{V3}/OS-EP-FILTER/endpoint_groups/{group}/projects/{web}"
    assert admin.put(path).status == 204
    ids["identity/endpoint_groups"] = group
    ids["identity/consumers"] = new("OS-OAUTH1/consumers", "consumer", description="d")["id"]
    config = f"{V3}/domains/{ids['domain']}/config"
    assert admin.put(config, {"config": {"identity": {"driver": "sql"}}}).status == 201
    ids.update({"identity/config": "identity", "identity/{section}": "driver"})
    _limits(ids, admin)
    ids["identity/access_rules"] = _access_rule(user, member)


def _limits(ids: dict[str, str], admin: Client) -> None:
    """Registered ones of three resources: one is the project's, one may go, one it may have."""
    service = {"service_id": ids["identity/services"]}
    names = ("held", "spare", "free")
    many = [{**service, "resource_name": each, "default_limit": 1} for each in names]
    made = admin.post(f"{V3}/registered_limits", {"registered_limits": many}).expect(201)
    held, spare, _ = (each["id"] for each in made["registered_limits"])
    own = {**service, "resource_name": "held", "resource_limit": 2, "project_id": ids["web"]}
    limits = admin.post(f"{V3}/limits", {"limits": [own]}).expect(201)["limits"]
    ids.update({
        "identity/registered_limits": held, "identity/limits": limits[0]["id"],
        "identity:registered_limit:delete/registered_limits": spare,
    })  # fmt: skip


def _access_rule(user: str, member: Client) -> str:
    """One that no application credential has any more."""
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}
    wanted = {"application_credential": {"name": "ruled", "access_rules": [rule]}}
    path = f"{V3}/users/{user}/application_credentials"
    made = member.post(path, wanted).expect(201)["application_credential"]
    assert member.delete(f"{path}/{made['id']}").status == 204
    return str(made["access_rules"][0]["id"])


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
    own = {"service_id": ids["identity/services"], "resource_name": "free", "resource_limit": 2}
    config = "/v3/domains/{domain_id}/config"
    whole_config = {"config": {"identity": {"driver": "sql"}}}
    return {
        "identity:trust:create": {"trust": trust(whole)},
        "identity:endpoint:create": {"endpoint": endpoint},
        "identity:registered_limit:create": {"registered_limits": [limit]},
        "identity:registered_limit:update": {"registered_limit": {"default_limit": 2}},
        "identity:limit:create": {"limits": [{**own, "project_id": ids["web"]}]},
        "identity:limit:update": {"limit": {"resource_limit": 3}},
        f"PUT {config}": whole_config,
        f"PATCH {config}": whole_config,
        f"PATCH {config}/{{section}}": whole_config,
        f"PATCH {config}/{{section}}/{{name}}": {"config": {"driver": "sql"}},
        "identity:endpoint_group:create": {
            "endpoint_group": {"name": "x", "filters": {"interface": "public"}}},
        "identity:endpoint:update": {"endpoint": {"enabled": True}},
        "identity:region:update": {"region": {"description": "new"}},
        "identity:service:update": {"service": {"name": "new"}},
        "identity:policy:update": {"policy": {"blob": "[]"}},
        "identity:endpoint_group:update": {"endpoint_group": {"name": "new"}},
        "identity:consumer:update": {"consumer": {"description": "new"}},
        "identity:ec2_credential:create": {"tenant_id": ids["web"]},
    }  # fmt: skip
