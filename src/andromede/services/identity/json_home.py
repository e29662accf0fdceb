"""The JSON home document: which resources are served, and where. Source: draft-nottingham-json-home,
with the relations that the identity API v3 and its extensions name."""

from __future__ import annotations

import re
from typing import Any

BASE = "https://docs.openstack.org/api/openstack-identity/3"
MEDIA_TYPE = "application/json-home"
VARIABLE = re.compile(r"\{(\w+)\}")
OWN = {  # variables that extensions name
    "consumer_id": "OS-OAUTH1", "endpoint_group_id": "OS-EP-FILTER", "trust_id": "OS-TRUST",
}  # fmt: skip
ALIASES = {  # variables whose relation has another name
    "group": "config_group", "implied_role_id": "role_id", "option": "config_option",
    "prior_role_id": "role_id", "value": "tag_value",
}  # fmt: skip
EXPERIMENTAL = {"limit", "limit_model", "limits", "registered_limit", "registered_limits"}

# Each line: the extension or `-`, the relation, and the path below /v3.
RESOURCES = """
OS-EC2 ec2tokens /ec2tokens
OS-EC2 user_credential /users/{user_id}/credentials/OS-EC2/{credential_id}
OS-EC2 user_credentials /users/{user_id}/credentials/OS-EC2
OS-EP-FILTER endpoint_group /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}
OS-EP-FILTER endpoint_group_to_project_association /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}
OS-EP-FILTER endpoint_groups /OS-EP-FILTER/endpoint_groups
OS-EP-FILTER endpoint_projects /OS-EP-FILTER/endpoints/{endpoint_id}/projects
OS-EP-FILTER endpoints_in_endpoint_group /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/endpoints
OS-EP-FILTER project_endpoint /OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}
OS-EP-FILTER project_endpoint_groups /OS-EP-FILTER/projects/{project_id}/endpoint_groups
OS-EP-FILTER project_endpoints /OS-EP-FILTER/projects/{project_id}/endpoints
OS-EP-FILTER projects_associated_with_endpoint_group /OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects
OS-INHERIT domain_group_role_inherited_to_projects /OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects
OS-INHERIT domain_group_roles_inherited_to_projects /OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles/inherited_to_projects
OS-INHERIT domain_user_role_inherited_to_projects /OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/{role_id}/inherited_to_projects
OS-INHERIT domain_user_roles_inherited_to_projects /OS-INHERIT/domains/{domain_id}/users/{user_id}/roles/inherited_to_projects
OS-INHERIT project_group_role_inherited_to_projects /OS-INHERIT/projects/{project_id}/groups/{group_id}/roles/{role_id}/inherited_to_projects
OS-INHERIT project_user_role_inherited_to_projects /OS-INHERIT/projects/{project_id}/users/{user_id}/roles/{role_id}/inherited_to_projects
OS-OAUTH1 consumer /OS-OAUTH1/consumers/{consumer_id}
OS-OAUTH1 consumers /OS-OAUTH1/consumers
OS-REVOKE events /OS-REVOKE/events
OS-TRUST trust /OS-TRUST/trusts/{trust_id}
OS-TRUST trust_role /OS-TRUST/trusts/{trust_id}/roles/{role_id}
OS-TRUST trust_roles /OS-TRUST/trusts/{trust_id}/roles
OS-TRUST trusts /OS-TRUST/trusts
s3tokens s3tokens /s3tokens
- access_rule /users/{user_id}/access_rules/{access_rule_id}
- access_rules /users/{user_id}/access_rules
- application_credential /users/{user_id}/application_credentials/{application_credential_id}
- application_credentials /users/{user_id}/application_credentials
- auth_catalog /auth/catalog
- auth_domains /auth/domains
- auth_projects /auth/projects
- auth_system /auth/system
- auth_tokens /auth/tokens
- credential /credentials/{credential_id}
- credentials /credentials
- domain /domains/{domain_id}
- domain_config /domains/{domain_id}/config
- domain_config_default /domains/config/default
- domain_config_default_group /domains/config/{group}/default
- domain_config_default_option /domains/config/{group}/{option}/default
- domain_config_group /domains/{domain_id}/config/{group}
- domain_config_option /domains/{domain_id}/config/{group}/{option}
- domain_group_role /domains/{domain_id}/groups/{group_id}/roles/{role_id}
- domain_group_roles /domains/{domain_id}/groups/{group_id}/roles
- domain_user_role /domains/{domain_id}/users/{user_id}/roles/{role_id}
- domain_user_roles /domains/{domain_id}/users/{user_id}/roles
- domains /domains
- endpoint /endpoints/{endpoint_id}
- endpoints /endpoints
- group /groups/{group_id}
- group_user /groups/{group_id}/users/{user_id}
- group_users /groups/{group_id}/users
- groups /groups
- implied_role /roles/{prior_role_id}/implies/{implied_role_id}
- implied_roles /roles/{prior_role_id}/implies
- limit /limits/{limit_id}
- limit_model /limits/model
- limits /limits
- policies /policies
- policy /policies/{policy_id}
- project /projects/{project_id}
- project_group_role /projects/{project_id}/groups/{group_id}/roles/{role_id}
- project_group_roles /projects/{project_id}/groups/{group_id}/roles
- project_tags /projects/{project_id}/tags/{value}
- project_user_role /projects/{project_id}/users/{user_id}/roles/{role_id}
- project_user_roles /projects/{project_id}/users/{user_id}/roles
- projects /projects
- region /regions/{region_id}
- regions /regions
- registered_limit /registered_limits/{registered_limit_id}
- registered_limits /registered_limits
- role /roles/{role_id}
- role_assignments /role_assignments
- role_inferences /role_inferences
- roles /roles
- service /services/{service_id}
- services /services
- system_group_role /system/groups/{group_id}/roles/{role_id}
- system_group_roles /system/groups/{group_id}/roles
- system_user_role /system/users/{user_id}/roles/{role_id}
- system_user_roles /system/users/{user_id}/roles
- user /users/{user_id}
- user_change_password /users/{user_id}/password
- user_groups /users/{user_id}/groups
- user_projects /users/{user_id}/projects
- user_tokens /users/{user_id}/tokens
- users /users
"""  # noqa: E501


def _relation(extension: str, kind: str, name: str) -> str:
    """The URI of a relation (`rel`) or a variable (`param`)."""
    inside = "" if extension == "-" else f"/ext/{extension}/1.0"
    return f"{BASE}{inside}/{kind}/{name}"


def document(prefix: str) -> dict[str, Any]:
    """The document, for paths below a prefix."""
    found: dict[str, Any] = {}
    for line in RESOURCES.strip().splitlines():
        extension, relation, path = line.split()
        names = VARIABLE.findall(path)
        resource: dict[str, Any] = {"href": f"{prefix}{path}"}
        if names:
            variables = {
                name: _relation(OWN.get(name, "-"), "param", ALIASES.get(name, name))
                for name in names
            }
            resource = {"href-template": f"{prefix}{path}", "href-vars": variables}
        if relation in EXPERIMENTAL:
            resource["hints"] = {"status": "experimental"}
        found[_relation(extension, "rel", relation)] = resource
    return {"resources": found}
