"""What microversions changed in the bodies of acts on servers."""

from __future__ import annotations

from typing import Any

from andromede.services.compute.versions import Conversion

LIST = "compute:server-action:list"
SHOW = "compute:server-action:show"


def _actions(body: dict[str, Any]) -> list[dict[str, Any]]:
    one = body.get("instanceAction")
    return [one] if one is not None else body["instanceActions"]


def _each_event(body: dict[str, Any], *names: str) -> dict[str, Any]:
    for event in body["instanceAction"].get("events", ()):
        for name in names:
            event.pop(name, None)
    return body


def _without_updated(body: dict[str, Any]) -> dict[str, Any]:
    for action in _actions(body):
        del action["updated_at"]
    return body


CONVERSIONS = [
    Conversion(since=(2, 58), actions=frozenset({LIST, SHOW}), lower=_without_updated),
    Conversion(
        since=(2, 62),
        actions=frozenset({SHOW}),
        lower=lambda body: _each_event(body, "host", "hostId"),
    ),
    Conversion(
        since=(2, 84), actions=frozenset({SHOW}), lower=lambda body: _each_event(body, "details")
    ),
]
