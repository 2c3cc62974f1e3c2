"""How often one client may do something that costs others something."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from ..errors import RateLimitedError

CLIENTS_AT_ONCE = 4096  # that one allowance counts apart


class Allowance:
    """At most `most` of something for each token within `seconds`. Kept in memory: a restart forgives."""

    def __init__(self, what: str, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`what` names the field in the refusal. `clock` counts seconds and never goes back."""
        self._what = what
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._spent: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()  # the latest spender last

    def spend(self, token_id: str, count: int = 1) -> None:
        """Take so many, for whatever names a client. Raises `RateLimitedError`, and takes nothing, where they are not left."""
        now = self._clock()
        spent = self._spent.setdefault(token_id, deque())
        self._spent.move_to_end(token_id)
        while len(self._spent) > CLIENTS_AT_ONCE:
            self._spent.popitem(last=False)
        while spent and spent[0][0] <= now - self._seconds:
            spent.popleft()
        if sum(some for _, some in spent) + count > self._most:
            wait = spent[0][0] + self._seconds - now if spent else self._seconds
            raise RateLimitedError(
                f"{self._what}: at most {self._most} in {_spoken(self._seconds)}; try again in {_spoken(wait)}"
            )
        spent.append((now, count))


def _spoken(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(1.0, seconds):.0f} s"
