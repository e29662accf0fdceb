"""What changed since somebody last looked: a rising number and the latest ids, kept in memory."""

from __future__ import annotations

import threading
from collections import deque

KEPT = 4096


class Changes:
    """A bounded list of changes. Asking when nothing changed costs a comparison."""

    def __init__(self) -> None:
        self._latest = 1
        self._kept: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def note(self, changed: str) -> None:
        with self._lock:
            self._latest += 1
            self._kept.append((self._latest, changed))

    def since(self, number: int) -> tuple[int, frozenset[str] | None]:
        """The number of the latest change, and the ids that changed after the change `number`.

        None stands for any id: of changes so long ago, or before this process, nothing is known.
        """
        with self._lock:
            if number == self._latest:
                return number, frozenset()
            oldest = self._kept[0][0] if self._kept else self._latest + 1
            if not oldest - 1 <= number < self._latest:
                return self._latest, None
            return self._latest, frozenset(each for at, each in self._kept if at > number)
