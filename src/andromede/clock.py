"""The one clock: whole microseconds since the epoch, UTC. Tests move it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE = EPOCH.replace(tzinfo=None)  # half the time to spell, in each body of each list

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
    return (_NAIVE + timedelta(0, moment // SECOND)).isoformat() + "Z"


def iso_micro(moment: int) -> str:
    """`2026-11-21T10:00:00.000000Z`, as identity answers."""
    return (_NAIVE + timedelta(0, 0, moment)).isoformat(timespec="microseconds") + "Z"


def parse(text: str) -> int:
    """Read an ISO 8601 moment; without an offset it is UTC.

    Errors: ValueError when it is not one, or lies outside the years 1 to 9999 of UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    except OverflowError as error:
        raise ValueError(f"{text} lies outside the years 1 to 9999 of UTC") from error
