"""How quotas and limits changed: the network's own left in 2.36 (2.50 for classes), injected files
in 2.57, image metadata in 2.39; server groups came to classes in 2.50.

What left is kept for older clients, who set it and read it again; compute never counts it.
Source: the compute API's microversion history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from andromede.services.compute.limits.store import FILES, FORMER, NETWORK
from andromede.services.compute.versions import ALWAYS, Conversion

GROUPS = ("server_groups", "server_group_members")
HIDDEN = "_former"  # the member in which a response bears its former limits until they are shown
SETS = frozenset({
    "compute:quota_set:show", "compute:quota_set:defaults", "compute:quota_set:update",
    "compute:quota_set:detail",
})  # fmt: skip
CLASSES = frozenset({"compute:quota_class_set:show", "compute:quota_class_set:update"})
LIMITS = frozenset({"compute:limits:show"})


def _quotas(body: Any) -> dict[str, Any]:
    quotas: dict[str, Any] = body.get("quota_set") or body.get("quota_class_set")
    return quotas


def hide(quotas: dict[str, Any]) -> dict[str, Any]:
    """A body's quotas with the former ones out of sight."""
    shown = {name: value for name, value in quotas.items() if name not in FORMER}
    return {**shown, HIDDEN: {name: quotas[name] for name in FORMER if name in quotas}}


def _with(names: Iterable[str]) -> Callable[[Any], Any]:
    def lower(body: Any) -> Any:
        quotas = _quotas(body)
        quotas.update({name: quotas[HIDDEN][name] for name in names})
        return body

    return lower


def _without_hidden(body: Any) -> Any:
    del _quotas(body)[HIDDEN]
    return body


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
    Conversion(since=(2, 36), actions=SETS, lower=_with(NETWORK)),
    Conversion(since=(2, 50), actions=CLASSES, lower=_with(NETWORK)),
    Conversion(since=(2, 50), actions=CLASSES, lower=_without_groups),
    Conversion(since=(2, 57), actions=SETS | CLASSES, lower=_with(FILES)),
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
    Conversion(since=ALWAYS, actions=SETS | CLASSES, lower=_without_hidden),
    Conversion(since=(2, 39), actions=LIMITS, lower=_image_meta),
    Conversion(
        since=(2, 57), actions=LIMITS, lower=_absolute(maxPersonality=0, maxPersonalitySize=0)
    ),
]
