"""What tests/contract/test_plans.py takes for small, each with its reason: tables that stay small,
columns of which each value is in few rows, and statements that cost more than a page on purpose."""

from __future__ import annotations

from collections.abc import Mapping

OPERATORS = "operators set it up: it does not grow with customers"
NAMED = "several have one name only where they are in several domains"
OF_ONE = "belongs to one resource, of which there are few"
LIMITED = "belongs to one resource, which may have so many"
ACTOR = "what one user or group was granted: the API answers it whole"
UNPAGED = "the API answers it whole"
COUNTS = "counts what a project has: as many as its quota lets"
HOST = "counts what is on a host"

FEW: Mapping[str, Mapping[str, str]] = {
    **{
        table: {"*": OPERATORS}
        for table in (
            "catalog_endpoint", "catalog_region", "catalog_service", "compute_aggregate",
            "compute_aggregate_host", "compute_host",
            "endpoint_group", "endpoint_group_project", "endpoint_project", "flavor",
            "flavor_access", "implied_role", "metadef_item", "metadef_namespace", "network_agent",
            "network_default_rule", "policy_text", "project_limit", "registered_limit", "role",
            "seal_answer", "witness", "witnessed_log", "world_contract", "world_entity",
            "world_holding", "world_site", "affiliation", "policy",
        )
    },
    "access_rule": {"user_id": OF_ONE},
    "application_credential_access_rule": {"credential_id": OF_ONE},
    "application_credential_role": {"credential_id": OF_ONE},
    "checkpoint": {"*": "asked for from the newest on: the one that is wanted is near"},
    "consent": {"emergency": "operators' urgent accesses alone"},
    "cosignature": {"size": OF_ONE},
    "credential": {"user_id": OF_ONE},
    "domain_option": {"domain_id": OF_ONE},
    "floating_ip": {"port_id": OF_ONE, "router_id": OF_ONE,
                    "floating_network_id": "as many as the block has addresses"},
    "group": {"name": NAMED},
    "group_member": {"user_id": ACTOR},
    "image_member": {"image_id": LIMITED, "member_id": "what others offer to one project"},
    "image_property": {"image_id": LIMITED},
    "image_tag": {"image_id": LIMITED},
    "image_task": {"image_id": LIMITED},
    "network": {"shared": "operators share with everybody", "external_to_all": OPERATORS},
    "network_ip_allocation": {"port_id": OF_ONE},
    "network_port_forwarding": {"floatingip_id": OF_ONE},
    "network_qos_rule": {"policy_id": OF_ONE},
    "network_rbac_policy": {"object_id": OF_ONE, "target_tenant": "quotas of those who share"},
    "network_tag": {"resource_id": LIMITED},
    "port": {"device_id": OF_ONE, "mac_address": "rarely the same on two networks"},
    "port_security_group": {"port_id": OF_ONE},
    "project": {"name": NAMED},
    "project_tag": {"project_id": LIMITED},
    "quota": {"project_id": OF_ONE},
    "role_grant": {"actor_id": ACTOR, "role_id": "asked whether there is any"},
    "security_group_rule": {"security_group_id": LIMITED, "remote_group_id": LIMITED},
    "server_event": {"request_id": OF_ONE},
    "server_group_member": {"group_id": LIMITED},
    "sovereignty_evaluation": {"*": "one row"},
    "subnet": {"network_id": LIMITED},
    "trust": {"project_id": LIMITED, "trustee_user_id": ACTOR},
    "trust_role": {"trust_id": OF_ONE},
    "user": {"name": NAMED},
}  # fmt: skip
NETWORK_NOUNS = ("floating_ip", "network", "network_rbac_policy", "network_subnet_pool", "port",
                 "router", "security_group", "security_group_rule", "subnet")  # fmt: skip
PROVIDERS = ("aggregate:list", "allocation:list", "allocation:show", "allocation_candidate:list",
             "inventory:list", "inventory:show", "resource_provider:list", "resource_provider:show",
             "resource_provider_trait:list", "usage:show", "usage:total")  # fmt: skip
REACH = "sovereignty:report:reach"
REPORT = "a report of all who reach one project, asked for by its own"
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    **{("network:quota:details", f"reads of {noun} without a limit"): COUNTS
       for noun in NETWORK_NOUNS},
    **{(f"compute:{action}", f"reads of {noun} without a limit"): COUNTS
       for action in ("limits:show", "quota_set:detail") for noun in ("server", "server_group")},
    ("image:info:usage", "reads of image without a limit"): COUNTS,
    **{(f"compute:hypervisor:{act}", "reads of server without a limit"): HOST
       for act in ("detail", "servers", "show", "statistics")},
    ("compute:host:show", "reads of server without a limit"): HOST,
    **{(action, f"{what} server"): UNPAGED
       for action in ("compute:host:show", "placement:allocation:list")
       for what in ("collects more than a page of", "reads all of")},
    **{(f"placement:{action}", "reads of server without a limit"): HOST for action in PROVIDERS},
    **{(f"network:availability:{act}", "reads of network_ip_allocation without a limit"):
       "counts the addresses held of each network" for act in ("list", "show")},
    **{("network:quota:list", f"reads {how}"): UNPAGED
       for how in ("all of quota", "of quota without a limit")},
    **{(action, "reads of project without a limit"): UNPAGED
       for action in ("identity:auth_project:list", "identity:user_project:list", REACH,
                      "sovereignty:report:user")},
    ("identity:group_user:list", "collects more than a page of user"):
        "filtered by a domain too: as many as that has users",
    **{(action, "collects more than a page of role_grant"): "what is granted on one target"
       for action in ("identity:auth_system:show", REACH, "sovereignty:report:user")},
    ("sovereignty:plan:show", "collects more than a page of finding"):
        "as many findings as the project has: a plan is made to end them",
    ("image:image:list", "reads all of image"):
        "in another order than the default one, as far as public images lie apart in it",
    (REACH, "reads of role_grant without a limit"): REPORT,
    (REACH, "reads of group_member without a limit"): REPORT,
}  # fmt: skip
"""(action, what the planner finds): why."""
