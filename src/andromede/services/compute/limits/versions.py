"""How quotas and limits changed: the network's own left in 2.36 (2.50 for classes), injected files
in 2.57, image metadata in 2.39; server groups came to classes in 2.50.

No file is ever injected into a server here, so the old members say 0; what the network service
counts is not limited by compute, so they say -1.
Source: the compute API's microversion history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.services.compute.versions import Conversion

FILES = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
NETWORK = ("fixed_ips", "floating_ips", "security_group_rules", "security_groups")
GROUPS = ("server_groups", "server_group_members")
SETS = frozenset({
    "compute:quota_set:show", "compute:quota_set:defaults", "compute:quota_set:update",
    "compute:quota_set:detail",
})  # fmt: skip
CLASSES = frozenset({"compute:quota_class_set:show", "compute:quota_class_set:update"})
LIMITS = frozenset({"compute:limits:show"})


def _quotas(body: Any) -> dict[str, Any]:
    quotas: dict[str, Any] = body.get("quota_set") or body.get("quota_class_set")
    return quotas


def _with(names: tuple[str, ...], limit: int) -> Callable[[Any], Any]:
    def lower(body: Any) -> Any:
        quotas = _quotas(body)
        detailed = any(isinstance(value, dict) for value in quotas.values())
        for name in names:
            quotas[name] = {"limit": limit, "in_use": 0, "reserved": 0} if detailed else limit
        return body

    return lower


def _without_groups(body: Any) -> Any:
    for name in GROUPS:
        _quotas(body).pop(name)
    return body


def _absolute(**more: int) -> Callable[[Any], Any]:
    def lower(body: Any) -> Any:
        body["limits"]["absolute"].update(more)
        return body

    return lower


def _image_meta(body: Any) -> Any:
    absolute = body["limits"]["absolute"]
    absolute["maxImageMeta"] = absolute["maxServerMeta"]
    return body


CONVERSIONS = [
    Conversion(since=(2, 36), actions=SETS, lower=_with(NETWORK, -1)),
    Conversion(since=(2, 50), actions=CLASSES, lower=_with(NETWORK, -1)),
    Conversion(since=(2, 50), actions=CLASSES, lower=_without_groups),
    Conversion(since=(2, 57), actions=SETS | CLASSES, lower=_with(FILES, 0)),
    Conversion(
        since=(2, 36),
        actions=LIMITS,
        lower=_absolute(
            maxTotalFloatingIps=-1,
            maxSecurityGroups=-1,
            maxSecurityGroupRules=-1,
            totalFloatingIpsUsed=0,
            totalSecurityGroupsUsed=0,
        ),
    ),
    Conversion(since=(2, 39), actions=LIMITS, lower=_image_meta),
    Conversion(
        since=(2, 57), actions=LIMITS, lower=_absolute(maxPersonality=0, maxPersonalitySize=0)
    ),
]
