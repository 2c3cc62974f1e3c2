"""What is measured while it runs: how often something happens, and how long it takes. Kept in memory, and not for long."""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable

MOST = 10_000  # measurements that one meter holds; older ones give way


class Rate:
    """How often something happened in the last `seconds`. `clock` counts seconds and never goes back."""

    def __init__(self, seconds: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since = clock()
        self._noted: deque[float] = deque(maxlen=MOST)

    def note(self) -> None:
        """It happened."""
        self._noted.append(self._clock())

    @property
    def per_second(self) -> float:
        """On average; a meter younger than `seconds` is asked about its own age, and about one second at least."""
        now = self._clock()
        while self._noted and self._noted[0] <= now - self._seconds:
            self._noted.popleft()
        return len(self._noted) / min(self._seconds, max(1.0, now - self._since))


class Durations:
    """How long something took in the last `seconds`. `clock` counts seconds and never goes back."""

    def __init__(self, seconds: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._noted: deque[tuple[float, float]] = deque(maxlen=MOST)

    def note(self, seconds: float) -> None:
        """It took so long."""
        self._noted.append((self._clock(), seconds))

    @property
    def p99(self) -> float | None:
        """What 99 of 100 did not take longer than (nearest rank), seconds; None where nothing was measured."""
        now = self._clock()
        while self._noted and self._noted[0][0] <= now - self._seconds:
            self._noted.popleft()
        count = len(self._noted)
        if not count:
            return None
        rank = math.ceil(0.99 * count)
        return heapq.nlargest(count - rank + 1, (seconds for _, seconds in self._noted))[-1]
