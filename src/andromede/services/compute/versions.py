"""The edge of compute's microversions: which are served, and how bodies change between them.

Handlers know the latest version only. Each noun lists its `CONVERSIONS`; `bind` sorts them once,
and a body passes through those of its operation between the client's version and the latest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from andromede.http.microversion import Microversions, Version
from andromede.http.operation import Operation

Convert = Callable[[Any], Any]
Dispatch = Callable[[Operation, Version, Any], Any]

ALWAYS: Version = (0, 0)  # a conversion of every version; its `lower` runs last
MICROVERSIONS = Microversions(
    service="compute",
    lowest=(2, 1),
    latest=(2, 96),
    legacy_header="X-OpenStack-Nova-API-Version",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What the microversion `since` changed in the bodies of some operations, named by `actions`.

    `lift` turns an older request body into this version's and refuses what older clients may not
    say; `lower` turns this version's response into the one before. Both may change in place.
    """

    since: Version
    actions: frozenset[str]
    lift: Convert | None = None
    lower: Convert | None = None


def bind(conversions: Iterable[Conversion]) -> tuple[Dispatch, Dispatch]:
    """`upgrade` and `downgrade` of a service, from its nouns' lists; their order does not matter
    between versions and is kept within one."""
    by_action: dict[str, list[Conversion]] = {}
    for conversion in sorted(conversions, key=lambda each: each.since):
        for action in conversion.actions:
            by_action.setdefault(action, []).append(conversion)

    def upgrade(operation: Operation, version: Version, body: Any) -> Any:
        for conversion in by_action.get(operation.action, ()):
            if conversion.since > version and conversion.lift is not None:
                body = conversion.lift(body)
        return body

    def downgrade(operation: Operation, version: Version, body: Any) -> Any:
        for conversion in reversed(by_action.get(operation.action, ())):
            later = conversion.since > version or conversion.since == ALWAYS
            if later and conversion.lower is not None:
                body = conversion.lower(body)
        return body

    return upgrade, downgrade
