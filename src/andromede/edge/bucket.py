"""How often someone may ask: a bucket of tokens for each source, bounded in number."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Buckets:
    """`burst` requests at once and then `rate` a second for each source; the sources that asked
    longest ago are forgotten beyond `most`."""

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, source: Hashable) -> bool:
        """Whether the source may ask once more now."""
        now = self._clock()
        level, since = self._levels.pop(source, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        allowed = level >= 1
        self._levels[source] = (level - 1 if allowed else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return allowed
