"""Which options a domain may have, with their defaults, and what a body of them has to be.

Source: the identity API v3, "Domain configuration".
"""

from __future__ import annotations

from typing import Any

from andromede.config import Compliance
from andromede.http.errors import Forbidden

DEFAULTS: dict[str, dict[str, Any]] = {
    "identity": {"driver": "sql", "list_limit": None},
    "ldap": {
        "url": "ldap://localhost",
        "user": None,
        "suffix": "cn=example,cn=com",
        "query_scope": "one",
        "page_size": 0,
        "alias_dereferencing": "default",
        "debug_level": None,
        "chase_referrals": None,
        "user_tree_dn": None,
        "user_filter": None,
        "user_objectclass": "inetOrgPerson",
        "user_id_attribute": "cn",
        "user_name_attribute": "sn",
        "user_mail_attribute": "mail",
        "user_description_attribute": "description",
        "user_pass_attribute": "userPassword",
        "user_enabled_attribute": "enabled",
        "user_enabled_invert": False,
        "user_enabled_mask": 0,
        "user_enabled_default": "True",
        "user_attribute_ignore": ["default_project_id"],
        "user_default_project_id_attribute": None,
        "user_enabled_emulation": False,
        "user_enabled_emulation_dn": None,
        "user_enabled_emulation_use_group_config": False,
        "user_additional_attribute_mapping": [],
        "group_tree_dn": None,
        "group_filter": None,
        "group_objectclass": "groupOfNames",
        "group_id_attribute": "cn",
        "group_name_attribute": "ou",
        "group_members_are_ids": False,
        "group_member_attribute": "member",
        "group_desc_attribute": "description",
        "group_attribute_ignore": [],
        "group_additional_attribute_mapping": [],
        "tls_cacertfile": None,
        "tls_cacertdir": None,
        "use_tls": False,
        "tls_req_cert": "demand",
        "use_pool": True,
        "pool_size": 10,
        "pool_retry_max": 3,
        "pool_retry_delay": 0.1,
        "pool_connection_timeout": -1,
        "pool_connection_lifetime": 600,
        "use_auth_pool": True,
        "auth_pool_size": 100,
        "auth_pool_connection_lifetime": 60,
    },
}
SECRET = {("ldap", "password")}
COMPLIANCE = "security_compliance"
READABLE = ("password_regex", "password_regex_description")


def refuse(reason: str) -> Forbidden:
    return Forbidden(f"Invalid domain specific configuration: {reason}.")


def check_names(section: str, name: str | None = None) -> None:
    """Errors: Forbidden for a section or an option that a domain cannot have."""
    if section not in DEFAULTS:
        raise refuse(
            f"Group {section} is not supported for domain specific configurations; accepted are "
            f"{', '.join(DEFAULTS)}"
        )
    if name is not None and name not in DEFAULTS[section] and (section, name) not in SECRET:
        raise refuse(
            f"Option {name} in group {section} is not supported for domain specific configurations"
        )


def check(config: dict[str, Any]) -> None:
    """Errors: Forbidden for an empty body, or one with what a domain cannot have."""
    if not config:
        raise refuse("No options specified")
    for section, values in config.items():
        if not isinstance(values, dict) or not values:
            raise refuse(
                f"The value of group {section} specified in the config should be a dictionary of "
                "options"
            )
        for name in values:
            check_names(section, name)


def check_part(config: dict[str, Any], section: str, name: str | None) -> None:
    """Errors: Forbidden for a body with anything but the section, or the option, of the path."""
    if list(config) != [section]:
        raise refuse(
            f"Trying to update group {section}, so that, and only that, group must be specified in "
            "the config"
        )
    if name is not None and list(config[section]) != [name]:
        raise refuse(
            f"Trying to update option {name} in group {section}, so that, and only that, option "
            "must be specified in the config"
        )


def default(section: str | None, name: str | None) -> dict[str, Any]:
    """The defaults: all, those of one section, or one option's."""
    if section is None:
        return DEFAULTS
    check_names(section, name)
    if name is None:
        return {section: DEFAULTS[section]}
    if name not in DEFAULTS[section]:
        raise refuse(f"Reading the default for option {name} in group {section} is not supported")
    return {name: DEFAULTS[section][name]}


def compliance(settings: Compliance, name: str | None) -> dict[str, Any]:
    """What everyone may read of the rules for passwords."""
    if name is not None and name not in READABLE:
        raise refuse(
            "Reading security compliance values other than password_regex and "
            "password_regex_description is not allowed"
        )
    told = {each: getattr(settings, each) or None for each in READABLE}
    return {COMPLIANCE: told} if name is None else {name: told[name]}
