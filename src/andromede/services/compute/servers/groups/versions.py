"""What microversions changed in the bodies of server groups.

Source: the compute API's "REST API Version History": 2.13, 2.15 and 2.64.
"""

from __future__ import annotations

from typing import Any

from andromede.http.errors import BadRequest
from andromede.services.compute.versions import Conversion

CREATE = frozenset({"compute:server-group:create"})
ALL = frozenset(f"compute:server-group:{verb}" for verb in ("create", "show", "list"))
Body = dict[str, Any]


def _groups(body: Body) -> list[Body]:
    one = body.get("server_group")
    return [one] if one is not None else body["server_groups"]


def _lift_policies(body: Any) -> Any:
    """Until 2.64 a group had a list of policies with one in it, and no rules."""
    asked = body.get("server_group") if isinstance(body, dict) else None
    if not isinstance(asked, dict):
        return body
    later = sorted({"policy", "rules"} & set(asked))
    if later:
        raise BadRequest(
            f"Additional properties are not allowed ({', '.join(later)}): microversion 2.64 or "
            f"later accepts it."
        )
    policies = asked.pop("policies", None)
    if not isinstance(policies, list) or len(policies) != 1:
        raise BadRequest(
            f"Invalid input for field/attribute policies. Value: {policies}. A list of one policy "
            f"is accepted."
        )
    asked["policy"] = policies[0]
    return body


def _lower_policy(body: Body) -> Body:
    for group in _groups(body):
        del group["rules"]
        group["policies"] = [group.pop("policy")]
        group["metadata"] = {}
    return body


def _refuse_soft(body: Any) -> Any:
    """Until 2.15 a policy held or a server was not made."""
    asked = body.get("server_group") if isinstance(body, dict) else None
    policies = asked.get("policies") if isinstance(asked, dict) else None
    if isinstance(policies, list) and any(str(each).startswith("soft-") for each in policies):
        raise BadRequest(
            f"Invalid input for field/attribute policies. Value: {policies}. affinity and "
            f"anti-affinity are accepted; microversion 2.15 or later accepts the soft ones."
        )
    return body


def _ownerless(body: Body) -> Body:
    for group in _groups(body):
        del group["project_id"], group["user_id"]
    return body


CONVERSIONS = [
    Conversion(since=(2, 13), actions=ALL, lower=_ownerless),
    Conversion(since=(2, 15), actions=CREATE, lift=_refuse_soft),
    Conversion(since=(2, 64), actions=ALL, lower=_lower_policy),
    Conversion(since=(2, 64), actions=CREATE, lift=_lift_policies),
]
