"""The edge of compute's microversions: which are served, and how bodies change between them.

Handlers know the latest version only. Each noun lists its `CONVERSIONS`; `bind` sorts them once,
and a body passes through those of its operation between the client's version and the latest.
"""

from __future__ import annotations

import functools
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


@dataclass(frozen=True, slots=True)
class Drop:
    """A `lower` that takes members of these names from each of a response's bodies."""

    bodies: Callable[[Any], Iterable[dict[str, Any]]]
    names: tuple[str, ...]

    def __call__(self, response: Any) -> Any:
        for body in self.bodies(response):
            for name in self.names:
                body.pop(name, None)
        return response


def _merge(chain: Iterable[Convert]) -> list[Convert]:
    """The same conversions, with drops that follow each other made one."""
    merged: list[Convert] = []
    for each in chain:
        last = merged[-1] if merged else None
        if isinstance(each, Drop) and isinstance(last, Drop) and each.bodies is last.bodies:
            merged[-1] = Drop(last.bodies, last.names + each.names)
        else:
            merged.append(each)
    return merged


def bind(conversions: Iterable[Conversion]) -> tuple[Dispatch, Dispatch]:
    """`upgrade` and `downgrade` of a service, from its nouns' lists; their order does not matter
    between versions and is kept within one."""
    by_action: dict[str, list[Conversion]] = {}
    for conversion in sorted(conversions, key=lambda each: each.since):
        for action in conversion.actions:
            by_action.setdefault(action, []).append(conversion)

    @functools.cache
    def lifts(action: str, version: Version) -> list[Convert]:
        passed = [each for each in by_action.get(action, ()) if each.since > version]
        return [each.lift for each in passed if each.lift is not None]

    @functools.cache
    def lowers(action: str, version: Version) -> list[Convert]:
        passed = [
            each
            for each in reversed(by_action.get(action, ()))
            if each.since > version or each.since == ALWAYS
        ]
        return _merge(each.lower for each in passed if each.lower is not None)

    def upgrade(operation: Operation, version: Version, body: Any) -> Any:
        for lift in lifts(operation.action, version):
            body = lift(body)
        return body

    def downgrade(operation: Operation, version: Version, body: Any) -> Any:
        for lower in lowers(operation.action, version):
            body = lower(body)
        return body

    return upgrade, downgrade
