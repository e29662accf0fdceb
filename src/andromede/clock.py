"""The one clock: whole microseconds since the epoch, UTC. Tests move it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

SECOND = 1_000_000

_source: Callable[[], int] = lambda: time.time_ns() // 1_000  # noqa: E731


def now() -> int:
    """Microseconds since the epoch."""
    return _source()


def set_source(source: Callable[[], int] | None) -> None:
    """Replace the clock (tests); None restores the system's."""
    global _source
    _source = source or (lambda: time.time_ns() // 1_000)


def iso(moment: int) -> str:
    """`2026-11-21T10:00:00Z`, as compute and image answer."""
    return datetime.fromtimestamp(moment / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_micro(moment: int) -> str:
    """`2026-11-21T10:00:00.000000Z`, as identity answers."""
    return datetime.fromtimestamp(moment / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> int:
    """Read an ISO 8601 moment; without an offset it is UTC.

    Errors: ValueError when it is not one.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * SECOND)
